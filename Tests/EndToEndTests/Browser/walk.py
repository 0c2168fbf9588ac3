"""Drives the real page through everything an operator does. Called by the end-to-end tests:

    walk.py ADDRESS SETTINGS.json
"""

import json
import os
import re
import sys

from selenium.webdriver.common.by import By

from browser import Page

page = Page(sys.argv[1])
with open(sys.argv[2], encoding="utf-8") as file:
    settings = json.load(file)
host, port = settings["server"].removeprefix("tls://").rsplit(":", 1)
CANDY = "candy3.cafenet"


def device(path, tab):
    """Opens a window of a device."""
    page.open(f"c/1/{path}/{tab}")
    page.find(f"tab-{tab}")


def connect():
    page.open("connect")
    page.type("connect-address", host)
    page.type("connect-port", port)
    page.type("connect-password", "wrong")
    page.driver.find_element(By.CSS_SELECTOR, 'input[type=radio][value="fingerprint"]').click()
    page.click("connect-fingerprint")
    page.find("connect-trust")
    shown = "".join(page.text().split()).replace(":", "")
    assert settings["fingerprint"].replace(":", "") in shown, page.text()
    page.click("connect-trust")
    page.click("connect-submit")
    page.wait_text("connect-error", "wrong user name, password or network")
    page.type("connect-password", "pass")
    page.click("connect-submit")
    page.find("device", path=CANDY)


def see_candy():
    page.open("")
    page.wait_text("device", "261101-0800", path=CANDY)
    # The newest package that fits.
    page.wait_text("device", "261202-0000", path=CANDY)
    page.type("device-search", "candy4")
    page.gone("device", path=CANDY)
    page.find("device", path="candy4.cafenet")
    page.type("device-search", "nothing like this")
    page.driver.find_element(By.XPATH, "//summary[contains(., 'Device missing')]").click()
    page.until("the usual causes", lambda: "accounts" in page.text() and "network" in page.text())
    page.type("device-search", "c")
    page.click("device", path=CANDY)
    page.find("tab-signals")


def set_a_signal():
    device(CANDY, "signals")
    row = page.find("signal", name="brightness")
    entry = row.find_element(By.CSS_SELECTOR, '[data-test="set"]')
    entry.clear()
    entry.send_keys("64\n")
    page.until(
        "brightness is 64",
        lambda: "64" in page.find("signal", name="brightness").find_element(By.CSS_SELECTOR, '[data-test="value"]').text,
    )
    before = page.find("signal", name="counter").text
    page.until("the counter counts", lambda: page.find("signal", name="counter").text != before)


def memory():
    device(CANDY, "memory")
    page.click("memory-block", name="exp")
    page.until("bytes", lambda: len(page.text("memory-hex").split()) > 64)
    before = page.text("memory-hex")
    page.until("bytes change", lambda: page.text("memory-hex") != before)


def picture():
    device(CANDY, "signals")
    page.find("picture", seconds=30)

    # Each picture is an element of its own, which the next one replaces.
    def source():
        return page.find("picture").get_attribute("src")

    before = page.until("a picture", source)
    page.until("another picture", lambda: source() != before, seconds=30)
    width = "return document.querySelector('[data-test=\"picture\"]')?.naturalWidth ?? 0"
    page.until("the picture is one", lambda: page.driver.execute_script(width) > 0)


def write():
    device(CANDY, "program")
    page.find("package", name=settings["new"], fits="true")
    page.find("package", name=settings["other"], fits="false")
    page.click("package", name=settings["new"])
    page.click("dry-run")
    page.wait_text("dry-run-result", "would write candy 261124-1200")
    page.click("write")
    page.wait_text("job-result", "261124-1200", seconds=120)
    page.until("confirmed", lambda: "confirmed" in page.text("job-result").lower())


def roll_back_by_self_test():
    device(CANDY, "program")
    page.click("package", name=settings["bad"])
    page.click("write")
    page.wait_text("job-result", "self-test failed", seconds=120)
    page.open("")
    page.wait_text("device", "261124-1200", path=CANDY)


def other_windows():
    page.open("jobs")
    page.wait_text("job", "261124-1200")
    page.open("packages")
    page.find("package", name=settings["new"])
    page.open("connect")
    page.find("connection")
    device(CANDY, "program")
    page.wait_text("history", "261124-1200")


def damaged_package():
    device(CANDY, "program")
    page.all("package-file")[0].send_keys(settings["damaged"])
    page.wait_text("package-error", "not a usable package")


