"""frank with many devices: memory, idle CPU, time to a complete list, time until lost devices are gone; see scripts/bench."""

import argparse
import json
import os
import re
import signal
import sys
import tempfile
import time

from bench import machine, say
from processes import BenchError, Service, cpu_seconds, run

# Devices whose process is stopped are silent, and a server waits 20 s for silent peers (wire-protocol.md 2.8).
SILENCE_SECONDS = 20


def resident_bytes(pid):
    """Resident memory of a running process now."""
    with open(f"/proc/{pid}/status") as status:
        return int(re.search(r"VmRSS:\s+(\d+) kB", status.read()).group(1)) * 1024


class Crowd:
    """One frank and two processes with half of the devices each."""

    def __init__(self, options, place, count):
        self.options, self.place, self.count = options, place, count
        self.data = f"{place}/frank"
        # All devices are behind one address here, and come at once.
        limits = {"waiting_logins": 100000, "waiting_logins_per_address": 100000, "pending_connections": 100000,
                  "pending_connections_per_address": 100000, "login_checks": os.cpu_count() or 1}
        arguments = [word for name, value in limits.items() for word in ("--limit", f"{name}={value}")]
        self.frank = Service(
            "frank", [f"{options.bin}/frank", "run", "--data", self.data, "--listen", "tls://127.0.0.1:0", *arguments],
            f"{place}/frank-{count}.log")
        self.halves = []
        try:
            self.address = self.frank.wait_for(r"listening on (tls://\S+)")
            self.empty = resident_bytes(self.frank.pid)
            start = time.monotonic()
            first = 1
            for share in (count // 2, count - count // 2):
                self.halves.append(Service(
                    "many-devices", [
                        f"{options.bin}/many-devices", "--connect", self.address, "--trust", f"{self.data}/trust.pem",
                        "--password-file", f"{place}/device-password", "--count", str(share), "--first", str(first),
                        "--ring", str(options.ring), "--standard"],
                    f"{place}/devices-{count}-{first}.log"))
                first += share
            self.wait_for_devices(lambda present: present == count, 60 + count)
            self.login_seconds = time.monotonic() - start
        except BaseException:
            self.stop()
            raise

    def status(self):
        return json.loads(run([f"{self.options.bin}/frank", "status", "--data", self.data, "--json"]).output)

    def wait_for_devices(self, is_meant, seconds):
        """Waits for a number of devices; gives the seconds that took."""
        start = time.monotonic()
        while True:
            present = self.status()["devices"]
            now = time.monotonic() - start
            if is_meant(present):
                return now
            if now > seconds:
                raise BenchError(f"frank has {present} devices after {seconds} s, {self.count} were started")
            time.sleep(0.05)

    def list_seconds(self):
        """Time from the start of a new operator until it has printed the complete list."""
        environment = dict(os.environ, ISPY_PASSWORD="pass")
        result = run(
            [f"{self.options.bin}/ispy", "devices", "--json", "--connect", self.address, "--trust",
             f"{self.data}/trust.pem", "--user", "root.cafenet"], environment)
        listed = result.output.count('"load')
        if listed < self.count:
            raise BenchError(f"ispy devices lists {listed} of {self.count} devices")
        return result.seconds

    def measure(self):
        """One row of the table."""
        status = self.status()
        time.sleep(5)
        before = cpu_seconds(self.frank.pid)
        time.sleep(self.options.idle)
        idle = (cpu_seconds(self.frank.pid) - before) / self.options.idle
        resident = resident_bytes(self.frank.pid)
        lists = sorted(self.list_seconds() for _ in range(5))
        killed, stopped = self.halves
        os.kill(killed.pid, signal.SIGKILL)
        after_end = self.wait_for_devices(lambda present: present <= self.count - self.count // 2, 60)
        os.kill(stopped.pid, signal.SIGSTOP)
        after_silence = self.wait_for_devices(lambda present: present == 0, 2 * SILENCE_SECONDS)
        return {
            "what": "crowd", "devices": self.count, "blocks": status["blocks"],
            "blockMegabytes": round(status["blockBytes"] / 1e6, 1),
            "residentMegabytes": round(resident / 1e6, 1), "emptyMegabytes": round(self.empty / 1e6, 1),
            "kilobytesPerDevice": round((resident - self.empty) / 1e3 / self.count, 1),
            "idlePercent": round(idle * 100, 2), "loginSeconds": round(self.login_seconds, 1),
            "listSeconds": round(lists[len(lists) // 2], 3), "goneAfterEndSeconds": round(after_end, 2),
            "goneAfterSilenceSeconds": round(after_silence, 1)}

    def stop(self):
        for half in self.halves:
            if half.process.poll() is None:
                half.process.kill()
                half.process.wait()
        self.frank.stop()


def table_line(row):
    """One measured object as a line for people."""
    if row["what"] == "machine":
        return f"{row['cores']} cores, {row['cpu']}, Linux {row['kernel']}, load {row['load']} at the start\n"
    return (
        f"{row['devices']:6} devices  {row['residentMegabytes']:7.1f} MB ({row['kilobytesPerDevice']:.1f} kB each)  "
        f"idle {row['idlePercent']:5.2f} %  list {row['listSeconds'] * 1000:6.0f} ms  "
        f"gone {row['goneAfterEndSeconds']:.2f} s after the end, {row['goneAfterSilenceSeconds']:.1f} s after silence  "
        f"all logged in after {row['loginSeconds']:.0f} s")


def main():
    parser = argparse.ArgumentParser(
        prog="scripts/bench devices", description="Measures frank with many devices over TLS.")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")
    parser.add_argument(
        "--count", type=int, action="append", dest="counts", metavar="N", help="devices, may be repeated (100, 1000, 5000)")
    parser.add_argument("--ring", type=int, default=1024, help="ring of each device, bytes (1024)")
    parser.add_argument("--idle", type=int, default=20, help="seconds of idleness that are measured (20)")
    parser.add_argument("--bin", required=True, help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.counts = options.counts or [100, 1000, 5000]
    if min(options.counts) < 2 or options.idle < 1:
        parser.error("--count takes 2 and more, --idle 1 and more")
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
    with tempfile.TemporaryDirectory(prefix="iocom-bench-") as place:
        try:
            with open(os.open(f"{place}/device-password", os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
                file.write("secret of load")
            frank = f"{options.bin}/frank"
            run([frank, "init", "--data", f"{place}/frank", "--publish", "cafenet", "--demo"])
            run([frank, "accounts", "add", "load*", "--data", f"{place}/frank",
                 "--password-file", f"{place}/device-password"])
            rows = [machine()]
            print(json.dumps(rows[0]) if options.json else table_line(rows[0]), flush=True)
            for count in options.counts:
                say(f"{count} devices …")
                crowd = Crowd(options, place, count)
                try:
                    row = crowd.measure()
                finally:
                    crowd.stop()
                print(json.dumps(row) if options.json else table_line(row), flush=True)
        except BenchError as error:
            say(f"bench: {error}")
            return 1
        except KeyboardInterrupt:
            return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
