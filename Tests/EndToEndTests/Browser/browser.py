"""A headless Chromium that looks at the page of `ispy web`, with short ways to what the tests need."""

import time

from selenium import webdriver
from selenium.common.exceptions import (
    ElementClickInterceptedException,
    ElementNotInteractableException,
    NoSuchElementException,
    StaleElementReferenceException,
)
from selenium.webdriver.common.by import By

WIDE = (1280, 800)
PHONE = (390, 844)


class Page:
    """One browser window."""

    def __init__(self, address, size=WIDE, dark=False):
        self.address = address
        options = webdriver.ChromeOptions()
        for argument in (
            "--headless=new",
            "--no-sandbox",
            "--hide-scrollbars",
            "--disable-gpu",
            "--disable-background-networking",
            "--disable-component-update",
            f"--window-size={size[0]},{size[1]}",
        ):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=webdriver.ChromeService("/usr/bin/chromedriver"))
        self.resize(size)
        self.theme(dark)

    def resize(self, size):
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": size[0] < 500},
        )

    def theme(self, dark):
        value = "dark" if dark else "light"
        self.driver.execute_cdp_cmd(
            "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": value}]}
        )

    def open(self, place=""):
        self.driver.get(f"{self.address}/#/{place}")

    def close(self):
        self.driver.quit()

    # Waiting

    def until(self, what, check, seconds=20):
        """Waits for a condition, never for luck."""
        end = time.monotonic() + seconds
        while True:
            try:
                value = check()
                if value:
                    return value
            except (
                StaleElementReferenceException,
                NoSuchElementException,
                ElementNotInteractableException,
                ElementClickInterceptedException,
            ):
                # The page was changed in between.
                pass
            if time.monotonic() > end:
                raise AssertionError(f"not within {seconds} s: {what}\n{self.text()}\n{self.log()}")
            time.sleep(0.03)

    def all(self, hook, **data):
        selector = f'[data-test="{hook}"]' + "".join(f'[data-{name}="{value}"]' for name, value in data.items())
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def find(self, hook, seconds=20, **data):
        return self.until(f"{hook} {data}", lambda: next(iter(self.visible(hook, **data)), None), seconds)

    def visible(self, hook, **data):
        return [element for element in self.all(hook, **data) if element.is_displayed()]

    def gone(self, hook, **data):
        self.until(f"no {hook} {data}", lambda: not self.visible(hook, **data))

    # Doing

    def click(self, hook, seconds=20, **data):
        def attempt():
            element = next(iter(self.visible(hook, **data)), None)
            if element is None or not element.is_enabled():
                return False
            self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
            element.click()
            return True

        self.until(f"{hook} {data} can be clicked", attempt, seconds)

    def type(self, hook, text, **data):
        element = self.find(hook, **data)
        element.clear()
        element.send_keys(text)
        return element

    def confirm(self):
        """Answers a question with yes."""
        self.click("confirm")
        self.gone("confirm")

    # Looking

    def text(self, hook=None, **data):
        if hook is None:
            return self.driver.find_element(By.TAG_NAME, "body").text
        return self.find(hook, **data).text

    def wait_text(self, hook, part, seconds=20, **data):
        def look():
            return any(part in element.text for element in self.visible(hook, **data))

        self.until(f"'{part}' in {hook} {data}", look, seconds)

    def log(self):
        """What the browser complained about."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]
