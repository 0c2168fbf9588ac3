"""Tries every operation as every role, in the network of the account and in another one, with the independent peer.

    access.py --tls URL --tcp URL --ca FILE --password-file FILE

Accounts ROLE (viewer, operator, engineer, admin, server), unit* and other* are there with that password. Prints
{"cells": {role: {network: {operation: true|false}}}, "violations": [...]}: what happened, not what should.
"""
import argparse
import asyncio
import json

import late
from iocom_peer import device as devices
from iocom_peer.operator import Operator, SessionError
from iocom_peer.wire import B_BIDIR, B_UP

ROLES = ['viewer', 'operator', 'engineer', 'admin', 'device', 'server']
PEOPLE = ['viewer', 'operator', 'engineer', 'admin']
OWN, OTHER = 'cafenet', 'asteroidnet'
# Seconds in which something that is allowed has happened for certain.
PATIENCE = 8.0
# And a command; who may not give it waits as long for nothing.
COMMAND_PATIENCE = 5.0
plain_document = devices.document


def document(name, ring, frd_ring=257):
    """The peer's device, with commands that need more than the right to set signals."""
    doc = plain_document(name, ring, frd_ring)
    imp = next(m for m in doc['mblk'] if m['name'] == 'imp')
    imp['groups'].append({'name': 'commands', 'signals': [
        {'name': 'reboot', 'type': 'boolean'}, {'name': 'set_nc_net', 'type': 'str', 'array': 24},
        {'name': 'upd_rollback', 'type': 'boolean'}]})
    return doc


devices.document = document


async def live(device):
    await device.connect()
    await device.serve()


class Unit:
    """A device, and what reached it."""

    def __init__(self, options, number, network):
        self.store = devices.Store()
        self.store.mem[14] = b'before'
        self.device = devices.Device(options.tls, 'unit', number, network, password=options.password, ca=options.ca,
                                     store=self.store)
        self.path = f'unit{number}.{network}'
        self.task = asyncio.ensure_future(live(self.device))

    def value(self, signal):
        s = self.device.dirs['imp'][signal]
        s.block = self.device.b['imp']
        return s.get()


async def wait_for(condition, seconds=PATIENCE):
    end = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < end:
        if condition():
            return True
        await asyncio.sleep(0.05)
    return bool(condition())


async def set_signal(session, path, name, value):
    directory = session.directory(path)
    block = session.node.find('imp.' + path)
    if directory is None or block is None:
        return
    s = directory['imp'][name]
    s.block = block
    s.set(value)
    block.send()


async def as_operator(options, role, network, units, violations):
    """The operations of people, tried at a unit of their own in either network."""
    cells = {o: False for o in ['see', 'setSignals', 'readBlocks', 'writeConfiguration', 'writePrograms',
                                'manageAccounts', 'manageServer', 'bringOwnDevice', 'bringAnyDevice']}
    unit = units[network][role]
    session = Operator(options.tls, user=f'{role}.{OWN}', password=options.password, ca=options.ca)
    try:
        await session.open()
        await session.settle()
    except SessionError:
        return cells
    cells['see'] = unit.path in session.infos
    forged = []
    if not cells['see']:
        # Not told of: claims to know its blocks all the same, as if they had been announced.
        for name in ['imp', 'conf_imp']:
            own = unit.device.b[name]
            block = session.node.add(name, own.size, own.flags, 'unit', unit.device.node.nr, network)
            session.conn._info_frame(block)
            forged.append(block)
        session.conn.pump()
        await asyncio.sleep(0.5)

    async def setting():
        for block in forged[:1]:
            block.write(0, bytes([3] * block.size))
            block.send()
        await set_signal(session, unit.path, 'dimmer', 77)
        cells['setSignals'] = await wait_for(lambda: unit.value('dimmer') == 77)
        for name, value, operation in [('reboot', 1, 'writeConfiguration'), ('set_nc_net', 'x', 'writeConfiguration'),
                                       ('upd_rollback', 1, 'writePrograms')]:
            await set_signal(session, unit.path, name, value)
            commands.setdefault(operation, []).append(
                await wait_for(lambda: unit.value(name) == value, COMMAND_PATIENCE))

    commands = {}

    async def try_read(path, number):
        try:
            result, data = await session.read_block(path, number, limit=10)
            return result['ok'], data
        except SessionError:
            return False, b''

    async def try_write(path, number, data):
        try:
            return await session.write_block(path, number, data, limit=10, status_wait=3)
        except SessionError:
            return {'ok': False}

    async def streams():
        cells['readBlocks'] = (await try_read(unit.path, 14))[1] == b'before'
        await try_write(unit.path, 14, b'changed')
        cells['writeConfiguration'] = unit.store.mem[14] == b'changed'
        await try_write(unit.path, 1, b'program')
        cells['writePrograms'] = getattr(unit.store, 'last_program', None) == b'program'
        secret = (await try_read(unit.path, 4))[1]
        if secret:
            violations.append(f'{role} read a secret of {unit.path}')

    async def administration():
        number, block = (1, 21) if network == OWN else (2, 22)
        data = (await try_read(f'accounts{number}.{network}', block))[1]
        cells['manageAccounts'] = b'accounts' in data
        if network == OWN:
            result = await try_write(f'frank1.{OWN}', 20, b'of ' + role.encode())
            cells['manageServer'] = bool(result.get('ok'))

    async def bringing():
        # An operator has no device to bring: the server must not take it.
        for name, operation in [(role, 'bringOwnDevice'), ('unit', 'bringAnyDevice')]:
            block = session.node.add('exp', 24, B_UP | B_BIDIR, name, 77, network)
            session.conn._info_frame(block)
        session.conn.pump()
        await asyncio.sleep(1)
        seen = await observed(options)
        cells['bringOwnDevice'] = f'{role}77.{network}' in seen
        cells['bringAnyDevice'] = f'unit77.{network}' in seen

    await asyncio.gather(setting(), streams(), administration())
    await bringing()
    for operation, results in commands.items():
        for result in results:
            if result != cells[operation]:
                violations.append(f'{role}: a command of {operation} was {"" if result else "not "}possible')
    # Forged announcements are what this is about.
    own = session.conn.report()['own_violations']
    violations.extend(v for v in late.violations(session.conn) if v not in own or v['code'] != 'info-unsolicited')
    await session.close()
    return cells


