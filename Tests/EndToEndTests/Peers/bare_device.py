"""A device that has no certificates: flag 4 in its authentication, TLS without verification.

    bare_device.py --tls URL --name NAME --number N --password-file FILE --seconds N

Tries again while it is refused, as devices do. Prints {"block9": text or null, "flags": [...], "violations": [...]}.
"""
import argparse
import asyncio
import json

import late
from iocom_peer import device as devices
from iocom_peer import peer


class Bare(devices.Device):
    async def connect(self, timeout=10):
        a = self.args
        self.conn = peer.Connection(self.node, self.url, a['user'], a['nr'], a['network'], a['password'], up=True,
                                    on_event=self._event, frame_size=a['frame_size'], need_cert=True)
        self._make_streams()
        await self.conn.open(None, timeout)


async def main():
    parser = argparse.ArgumentParser()
    for name in ['--tls', '--name', '--password-file']:
        parser.add_argument(name, required=True)
    for name in ['--number', '--seconds']:
        parser.add_argument(name, type=int, required=True)
    options = parser.parse_args()
    with open(options.password_file) as f:
        password = f.read().strip()
    device = Bare(options.tls, options.name, options.number, 'cafenet', password=password)
    loop = asyncio.get_running_loop()
    end = loop.time() + options.seconds
    violations = []
    while loop.time() < end and 9 not in device.store.mem:
        await device.connect()
        await device.serve(seconds=max(1, min(10, end - loop.time())), stop=Until(device))
        violations += late.violations(device.conn)
        if 9 not in device.store.mem:
            await asyncio.sleep(0.5)
    # The server hears that all is well before the device goes.
    await asyncio.sleep(0.3)
    await device.conn.close()
    block = device.store.mem.get(9)
    print(json.dumps({'block9': block.decode('utf-8', 'replace') if block else None,
                      'violations': [str(v) for v in violations]}))


class Until:
    """Serves until block 9 is there and its result was told."""

    def __init__(self, device):
        self.device = device

    def __bool__(self):
        return 9 in self.device.store.mem and not any(s.step for s in self.device.streams)


asyncio.run(main())
