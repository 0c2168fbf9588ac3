"""Speed, CPU time and memory of an upload through frank, beside an HTTPS upload; see scripts/bench."""

import argparse
import filecmp
import json
import os
import shutil
import signal
import statistics
import sys
import tempfile

from https import Nginx
from processes import BenchError, Service, cpu_seconds, peak_bytes, run

MIB = 1 << 20
BLOCK = 14
# A ring so small that a run takes longer than this is not measured again.
LONG_RUN_SECONDS = 30
DEVICE = "candy3.cafenet"


def say(text):
    print(text, file=sys.stderr, flush=True)


class Network:
    """One frank and one candy with rings of `ring` bytes, over one transport."""

    def __init__(self, options, place, transport, ring):
        self.options = options
        self.data = tempfile.mkdtemp(prefix=f"candy-{transport}-{ring}-", dir=place)
        self.server_data = f"{place}/frank"
        self.frank = Service(
            "frank", [f"{options.bin}/frank", "run", "--data", self.server_data, "--listen", f"{transport}://127.0.0.1:0"],
            f"{self.data}/frank.log")
        self.candy = None
        try:
            self.address = self.frank.wait_for(rf"listening on ({transport}://\S+)")
            self.candy = Service(
                "candy", [
                    f"{options.bin}/candy", "run", "--connect", self.address, "--trust", f"{self.server_data}/trust.pem",
                    "--data", f"{self.data}/candy", "--hardware", "linux", "--number", "3", "--ring", str(ring),
                    "--password-file", f"{place}/device-password"],
                f"{self.data}/candy.log")
            self.candy.wait_for(r"(: connected)")
        except BaseException:
            self.stop()
            raise

    def ispy(self, *arguments):
        environment = dict(os.environ, ISPY_PASSWORD="pass")
        return run(
            [f"{self.options.bin}/ispy", *arguments, "--connect", self.address,
             "--trust", f"{self.server_data}/trust.pem", "--user", "root.cafenet"], environment)

    def upload(self, path):
        """Writes a file into the device; gives the measured values of one run."""
        before = [cpu_seconds(service.pid) for service in (self.frank, self.candy)]
        result = self.ispy("block", "write", DEVICE, str(BLOCK), path, "--json")
        after = [cpu_seconds(service.pid) for service in (self.frank, self.candy)]
        if not filecmp.cmp(path, f"{self.data}/candy/persistent-{BLOCK}.dat", shallow=False):
            raise BenchError("candy stored other bytes than ispy sent")
        return {
            "seconds": json.loads(result.output)["seconds"],
            "cpu": {"ispy": result.cpu, "frank": after[0] - before[0], "candy": after[1] - before[1]},
            "ispyPeak": result.peak_bytes,
        }

    def stop(self):
        for service in (self.candy, self.frank):
            if service:
                service.stop()
        shutil.rmtree(self.data)


def median_of(runs, size):
    """One row of the table from several runs."""
    names = runs[0]["cpu"]
    seconds = statistics.median(one["seconds"] for one in runs)
    return {
        "bytes": size,
        "runs": len(runs),
        "seconds": round(seconds, 3),
        "megabytesPerSecond": round(size / 1e6 / seconds, 2),
        "allMegabytesPerSecond": [round(size / 1e6 / one["seconds"], 2) for one in runs],
        "cpuSeconds": {name: round(statistics.median(one["cpu"][name] for one in runs), 2) for name in names},
    }


def measure_upload(options, place, transport, ring, path, size):
    network = Network(options, place, transport, ring)
    try:
        runs = []
        while len(runs) < options.runs:
            runs.append(network.upload(path))
            if runs[-1]["seconds"] > LONG_RUN_SECONDS:
                break
        row = {"what": "upload", "transport": transport, "ring": ring, **median_of(runs, size)}
        row["peakMegabytes"] = {
            "ispy": round(max(one["ispyPeak"] for one in runs) / 1e6, 1),
            "frank": round(peak_bytes(network.frank.pid) / 1e6, 1),
            "candy": round(peak_bytes(network.candy.pid) / 1e6, 1),
        }
        return row
    finally:
        network.stop()


def measure_list(options, place, transport):
    """Time from the start of `ispy devices` to the list, and what the parts cost."""
    network = Network(options, place, transport, 65536)
    try:
        runs = []
        for _ in range(max(5, options.runs)):
            before = cpu_seconds(network.frank.pid)
            result = network.ispy("devices", "--json")
            if DEVICE not in result.output:
                raise BenchError(f"ispy devices does not list {DEVICE}: {result.output}")
            runs.append({"seconds": result.first_output, "cpu": {
                "ispy": result.cpu, "frank": cpu_seconds(network.frank.pid) - before}})
        return {
            "what": "devices", "transport": transport, "runs": len(runs),
            "seconds": round(statistics.median(one["seconds"] for one in runs), 3),
            "cpuSeconds": {
                name: round(statistics.median(one["cpu"][name] for one in runs), 2) for name in ("ispy", "frank")},
        }
    finally:
        network.stop()


