#!/usr/bin/env python3
"""Builds and reads announcements of servers independently of the Swift code, from the description in
application-layer.md 9.1 alone.

  announcements.py hear 4|6 ADDRESS SECONDS       one JSON object a line for each message; ADDRESS is of the interface
  announcements.py say 4|6 ADDRESS SECONDS TEXT TLS PLAIN   sends at once and every half second
  announcements.py junk 4|6 ADDRESS SECONDS       sends bad messages and floods of forged networks
  announcements.py fetch URL FILE                 an answer of ispy web, with the token in FILE
  announcements.py tls ADDRESS PORT CERTIFICATE KEY   a TLS server that writes what it is told
"""

import json
import random
import socket
import ssl
import struct
import sys
import time
import urllib.request

PORT = 6368
GROUPS = {"4": "239.63.68.63", "6": "ff08::ef3f:443f"}
HEADER = struct.Struct("<QBBHHHBBHHH")


def checksum(data):
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0xA001 if value & 1 else 0)
    return value


def build(text, tls, plain, counter, moment=None):
    body = text.encode() + b"\0"
    fields = [int(time.time() * 1e6) if moment is None else moment, 0xB3, 24, 0, tls, random.randrange(65536)]
    fields += [len(body), 0, plain, counter & 0xFFFF, 0]
    fields[3] = checksum(HEADER.pack(*fields) + body)
    return HEADER.pack(*fields) + body


def parse(data):
    """The fields of a message; an assertion fails for whatever is not as described."""
    assert len(data) > 24, "too short"
    fields = list(HEADER.unpack(data[:24]))
    moment, mark, header, given, tls, number, size, reserved1, plain, counter, reserved2 = fields
    assert mark == 0xB3 and header == 24, "mark or header size"
    assert reserved1 == 0 and reserved2 == 0, "reserved bytes"
    assert 1 <= size <= 120 and len(data) == 24 + size, "size of the text"
    fields[3] = 0
    assert checksum(HEADER.pack(*fields) + data[24:]) == given, "checksum"
    assert data[-1] == 0 and 0 not in data[24:-1], "NUL"
    nickname, *items = data[24:-1].decode("ascii").split(",")
    networks = []
    for item in items:
        marks, protocol, network = item.split(":")
        assert protocol == "i" and 0 < len(network) <= 23, "item"
        points = {}
        while marks:
            kind, marks = marks[0], marks[1:]
            digits = ""
            while marks and marks[0].isdigit():
                digits, marks = digits + marks[0], marks[1:]
            assert kind in "tsTS" and kind not in points, "mark"
            default = tls if kind in "tT" else plain
            assert digits == "" or int(digits) != default, "a port that the header has already"
            points[kind] = int(digits) if digits else default
            assert 0 < points[kind] < 65536, "port"
        networks.append({"network": network, "points": points})
    return {
        "time": moment, "counter": counter, "random": number, "nickname": nickname, "networks": networks, "tls": tls,
        "plain": plain,
    }


def index_of(address):
    """The number of the interface that has this IPv6 address."""
    packed = socket.inet_pton(socket.AF_INET6, address).hex()
    for line in open("/proc/net/if_inet6"):
        words = line.split()
        if words[0] == packed:
            return int(words[1], 16)
    raise SystemExit(f"no interface has {address}")


def hear(family, address, seconds):
    if family == "4":
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("", PORT))
        joining = socket.inet_aton(GROUPS["4"]) + socket.inet_aton(address)
        s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, joining)
        s.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTTL if hasattr(socket, "IP_RECVTTL") else 12, 1)
    else:
        s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        s.bind(("::", PORT))
        joining = socket.inet_pton(socket.AF_INET6, GROUPS["6"]) + struct.pack("@I", index_of(address))
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, joining)
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT, 1)
    end = time.monotonic() + seconds
    print(json.dumps({"event": "listening"}), flush=True)
    while (left := end - time.monotonic()) > 0:
        s.settimeout(left)
        try:
            data, ancillary, _, source = s.recvmsg(2048, 256)
        except TimeoutError:
            break
        hops = [struct.unpack("@i", value[:4])[0] for _, _, value in ancillary]
        line = {"event": "heard", "at": time.monotonic(), "from": source[0], "hops": hops, "bytes": data.hex()}
        try:
            line.update(parse(data))
        except (AssertionError, ValueError, UnicodeDecodeError) as error:
            line.update(event="bad", why=str(error))
        print(json.dumps(line), flush=True)


def sender(family, address):
    if family == "4":
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.bind((address, 0))
        s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(address))
    else:
        s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        index = index_of(address)
        s.bind((address, 0, 0, index if address.startswith("fe80") else 0))
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
    return lambda data: s.sendto(data, (GROUPS[family], PORT))


def say(family, address, seconds, text, tls, plain):
    send = sender(family, address)
    end = time.monotonic() + seconds
    counter = 0
    while time.monotonic() < end:
        send(build(text, tls, plain, counter))
        if counter == 0:
            print(json.dumps({"event": "said"}), flush=True)
        counter += 1
        time.sleep(0.5)


def junk(family, address, seconds):
    """Bytes by chance, good messages with a part changed, and networks that nobody has, a few thousand a second."""
    send = sender(family, address)
    chance = random.Random(6368)
    end = time.monotonic() + seconds
    sent = 0
    good = build("grumpy,t:i:cafenet", 6369, 0, 1)
    while time.monotonic() < end:
        changed = bytearray(good)
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
        for data in (
            chance.randbytes(chance.randrange(200)),
            bytes(changed),
            good[: chance.randrange(len(good))],
            good + chance.randbytes(1 + chance.randrange(1400)),
            build("\x1b[2J,t:i:cafenet", 6369, 0, 1),
            build("a,t:i:cafenet", 0, 0, 1),
            build("a,t:i:forged%d" % chance.randrange(10**9), 6369, 0, sent),
            build("b,t1:i:forged%d,t2:i:false%d" % (chance.randrange(10**9), sent), 6369, 0, sent),
        ):
            try:
                send(data)
                sent += 1
            except OSError:
                pass
        time.sleep(0.002)
    print(json.dumps({"event": "sent", "count": sent}), flush=True)


def tls(address, port, certificate, key):
    """Accepts connections; says how far each came and every byte that came over one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    listener = socket.create_server((address, port))
    print(json.dumps({"event": "listening", "port": listener.getsockname()[1]}), flush=True)
    while True:
        connection, _ = listener.accept()
        connection.settimeout(3)
        told = b""
        try:
            with context.wrap_socket(connection, server_side=True) as secure:
                # What a server of the original says first, so that a client that trusts it goes on.
                while piece := secure.recv(4096):
                    told += piece
            end = "closed"
        except (OSError, ssl.SSLError) as error:
            end = str(error)
        print(json.dumps({"event": "visit", "told": told.hex(), "end": end}), flush=True)


if __name__ == "__main__":
    command, *rest = sys.argv[1:]
    if command == "hear":
        hear(rest[0], rest[1], float(rest[2]))
    elif command == "say":
        say(rest[0], rest[1], float(rest[2]), rest[3], int(rest[4]), int(rest[5]))
    elif command == "junk":
        junk(rest[0], rest[1], float(rest[2]))
    elif command == "fetch":
        token = open(rest[1]).read().strip()
        request = urllib.request.Request(rest[0], headers={"Authorization": "Bearer " + token})
        print(urllib.request.urlopen(request, timeout=30).read().decode())
    elif command == "tls":
        tls(rest[0], int(rest[1]), rest[2], rest[3])
    else:
        raise SystemExit(__doc__)