async def observed(options):
    """Devices of both networks, as an operator of the plain port sees them."""
    session = await Operator(options.tcp).open()
    # This process does much at once: what seems a pause of the server may be its own.
    await session.settle(quiet=1.5)
    found = set(session.infos)
    await session.close()
    return found


async def as_lower(options, role, network, violations):
    """What a device's and a server's account can do: they connect as lower ends."""
    cells = {o: False for o in ['see', 'setSignals', 'readBlocks', 'writeConfiguration', 'writePrograms',
                                'manageAccounts', 'manageServer', 'bringOwnDevice', 'bringAnyDevice']}
    # As an operator it is not let in at all.
    session = Operator(options.tls, user=f'{"other1" if role == "device" else role}.{OWN}', password=options.password,
                       ca=options.ca)
    try:
        await session.open()
        await session.settle(timeout=3)
        cells['see'] = any(d.endswith('.' + network) for d in session.infos)
        await session.close()
    except SessionError:
        pass
    number = 1 if network == OWN else 2
    foreign = (50 if role == 'device' else 60) + number
    user = 'other' if role == 'device' else role
    lower = devices.Device(options.tls, user, number if role == 'device' else 0, OWN, password=options.password,
                           ca=options.ca)
    for block in list(lower.node.blocks):
        if network != OWN:
            lower.node.remove(block)
    if network != OWN:
        lower.node.add('exp', 24, B_UP | B_BIDIR, user, number, network)
    lower.node.add('exp', 24, B_UP | B_BIDIR, 'gina', foreign, network)
    task = asyncio.ensure_future(live(lower))
    own = f'{user}{number if role == "device" else 0}.{network}'
    await wait_for(lambda: lower.conn is not None and bool(lower.conn.sources), 3)
    seen = set()
    for _ in range(4):
        await asyncio.sleep(1)
        seen |= await observed(options)
    cells['bringOwnDevice'] = own in seen and role == 'device'
    cells['bringAnyDevice'] = f'gina{foreign}.{network}' in seen
    task.cancel()
    return cells


async def main():
    parser = argparse.ArgumentParser()
    for name in ['--tls', '--tcp', '--ca', '--password-file']:
        parser.add_argument(name, required=True)
    options = parser.parse_args()
    with open(options.password_file) as f:
        options.password = f.read().strip()
    violations = []
    units = {network: {role: Unit(options, 10 * (1 + k) + i, network) for i, role in enumerate(PEOPLE)}
             for k, network in enumerate([OWN, OTHER])}
    wanted = {u.path for by_role in units.values() for u in by_role.values()}
    missing = set()
    for _ in range(40):
        missing = wanted - await observed(options)
        if not missing:
            break
    if missing:
        raise SystemExit(f'units are missing: {sorted(missing)}')

    async def cells(role, network):
        if role in PEOPLE:
            return await as_operator(options, role, network, units, violations)
        return await as_lower(options, role, network, violations)

    pairs = [(role, network) for role in ROLES for network in [OWN, OTHER]]
    results = await asyncio.gather(*(cells(*pair) for pair in pairs))
    table = {}
    for (role, network), result in zip(pairs, results):
        table.setdefault(role, {})[network] = result
    print(json.dumps({'cells': table, 'violations': [str(v) for v in violations]}))


asyncio.run(main())