def measure_https(options, place, path, size):
    nginx = Nginx(tempfile.mkdtemp(prefix="nginx-", dir=place))
    try:
        runs = []
        for _ in range(options.runs):
            before = cpu_seconds(nginx.worker)
            result = nginx.put(path, "upload.bin")
            if not filecmp.cmp(path, f"{nginx.files}/upload.bin", shallow=False):
                raise BenchError("nginx stored other bytes than curl sent")
            runs.append({"seconds": result.seconds, "peak": result.peak_bytes, "cpu": {
                "curl": result.cpu, "nginx": cpu_seconds(nginx.worker) - before}})
            os.remove(f"{nginx.files}/upload.bin")
        row = {"what": "https", "transport": "https", "ring": None, **median_of(runs, size)}
        row["peakMegabytes"] = {
            "curl": round(max(one["peak"] for one in runs) / 1e6, 1),
            "nginx": round(peak_bytes(nginx.worker) / 1e6, 1)}
        return row
    finally:
        nginx.stop()


def machine():
    with open("/proc/cpuinfo") as file:
        names = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    return {
        "what": "machine", "cpu": names[0] if names else "unknown", "cores": len(os.sched_getaffinity(0)),
        "kernel": os.uname().release, "load": round(os.getloadavg()[0], 2)}


def make_file(path, size):
    """Random bytes, which no compression makes smaller."""
    with open(path, "wb") as file:
        for offset in range(0, size, MIB):
            file.write(os.urandom(min(MIB, size - offset)))


def measurements(options, place):
    """Yields one object for each line of the result."""
    path, size = f"{place}/upload.bin", options.size * MIB
    make_file(path, size)
    with open(os.open(f"{place}/device-password", os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
        file.write("secret of candy3")
    frank = f"{options.bin}/frank"
    run([frank, "init", "--data", f"{place}/frank", "--publish", "cafenet", "--demo"])
    run([frank, "accounts", "add", "candy3", "--data", f"{place}/frank", "--password-file", f"{place}/device-password"])
    yield machine()
    say("HTTPS with curl and nginx …")
    https = measure_https(options, place, path, size)
    yield https
    for transport in options.transports:
        say(f"ispy devices over {transport} …")
        yield measure_list(options, place, transport)
        for ring in options.rings:
            say(f"upload over {transport} with rings of {ring} bytes …")
            row = measure_upload(options, place, transport, ring, path, size)
            row["ratioToHTTPS"] = round(row["megabytesPerSecond"] / https["megabytesPerSecond"], 2)
            yield row


def columns(values):
    return "  ".join(f"{name} {value:g}" for name, value in values.items())


def table_line(row):
    """One measured object as a line for people; the columns have fixed widths, names stand beside the numbers."""
    if row["what"] == "machine":
        return f"{row['cores']} cores, {row['cpu']}, Linux {row['kernel']}, load {row['load']} at the start\n"
    cpu = columns(row["cpuSeconds"])
    if row["what"] == "devices":
        return f"{row['transport']:6} ispy devices        {row['seconds'] * 1000:6.0f} ms       CPU s: {cpu}"
    ratio = f"{row['ratioToHTTPS']:5.2f}" if "ratioToHTTPS" in row else "    1"
    ring = f"ring {row['ring']}" if row["ring"] else "curl to nginx"
    return (
        f"{row['transport']:6} {ring:16} {row['megabytesPerSecond']:8.2f} MB/s {ratio}  CPU s: {cpu:42} "
        f"peak MB: {columns(row['peakMegabytes'])}")


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__.split(";")[0] + ".")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")
    parser.add_argument("--size", type=int, default=64, metavar="MIB", help="size of the upload (64)")
    parser.add_argument("--runs", type=int, default=3, help="runs of each measurement; medians are printed (3)")
    parser.add_argument(
        "--ring", type=int, action="append", dest="rings", metavar="BYTES",
        help="ring size of candy, may be repeated (1024, 65536, 1048576, 4194304)")
    parser.add_argument(
        "--transport", choices=["tcp", "tls"], action="append", dest="transports", help="may be repeated (tcp, tls)")
    parser.add_argument(
        "--place", default="/dev/shm" if os.access("/dev/shm", os.W_OK) else None,
        help="folder for temporary files; the default lies in memory, so that no disk is measured")
    parser.add_argument("--bin", required=True, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.size < 1 or options.runs < 1:
        parser.error("--size and --runs take 1 and more")
    options.rings = options.rings or [1024, 65536, MIB, 4 * MIB]
    options.transports = options.transports or ["tcp", "tls"]
    # A terminated benchmark cleans up as an interrupted one does.
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
    with tempfile.TemporaryDirectory(prefix="iocom-bench-", dir=options.place) as place:
        try:
            for row in measurements(options, place):
                print(json.dumps(row) if options.json else table_line(row), flush=True)
        except BenchError as error:
            say(f"bench: {error}")
            return 1
        except KeyboardInterrupt:
            return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
