"""Tries the boards in QEMU with the program `hello`: drivers, flash, boot loader, watchdog. Run by `scripts/firmware check`.

    boards.py ELF_FOLDER FLASH_A FLASH_HANG HELLO_IMAGE

Exit status 0 when everything is as it should be; the first thing that is not ends it with 1.
"""

import os
import random
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import zlib


class Failure(Exception):
    pass


def expect(condition, text):
    if not condition:
        raise Failure(text)


class Board:
    """A QEMU whose serial line is a socket."""

    def __init__(self, folder, arguments):
        self.arguments = arguments
        self.path = os.path.join(folder, "line")
        self.log = open(os.path.join(folder, "boot.log"), "ab+")
        self.start()

    def start(self):
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.process = subprocess.Popen(
            self.arguments
            + ["-display", "none", "-monitor", "none", "-serial", f"unix:{self.path},server=on,wait=on"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        self.line = socket.socket(socket.AF_UNIX)
        end = time.monotonic() + 20
        while True:
            try:
                self.line.connect(self.path)
                break
            except OSError:
                expect(self.process.poll() is None and time.monotonic() < end, "QEMU does not start: " + self.text())
                time.sleep(0.02)
        self.line.settimeout(20)

    def kill(self):
        self.line.close()
        self.process.kill()
        self.process.wait()

    def text(self):
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    def send(self, letter, *numbers, data=b""):
        self.line.sendall(letter.encode() + b"".join(struct.pack("<I", n) for n in numbers) + data)

    def read(self, count):
        got = b""
        while len(got) < count:
            try:
                more = self.line.recv(count - len(got))
            except TimeoutError:
                raise Failure(f"{len(got)} of {count} bytes came in 20 s; boot log:\n{self.text()}") from None
            expect(more, "QEMU closed the line: " + self.text())
            got += more
        return got

    def words(self, count):
        return struct.unpack(f"<{count}I", self.read(4 * count))

    def report(self, wait=20):
        """Slot, on trial, cause, starts: asked again and again, for what is said to a board that restarts is lost."""
        end = time.monotonic() + wait
        self.line.settimeout(0.3)
        got = b""
        while time.monotonic() < end:
            self.send("b")
            try:
                while len(got) < 16:
                    got += self.line.recv(64)
                # What else was asked is answered as well.
                try:
                    while self.line.recv(64):
                        pass
                except TimeoutError:
                    pass
                self.line.settimeout(20)
                return struct.unpack("<4I", got[:16])
            except TimeoutError:
                got = b""
        raise Failure(f"no answer in {wait} s; boot log:\n{self.text()}")

    def cpu(self):
        fields = open(f"/proc/{self.process.pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def lines(board, name):
    # What comes before the program has turned its serial line on is lost.
    board.report()
    data = random.Random(name).randbytes(65536)
    board.send("e", len(data))
    start = time.monotonic()
    board.line.setblocking(False)
    sent, got = 0, bytearray()
    while len(got) < len(data):
        readable, writable, _ = select.select([board.line], [board.line] if sent < len(data) else [], [], 20)
        expect(readable or writable, f"{name}: the echo stopped after {len(got)} bytes")
        if writable:
            sent += board.line.send(data[sent : sent + 4096])
        if readable:
            got += board.line.recv(65536)
    board.line.settimeout(20)
    expect(bytes(got) == data, f"{name}: what came back differs")
    taken = time.monotonic() - start
    board.send("c")
    count, first = board.words(2)
    expect(count == len(data), f"{name}: the program counted {count} bytes")
    before, begin = board.cpu(), time.monotonic()
    time.sleep(2)
    busy = (board.cpu() - before) / (time.monotonic() - begin)
    board.send("c")
    _, second = board.words(2)
    expect(1900 <= second - first <= 4000, f"{name}: {second - first} ms went by in 2 s")
    expect(busy < 0.15, f"{name}: an idle board takes {busy:.0%} of a processor")
    board.send("m")
    requests, refused, used, peak, stack = board.words(5)
    expect(requests >= 2000 and refused == 0 and used == 0, f"{name}: memory {requests}, {refused}, {used}")
    print(f"{name}: 64 KiB came back in {taken:.1f} s, idle {busy:.1%} of a processor, {requests} requests for memory,"
          f" {used} bytes in use, at most {peak}; stack {stack}")


def flash_survives(board):
    unit = 256 << 10
    random_bytes = random.Random(7)
    for turn in range(3):
        place = random_bytes.randrange(4) * unit
        board.send("x", place)
        expect(board.read(1) == b"\0", "a unit can't be erased")
        board.send("r", place, 256)
        expect(board.read(256) == b"\xff" * 256, "an erased unit is not blank")
        written = {}
        for _ in range(20):
            at = place + random_bytes.randrange(unit // 256) * 256
            if at in written:
                continue
            data = random_bytes.randbytes(256)
            board.send("w", at, len(data), data=data)
            expect(board.read(1) == b"\0", f"{at} can't be written")
            written[at] = data
        # Bits can't be cleared twice.
        at, data = next(iter(written.items()))
        board.send("w", at, 4, data=bytes(b ^ 0xFF for b in data[:4]))
        expect(board.read(1) == b"\1", "a place was written twice")
        board.kill()
        board.start()
        board.report()
        for at, data in written.items():
            board.send("r", at, 256)
            expect(board.read(256) == data, f"what was written at {at} is not there after kill -9")
    print("virt: 3 times erased, written, killed (kill -9): everything written was there")


def restarts(board):
    slot, trial, cause, starts = board.report()
    expect((slot, trial) == (0, 0), f"slot {slot}, trial {trial}")
    for letter, wanted, text in (("z", 1, "asked"), ("t", 3, "crash"), ("o", 3, "stack overflow"), ("h", 2, "watchdog")):
        board.send(letter)
        begin = time.monotonic()
        # The old program can't answer any more: all but a wanted restart are noticed by the boot loader.
        time.sleep(0.1)
        slot, trial, cause, again = board.report(wait=40)
        expect(cause == wanted, f"after '{text}' the cause is {cause}, not {wanted}")
        expect(again == starts + 1, f"after '{text}' there were {again - starts} starts")
        starts = again
        print(f"virt: {text}: back after {time.monotonic() - begin:.1f} s, the cause is known")


def trials(board, flash, hello, hang):
    """A program on trial that is good, and one that hangs."""

    def put(image, place):
        with open(flash, "r+b") as file:
            file.seek(place)
            file.write(b"\xff" * (1 << 20))
            file.seek(place)
            file.write(open(image, "rb").read())

    def record(boot, first, second, one, two):
        body = struct.pack("<IIBBBB", 0x544F4C53, 1000, boot, first, second, 0) + one + two
        body = body.ljust(92, b"\0")
        with open(flash, "r+b") as file:
            file.write(b"\xff" * (512 << 10))
            file.seek(0)
            file.write(body + struct.pack("<I", zlib.crc32(body)))

    def digest(image):
        return open(image, "rb").read()[-32:]

    board.kill()
    put(hello, 1 << 20)
    put(hello, 2 << 20)
    record(1, 3, 1, digest(hello), digest(hello))
    board.start()
    expect(board.report()[:2] == (1, 1), "a new program in slot B is not started on trial")
    board.kill()
    board.start()
    expect(board.report()[:2] == (0, 0), "a program without proof is started again")
    print("virt: a trial that loses power is over: slot A")

    board.kill()
    record(1, 3, 1, digest(hello), digest(hello))
    board.start()
    expect(board.report()[:2] == (1, 1), "a new program in slot B is not started on trial")
    board.send("v")
    expect(board.read(1) == b"\0", "the program can't say that it has proved itself")
    board.kill()
    board.start()
    expect(board.report()[:2] == (1, 0), "a program that proved itself is not started")
    print("virt: a program that proved itself stays: slot B")

    board.kill()
    put(hang, 1 << 20)
    record(0, 1, 3, digest(hang), digest(hello))
    board.start()
    begin = time.monotonic()
    expect(board.report(wait=40)[:3] == (1, 0, 2), "the boot loader did not leave a program that hangs")
    print(f"virt: a program that hangs at its start is left after {time.monotonic() - begin:.1f} s: slot B")

    board.kill()
    with open(flash, "r+b") as file:
        for place in (1 << 20, 2 << 20):
            file.seek(place + 0x400)
            byte = file.read(1)[0]
            file.seek(place + 0x400)
            file.write(bytes([byte ^ 0xFF]))
    board.start()
    expect(board.read(20).startswith(b"boot: there is no pr"), "nothing is said when nothing can be started")
    busy = board.cpu()
    time.sleep(2)
    expect(board.cpu() - busy < 0.3, "a board without a program burns the processor")
    print("virt: without a whole program the boot loader says so and sleeps")


def main():
    elves, flash, hang, hello = sys.argv[1:5]
    with tempfile.TemporaryDirectory() as folder:
        board = None
        try:
            os.mkdir(os.path.join(folder, "n"))
            board = Board(
                os.path.join(folder, "n"),
                ["qemu-system-arm", "-M", "netduinoplus2", "-kernel", f"{elves}/hello-netduino.elf"])
            lines(board, "netduinoplus2")
            board.kill()
            os.mkdir(os.path.join(folder, "v"))
            copy = os.path.join(folder, "flash")
            with open(flash, "rb") as source, open(copy, "wb") as to:
                to.write(source.read())
            board = Board(
                os.path.join(folder, "v"),
                ["qemu-system-riscv32", "-M", "virt", "-bios", f"{elves}/boot-virt.elf",
                 "-drive", f"if=pflash,unit=1,format=raw,file={copy}",
                 "-semihosting-config", "enable=on,target=native"])
            board.report()
            lines(board, "virt")
            flash_survives(board)
            restarts(board)
            trials(board, copy, hello, hang)
        except Failure as failure:
            print(f"boards: {failure}", file=sys.stderr)
            return 1
        finally:
            if board and board.process.poll() is None:
                board.process.kill()
                board.process.wait()
    return 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    sys.exit(main())
