"""Makes ESP program images from an ELF file of our own, with esptool. Started by scripts/make-esp-image.

Start of the data segment (DROM), where the boot loader and `esptool image-info` look for it:

    offset 0    esp_app_desc_t, 256 bytes (ESP-IDF, esp_app_format: esp_app_desc.h)
    offset 256  behaviour record, 32 bytes: "CNDY", record version 1, selfTest (0 pass, 1 fail, 2 hang),
                connect (0 normal, 1 never), boot (0 normal, 1 crash), 24 zero bytes
    offset 288  filler

The behaviour record is ours: the emulated device reads it to know how the program behaves once it runs.
"""

import argparse
import hashlib
import os
import re
import struct
import subprocess
import sys
import tempfile

# Addresses of the chips' memories (ESP-IDF memory maps; +0x20 because image and segment header fill the first
# 32 bytes of the flash page that is mapped there), and an endless loop in the chip's own machine code.
CHIPS = {
    "esp32": {"drom": 0x3F400020, "iram": 0x40080000, "dram": 0x3FFB0000, "machine": 94,
              "loop": bytes.fromhex("06ffff"), "freq": "40m"},       # Xtensa: j .
    "esp32c3": {"drom": 0x3C000020, "iram": 0x40380000, "dram": 0x3FC80000, "machine": 243,
                "loop": bytes.fromhex("6f000000"), "freq": "80m"},   # RISC-V: j .
}
SELF_TEST = {"pass": 0, "fail": 1, "hang": 2}
CONNECT = {"normal": 0, "never": 1}
BOOT = {"normal": 0, "crash": 1}
# The mapped data window of the classic ESP32 is 4 MiB.
LARGEST_FILLER = 4 * 1024 * 1024 - 64 * 1024
# Image header 24, segment header 8, descriptor fields before app_elf_sha256: 144.
ELF_SHA_OFFSET = 24 + 8 + 144
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


class Failure(Exception):
    """What went wrong, for people."""


def field(text, size):
    """`text` as a field of `size` bytes with a closing zero."""
    data = text.encode()
    if not data or len(data) >= size:
        raise Failure(f"'{text}' does not fit: 1 to {size - 1} bytes of UTF-8 are possible")
    return data.ljust(size, b"\0")


def build_time(version):
    """Time and date texts as the compiler writes them, taken from the version so that images are reproducible."""
    match = re.fullmatch(r"(\d\d)(\d\d)(\d\d)-(\d\d)(\d\d)", version)
    if match and 1 <= int(match[2]) <= 12:
        year, month, day, hour, minute = (int(part) for part in match.groups())
        return f"{hour:02}:{minute:02}:00", f"{MONTHS[month - 1]} {day:2} {2000 + year}"
    return "00:00:00", "Jan  1 2000"


def descriptor(project, version):
    """The 256 bytes of esp_app_desc_t; esptool fills in the hash of the ELF file."""
    time, date = build_time(version)
    return struct.pack(
        "<III4x32s32s16s16s32s32s80x", 0xABCD5432, 0, 0, field(version, 32), field(project, 32),
        field(time, 16), field(date, 16), field("iocom-test", 32), b"")


def record(self_test, connect, boot):
    """The 32 bytes that say how the program behaves."""
    return struct.pack("<4sBBBB24x", b"CNDY", 1, SELF_TEST[self_test], CONNECT[connect], BOOT[boot])


def filler(arguments):
    """Bytes without pattern that differ from image to image and never from run to run."""
    seed = f"{arguments.chip}/{arguments.project}/{arguments.version}".encode()
    return hashlib.shake_256(seed).digest(arguments.size)


def run(command, folder):
    """Runs a tool in `folder`; its output is shown when it fails only."""
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise Failure(f"{os.path.basename(command[0])} failed:\n{done.stdout}")
    return done.stdout


def esptool(folder, *arguments):
    """Runs esptool from the environment of this Python."""
    return run([sys.executable, "-m", "esptool", *arguments], folder)


def make(arguments, output):
    """Writes the image that `arguments` describe to the file `output`."""
    chip = CHIPS[arguments.chip]
    data = descriptor(arguments.project, arguments.version)
    data += record(arguments.self_test, arguments.connect, arguments.boot) + filler(arguments)
    with tempfile.TemporaryDirectory() as folder:
        def write(name, content):
            with open(os.path.join(folder, name), "wb") as file:
                file.write(content)

        write("drom.bin", data)
        write("loop.bin", chip["loop"].ljust(4, b"\0"))
        # The section name .flash.appdesc makes esptool put the descriptor first in the image.
        write("image.s", b"""
            .section .flash.appdesc, "a"
            .incbin "drom.bin"
            .balign 4
            .section .iram0.text, "ax"
            .globl start
            start: .incbin "loop.bin"
            .section .dram0.data, "aw"
            .word 0x59444e43
        """)
        write("image.ld", f"""
            ENTRY(start)
            SECTIONS {{
                .flash.appdesc {chip["drom"]:#x} : {{ *(.flash.appdesc) }}
                .iram0.text {chip["iram"]:#x} : {{ *(.iram0.text) }}
                .dram0.data {chip["dram"]:#x} : {{ *(.dram0.data) }}
                /DISCARD/ : {{ *(.text) *(.data) *(.bss) *(.riscv.attributes) *(.comment) }}
            }}
        """.encode())
        tool = lambda name: os.path.join(arguments.toolchain, name)
        run([tool("clang"), "-target", "riscv32-none-elf", "-march=rv32imc", "-c", "image.s", "-o", "image.o"], folder)
        run([tool("ld.lld"), "-T", "image.ld", "image.o", "-o", "image.elf"], folder)
        # lld cannot link for Xtensa; nothing but data and the loop is inside, so naming the machine suffices.
        with open(os.path.join(folder, "image.elf"), "r+b") as elf:
            elf.seek(18)
            elf.write(struct.pack("<H", chip["machine"]))
        esptool(folder, "--chip", arguments.chip, "elf2image", "--flash-mode", "dio", "--flash-freq", chip["freq"],
                "--flash-size", "4MB", "--elf-sha256-offset", hex(ELF_SHA_OFFSET), "-o", "image.bin", "image.elf")
        with open(os.path.join(folder, "image.bin"), "rb") as file:
            image = file.read()
    part = f"{output}.{os.getpid()}.part"
    try:
        with open(part, "wb") as file:
            file.write(image)
        os.replace(part, output)
    except BaseException:
        if os.path.exists(part):
            os.remove(part)
        raise
    return image


