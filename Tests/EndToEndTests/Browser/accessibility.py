"""Checks every window with axe, wide and on a phone, light and dark.

    accessibility.py ADDRESS
"""

import importlib.util
import os
import sys

from browser import PHONE, WIDE, Page

PLACES = ["connect", "", "jobs", "packages"] + [
    f"c/1/{path}" for path in (
        "candy3.cafenet/signals", "candy3.cafenet/memory", "candy3.cafenet/configure", "candy3.cafenet/program",
        "accounts1.cafenet/configure",
    )
]
package = importlib.util.find_spec("axe_playwright_python").submodule_search_locations[0]
with open(os.path.join(package, "axe.min.js"), encoding="utf-8") as file:
    AXE = file.read()
page = Page(sys.argv[1])
found = []
try:
    for size in (WIDE, PHONE):
        for dark in (False, True):
            page.resize(size)
            page.theme(dark)
            for place in PLACES:
                page.open(place)
                page.driver.refresh()
                page.until("a heading", lambda: page.driver.execute_script("return !!document.querySelector('main h1')"))
                if place.startswith("c/"):
                    page.until("its content", lambda: not page.driver.execute_script(
                        "return !!document.querySelector('[aria-busy=true]')"))
                page.driver.execute_script(AXE)
                result = page.driver.execute_async_script("axe.run().then(arguments[0])")
                for violation in result["violations"]:
                    if violation["impact"] in ("serious", "critical"):
                        nodes = [node["html"][:200] for node in violation["nodes"][:4]]
                        found.append(f"{place} {size} dark={dark}: {violation['id']}: {violation['help']}: {nodes}")
    print(f"{len(PLACES) * 4} views, {len(found)} serious findings")
    for line in found:
        print(line)
    sys.exit(1 if found else 0)
finally:
    page.close()
