"""Takes pictures of every window, wide and on a phone, light and dark.

    screenshots.py ADDRESS FOLDER SERVER TRUST PACKAGE
"""

import os
import sys
import time

from selenium.webdriver.common.by import By

from browser import PHONE, WIDE, Page

address, folder, server, trust, package = sys.argv[1:6]
CANDY = "c/1/candy3.cafenet"
page = Page(address)


def shoot(name, size, dark):
    look = "phone" if size == PHONE else "wide"
    page.driver.save_screenshot(os.path.join(folder, f"{name}-{look}-{'dark' if dark else 'light'}.png"))


def settle():
    """Values, plots and pictures are there."""
    page.until("no window waits", lambda: not page.driver.execute_script("return !!document.querySelector('[aria-busy=true]')"))
    time.sleep(1.2)


try:
    host, port = server.removeprefix("tls://").rsplit(":", 1)
    page.open("connect")
    page.type("connect-address", host)
    page.type("connect-port", port)
    page.driver.find_element(By.CSS_SELECTOR, 'input[type=radio][value="file"]').click()
    page.all("connect-pem")[0].send_keys(trust)
    page.type("connect-password", "pass")
    page.type("connect-save", "home")
    page.click("connect-submit")
    page.find("device", path="candy3.cafenet")
    # Something has happened already.
    page.open(f"{CANDY}/program")
    page.click("package", name=package)
    page.click("write")
    page.until("it is confirmed", lambda: "confirmed" in page.text("job-result").lower(), seconds=60)
    for size in (WIDE, PHONE):
        for dark in (False, True):
            page.resize(size)
            page.theme(dark)
            for name, place in (
                ("connect", "connect"), ("devices", ""), ("jobs", "jobs"), ("packages", "packages"),
                ("signals", f"{CANDY}/signals"), ("memory", f"{CANDY}/memory"), ("configure", f"{CANDY}/configure"),
                ("program", f"{CANDY}/program"), ("accounts", "c/1/accounts1.cafenet/configure"),
            ):
                page.open(place)
                page.driver.refresh()
                page.until("a heading", lambda: page.driver.find_elements(By.CSS_SELECTOR, "main h1"))
                if name == "signals":
                    page.until("a picture", lambda: page.find("picture").get_attribute("src"))
                    page.driver.execute_script("document.querySelectorAll('[data-test=plot]')[2]?.click()")
                if name == "memory":
                    page.click("memory-block", name="exp")
                settle()
                shoot(name, size, dark)
finally:
    page.close()