def expect(holds, what):
    if not holds:
        raise Failure(f"check failed: {what}")


def check(parser, toolchain):
    """Builds images of each kind and has them checked by esptool and byte by byte."""
    def image(folder, *options):
        arguments = parser.parse_args(["--toolchain", toolchain, *options, "OUT"])
        return make(arguments, os.path.join(folder, "out.bin"))

    with tempfile.TemporaryDirectory() as folder:
        for chip, number in (("esp32", 0), ("esp32c3", 5)):
            base = ["--chip", chip, "--project", "candy", "--version", "261124-1200"]
            first = image(folder, *base)
            text = esptool(folder, "image-info", "out.bin")
            for line in (r"Project name: +candy", r"App version: +261124-1200", r"Compile time: +Nov 24 2026 12:00:00",
                         r"Checksum: \S+ \(valid\)", r"Validation hash: \S+ \(valid\)"):
                expect(re.search(line, text), f"{chip}: image-info shows no line '{line}' in:\n{text}")
            expect(first[0] == 0xE9 and first[12] == number, f"{chip}: magic and chip number")
            expect(first[32:36] == bytes.fromhex("3254cdab"), f"{chip}: the descriptor comes first")
            expect(first[288:320] == b"CNDY\1\0\0\0" + bytes(24), f"{chip}: the record follows the descriptor")
            expect(any(first[ELF_SHA_OFFSET:ELF_SHA_OFFSET + 32]), f"{chip}: the hash of the ELF file is filled in")
            expect(image(folder, *base) == first, f"{chip}: the same arguments give the same image")
            second = image(folder, *base[:-1], "261124-1201")
            equal = sum(a == b for a, b in zip(first[320:], second[320:]))
            expect(equal < len(first) // 50, f"{chip}: images of two versions differ")
            odd = image(folder, *base, "--size", "1001", "--self-test", "hang", "--connect", "never", "--boot", "crash")
            expect(odd[288:320] == b"CNDY\1\2\1\1" + bytes(24), f"{chip}: the record holds the wishes")
            esptool(folder, "image-info", "out.bin")
            expect(0 <= len(odd) - 1001 < 512, f"{chip}: an image of 1,001 bytes has {len(odd)}")
            # The check must be able to fail: one damaged bit is seen by the same tool.
            with open(os.path.join(folder, "bad.bin"), "wb") as file:
                file.write(first[:5000] + bytes([first[5000] ^ 1]) + first[5001:])
            try:
                text = esptool(folder, "image-info", "bad.bin")
            except Failure as failure:
                text = str(failure)
            expect("invalid" in text.lower(), f"{chip}: esptool sees a damaged bit")
            print(f"make-esp-image: {chip}: {len(first)} bytes, accepted by esptool, reproducible")


def main():
    parser = argparse.ArgumentParser(prog="make-esp-image", allow_abbrev=False)
    parser.add_argument("--toolchain", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--chip", choices=CHIPS, required=True)
    parser.add_argument("--project", default="candy")
    parser.add_argument("--version", required=True)
    parser.add_argument("--size", type=int, default=65536, help="bytes of filler (default 65536)")
    parser.add_argument("--self-test", choices=SELF_TEST, default="pass")
    parser.add_argument("--connect", choices=CONNECT, default="normal")
    parser.add_argument("--boot", choices=BOOT, default="normal")
    parser.add_argument("output", metavar="OUT.bin")
    try:
        if sys.argv[3:] == ["--check"]:
            check(parser, sys.argv[2])
            return 0
        arguments = parser.parse_args()
        if not 0 <= arguments.size <= LARGEST_FILLER:
            parser.error(f"--size: 0 to {LARGEST_FILLER} bytes fit into the chip's data window")
        image = make(arguments, arguments.output)
        print(f"make-esp-image: {arguments.output}: {len(image)} bytes, {arguments.project} {arguments.version} "
              f"for {arguments.chip}")
        return 0
    except (Failure, OSError) as failure:
        print(f"make-esp-image: {failure}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
