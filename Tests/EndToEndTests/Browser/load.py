"""Measures what the page costs the browser: first paint, and work while a list is long and signals change.

    load.py ADDRESS DEVICE DEVICES SIGNALS SECONDS
"""

import json
import sys
import time

from browser import Page

address, device, devices, signals, seconds = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6])
page = Page(address)


def measure():
    """Shares of one core over some seconds, in percent."""
    page.driver.execute_cdp_cmd("Performance.enable", {})

    def metrics():
        values = page.driver.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
        return {value["name"]: value["value"] for value in values}

    before = metrics()
    time.sleep(seconds)
    after = metrics()
    wall = after["Timestamp"] - before["Timestamp"]
    return {
        name: round(100 * (after[key] - before[key]) / wall, 1)
        for name, key in (("scripting", "ScriptDuration"), ("layout", "LayoutDuration"), ("style", "RecalcStyleDuration"),
                          ("all", "TaskDuration"))
    } | {"heapMB": round(after["JSHeapUsedSize"] / 1e6, 1)}


try:
    page.open("")
    page.until("all devices", lambda: str(devices) in page.text().replace(",", "").replace(" ", ""), seconds=60)
    paint = page.driver.execute_script(
        "return performance.getEntriesByType('paint').map((entry) => [entry.name, entry.startTime])")
    result = {"paint": {name: round(value) for name, value in paint}, "list": measure()}
    page.open(f"c/1/{device}/signals")
    page.until("the signals", lambda: len(page.all("signal")) >= min(signals, 20), seconds=60)
    # What is measured happens: a value that is seen changes.
    row = page.find("signal", name="s0")
    before = row.text
    page.until("signals change", lambda: page.find("signal", name="s0").text != before)
    counted = page.driver.execute_script("return document.querySelectorAll('[data-test=signal]').length")
    result |= {"signalRows": counted, "signals": measure()}
    # Responsive: how long a click waits for its turn.
    result["longestWaitMs"] = page.driver.execute_async_script(
        """const done = arguments[0]; let longest = 0, last = performance.now(), turns = 0;
        const channel = new MessageChannel();
        channel.port1.onmessage = () => {
            const now = performance.now();
            longest = Math.max(longest, now - last);
            last = now;
            if ((turns += 1) < 20000 && now < start + 5000) channel.port2.postMessage(0); else done(Math.round(longest));
        };
        const start = last;
        channel.port2.postMessage(0);""")
    print(json.dumps(result))
finally:
    page.close()
