"""What the attacks share: an attacker who keeps no rule it does not want to keep, and honest eyes that look on.

The independent peer is the library. A script of attacks calls run() with its attacks by name; each is a coroutine that
gets the options and returns what happened as an object, which is printed as JSON.
"""
import argparse
import asyncio
import json
import os

from iocom_peer import device as devices
from iocom_peer import pjson
from iocom_peer.link import Log, Receiver, Side
from iocom_peer.operator import Operator, SessionError
from iocom_peer.peer import Url, tls_context
from iocom_peer.wire import (AUTH_BIDIR, AUTH_UP, B_BIDIR, B_DOWN, B_STATIC, B_UP, F_SYNC, F_SYSTEM, FRAME_SIZE,
                             LAST_FRAME_NR, WireError, ack_bytes, encode_auth, encode_frame, encode_info,
                             encode_remove, handshake_bytes)

OWN, OTHER = 'cafenet', 'asteroidnet'
VICTIM = 'candy3.cafenet'
THIEF = 'thief1.cafenet'


class Raw:
    """A connection over TLS on which anything can be sent at any time. What comes is read and acknowledged."""

    def __init__(self, options, source=None):
        self.options, self.source = options, source
        self.number = 0
        self.out = bytearray()
        self.events = []
        self.closed = asyncio.Event()
        self.rx = Receiver(Side('peer', False), Side('own', True), Log(), tls=True, live=True)

    async def open(self):
        url = Url(self.options.tls)
        self.reader, self.writer = await asyncio.open_connection(
            url.host, url.port, ssl=tls_context(self.options.ca), server_hostname=url.host,
            local_addr=(self.source, 0) if self.source else None)
        self.rx.feed(await self.reader.readexactly(1), 0.0)
        self.writer.write(handshake_bytes(OWN) + ack_bytes(0))
        self.task = asyncio.ensure_future(self._read())
        return self

    async def _read(self):
        try:
            while data := await self.reader.read(65536):
                self.events.extend(e for e in self.rx.feed(data, 0.0) if e[0] != 'ack')
                self.writer.write(ack_bytes(self.rx.s.sent))
        except (OSError, WireError):
            pass
        self.closed.set()

    def send(self, flags, mid, addr, payload):
        """One frame, whatever the window says."""
        if not self.out:
            asyncio.get_running_loop().call_soon(self._flush)
        self.out += encode_frame(self.number, flags, mid, addr, payload)
        self.number = 1 if self.number == LAST_FRAME_NR else self.number + 1

    def _flush(self):
        if self.out and not self.writer.is_closing():
            self.writer.write(self.out)
        self.out = bytearray()

    def authenticate(self, user, number, network, password, flags, uid=None):
        self.send(F_SYSTEM, FRAME_SIZE, 0, encode_auth(flags, user, number, network, password, uid))

    def tell(self, mid, block, device, number, network, size=64, flags=B_UP | B_BIDIR):
        """Block info."""
        self.send(F_SYSTEM, mid, 0, encode_info(number, size, flags, device, network, block))

    def remove(self, ids):
        self.send(F_SYSTEM, len(ids), 0, encode_remove(ids))

    async def drain(self):
        """Waits until all is with the system; false when the other side is gone."""
        self._flush()
        try:
            await self.writer.drain()
            return not self.closed.is_set()
        except OSError:
            return False

    async def has_ended(self, seconds):
        try:
            await asyncio.wait_for(self.closed.wait(), seconds)
            return True
        except asyncio.TimeoutError:
            return False

    def told(self):
        """Paths of the blocks that the server told of."""
        return [e[1].path for e in self.events if e[0] == 'info']

    def close(self):
        self.writer.close()


async def as_device(options, user='thief', number=1, network=OWN, password=None, uid=None, flags=0):
    """Logs in as a device and waits for the server's authentication; the decision may still be due."""
    raw = await Raw(options).open()
    await wait_for(lambda: any(e[0] == 'auth' for e in raw.events), 5)
    raw.authenticate(user, number, network, options.thief if password is None else password, AUTH_UP | flags, uid)
    await raw.drain()
    return raw


async def as_operator(options, role, network=OWN):
    """An operator's session of the role, with what it sees."""
    session = await Operator(options.tls, user=f'{role}.{network}', password=options.password, ca=options.ca).open()
    await session.settle()
    return session


class Unit:
    """A device of the independent peer that lives until it is stopped and comes back when its connection is lost."""

    def __init__(self, options, name, number, network=OWN, password=None, uid=None, store=None, ring=1025):
        self.device = devices.Device(options.tls, name, number, network,
                                     password=options.password if password is None else password, ca=options.ca,
                                     store=store, ring=ring)
        self.uid = uid
        self.connections = 0
        self.task = asyncio.ensure_future(self._live())

    async def _live(self):
        while True:
            try:
                await self.connect()
                self.connections += 1
                await self.device.serve()
            except (OSError, asyncio.TimeoutError):
                pass
            await asyncio.sleep(0.3)

    async def connect(self):
        """As the library's, with the unique id."""
        device, args = self.device, dict(self.device.args)
        args['uid'] = self.uid
        device.conn = devices.Connection(
            device.node, device.url, args.pop('user'), args.pop('nr'), args.pop('network'), args.pop('password'),
            bidir=False, on_event=device._event, **args)
        device._make_streams()
        await device.conn.open(device.ca, 10)

    @property
    def is_bound(self):
        """The server answered its blocks."""
        return self.device.conn is not None and self.device.conn.closed is None and bool(self.device.conn.sources)

    def value(self, signal, block='imp'):
        s = self.device.dirs[block][signal]
        s.block = self.device.b[block]
        return s.get()

    def stop(self):
        self.task.cancel()
        if self.device.conn:
            self.device.conn.abort()


async def wait_for(condition, seconds=8.0):
    end = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < end:
        if condition():
            return True
        await asyncio.sleep(0.05)
    return bool(condition())


async def observed(options):
    """Blocks by device, all networks, as an operator of the plain port sees them: {device: [blocks]}."""
    session = await Operator(options.tcp).open()
    await session.settle()
    found = {device: sorted(blocks) for device, blocks in session.infos.items()}
    await session.close()
    return found


async def try_read(session, device, number, limit=8):
    """The bytes of a persistent block, or None."""
    try:
        result, data = await session.read_block(device, number, limit=limit)
        return data if result['ok'] or data else None
    except SessionError:
        return None


async def try_write(session, device, number, data, limit=8):
    try:
        return await session.write_block(device, number, data, limit=limit, status_wait=3)
    except SessionError as e:
        return {'ok': False, 'reason': str(e)}


def run(attacks):
    """The program: options, an attack, its facts on standard output."""
    parser = argparse.ArgumentParser()
    parser.add_argument('attack', choices=sorted(attacks))
    for name in ['--tls', '--tcp', '--ca', '--password-file', '--thief-file']:
        parser.add_argument(name, required=True)
    parser.add_argument('--server', type=int, default=0, help='process id of the server, to see its memory')
    parser.add_argument('--stolen', help='file with texts, one a line')
    options = parser.parse_args()
    for name, path in [('password', options.password_file), ('thief', options.thief_file)]:
        with open(path) as f:
            setattr(options, name, f.read().strip())
    print(json.dumps(asyncio.run(attacks[options.attack](options))))


def memory(options):
    """The server's resident memory, KiB."""
    with open(f'/proc/{options.server}/status') as f:
        for line in f:
            if line.startswith('VmRSS:'):
                return int(line.split()[1])
    return 0
