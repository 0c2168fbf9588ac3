"""Starts programs, waits for what they say, and measures what they cost. Linux only: reads /proc."""

import os
import re
import subprocess
import tempfile
import time

TICKS = os.sysconf("SC_CLK_TCK")


class BenchError(Exception):
    """Why the benchmark ends early, for people."""


def cpu_seconds(pid):
    """CPU seconds that a running process has used so far in all its threads."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def peak_bytes(pid):
    """Largest resident memory of a running process so far."""
    with open(f"/proc/{pid}/status") as status:
        return int(re.search(r"VmHWM:\s+(\d+) kB", status.read()).group(1)) * 1024


class Finished:
    """What one run of a program that ends by itself gave and cost."""

    def __init__(self, output, seconds, first_output, usage):
        self.output = output
        self.seconds = seconds
        # Time from the start to the first byte of output; None without output.
        self.first_output = first_output
        self.cpu = usage.ru_utime + usage.ru_stime
        self.peak_bytes = usage.ru_maxrss * 1024


def run(command, environment=None):
    """Runs a command to its end and measures it; anything but exit code 0 ends the benchmark."""
    # What it says on standard error goes to a file, so that a program that says much is not held up.
    with tempfile.TemporaryFile() as errors:
        start = time.monotonic()
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, env=environment)
        first, parts = None, []
        while part := os.read(process.stdout.fileno(), 65536):
            first = first or time.monotonic() - start
            parts.append(part)
        # wait4 gives the cost of this one child. Its peak memory counts from before exec, when the child still was this
        # small Python; every program measured here is larger.
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        process.stdout.close()
        seconds = time.monotonic() - start
        output = b"".join(parts).decode(errors="replace")
        if process.returncode != 0:
            errors.seek(0)
            said = errors.read().decode(errors="replace") + output
            raise BenchError(f"{' '.join(command[:3])} … ended with {process.returncode}: {said.strip()[-2000:]}")
        return Finished(output, seconds, first, usage)


class Service:
    """A program that runs until it is stopped; its output goes to a log file."""

    def __init__(self, name, command, log_path, environment=None):
        self.name = name
        self.log_path = log_path
        with open(log_path, "wb") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=environment)

    @property
    def pid(self):
        return self.process.pid

    def wait_for(self, pattern, seconds=30):
        """Waits until `pattern` was said; gives its first group."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if found := re.search(pattern, self.log()):
                return found.group(found.re.groups)
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise BenchError(f"{self.name} did not say '{pattern}' within {seconds} s; it said:\n{self.log()[-2000:]}")

    def log(self):
        with open(self.log_path, errors="replace") as log:
            return log.read()

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