def drop(path, hook):
    """Drops a file as a person would, from outside of the page."""
    with open(path, "rb") as source:
        content = list(source.read(4096))
    page.driver.execute_script(
        """const data = new DataTransfer();
        data.items.add(new File([new Uint8Array(arguments[1])], arguments[2]));
        for (const kind of ["dragenter", "dragover", "drop"])
            arguments[0].dispatchEvent(new DragEvent(kind, {dataTransfer: data, bubbles: true, cancelable: true}));""",
        page.find(hook),
        content,
        os.path.basename(path),
    )


def dropped_package():
    device(CANDY, "program")
    drop(settings["damaged"], "package-drop")
    page.wait_text("package-error", "not a usable package")


def cancel_and_reload():
    # candy4 has a small buffer: a write takes seconds.
    device("candy4.cafenet", "program")
    page.click("package", name=settings["large"])
    page.click("write")
    page.find("cancel")
    page.until("it is under way", lambda: "receiving" in page.text("job-phase").lower())
    page.click("cancel")
    page.wait_text("job-result", "ancelled", seconds=120)
    page.driver.refresh()
    page.find("tab-program")
    page.click("package", name=settings["large"])
    page.click("write")
    page.until("it is under way", lambda: page.visible("cancel") and "receiving" in page.text("job-phase").lower())
    page.driver.refresh()
    page.until("it is still there", lambda: page.visible("job-phase") or page.visible("job-result"))
    page.wait_text("job-result", "261130-0000", seconds=300)


def batch():
    page.open("")
    for path in (CANDY, "candy4.cafenet"):
        row = page.find("device", path=path)
        row.find_element(By.CSS_SELECTOR, "input[type=checkbox]").click()
    page.click("batch")
    page.find("batch-package")
    page.driver.find_element(By.TAG_NAME, "body").send_keys("\ue00c")
    page.gone("batch-package")


def accept_new_device():
    device("accounts1.cafenet", "configure")
    # It is shown for some seconds after each of its tries, which are up to half a minute apart.
    page.until("candy5 waits", lambda: "candy5" in page.find("new-device", seconds=120).text, seconds=90)
    # The same code as the command line shows, and as the device would.
    page.until(
        "the code",
        lambda: re.search(r"[0-9a-f]{4}(-[0-9a-f]{4}){4}", page.find("pairing-code", seconds=120).text),
        seconds=90,
    )
    page.click("accept", seconds=90)
    page.click("configure-confirm")
    page.wait_text("configure-result", "saved")
    page.open("")
    page.find("device", seconds=90, path="candy5.cafenet")


def network_name():
    """The field of that label."""
    label = page.until("the form", lambda: page.driver.find_elements(By.XPATH, "//label[contains(., 'Network name')]"))[0]
    return page.driver.find_element(By.ID, label.get_attribute("for"))


def configure():
    device(CANDY, "configure")
    entry = network_name()
    entry.clear()
    entry.send_keys("othernet")
    page.click("configure-save")
    page.until("the difference", lambda: "othernet" in page.text())
    page.click("configure-confirm")
    page.wait_text("configure-result", "restart")
    page.driver.refresh()
    page.until("it is saved", lambda: network_name().get_attribute("value") == "othernet")


def go_back():
    device(CANDY, "configure")
    page.wait_text("configure-state", "saved")
    page.click("configure-back")
    page.wait_text("configure-result", "✓")
    page.until("the old one is put back", lambda: "put back" in page.find("configure-state").text or page.driver.refresh())


def history():
    page.open("jobs")
    fold = page.find("network-history")
    fold.find_element(By.TAG_NAME, "summary").click()
    page.until("who did what", lambda: "root.cafenet" in page.find("network-history").text)
    page.until("the update", lambda: "261202-0000" in page.find("network-history").text or "confirmed" in page.text())


SCENES = [
    connect, see_candy, set_a_signal, memory, picture, write, roll_back_by_self_test, other_windows,
    damaged_package, dropped_package,
    cancel_and_reload, batch, accept_new_device, configure, go_back,
    history,
]

wanted = sys.argv[3:]
try:
    for scene in SCENES:
        if wanted and scene.__name__ not in wanted:
            continue
        scene()
        print(f"ok {scene.__name__}", flush=True)
    complaints = [line for line in page.log() if "favicon" not in line and "status of 4" not in line]
    assert not complaints, complaints
finally:
    page.driver.save_screenshot(os.path.join(os.path.dirname(sys.argv[2]), "last.png"))
    page.close()
