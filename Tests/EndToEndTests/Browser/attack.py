"""Looks at every window while peers and files have names that a page could take for its own: nothing may run.

    attack.py ADDRESS
"""

import sys

from browser import Page

page = Page(sys.argv[1])
ATTACK = "<img src=x onerror=pwned=1>"
try:
    page.open("")
    page.wait_text("device", "<b>load</b>", path="load1.cafenet", seconds=30)
    for tab in ("signals", "memory", "configure", "program"):
        page.open(f"c/1/load1.cafenet/{tab}")
        page.find(f"tab-{tab}")
        if tab == "signals":
            page.until("hostile signals", lambda: page.text().count(ATTACK) > 4)
        if tab == "memory":
            page.click("memory-block", name="exp")
            page.until("bytes", lambda: len(page.text("memory-hex").split()) > 20)
    page.open("packages")
    page.until("a hostile file name", lambda: ATTACK in page.text())
    page.open("jobs")
    page.find("job")
    page.until("a hostile reason", lambda: "<b>load</b>" in page.text())
    assert not page.driver.execute_script("return document.querySelectorAll('main b').length")
    assert page.driver.execute_script("return window.pwned") is None, "a script of a peer ran"
    assert not page.driver.execute_script("return document.querySelectorAll('img[src=x]').length")
    # What the page itself may do is all that its rules allow: a script that got in would be refused.
    refused = page.driver.execute_async_script(
        """const done = arguments[0];
        addEventListener("securitypolicyviolation", (event) => done(event.violatedDirective));
        const script = document.createElement("script");
        script.textContent = "window.pwned = 2";
        document.head.append(script);
        setTimeout(() => done("nothing refused it"), 2000);"""
    )
    assert refused.startswith("script-src"), refused
    assert page.driver.execute_script("return window.pwned") is None
    # Nothing secret is left where other scripts or people could find it.
    stored = page.driver.execute_script("return JSON.stringify([localStorage, sessionStorage, document.cookie])")
    assert "pass" not in stored and "ispy-" not in stored, stored
    print("ok")
finally:
    page.close()
