"""Attacks of an accepted device, thief1, and of operators on what others see of the devices of others."""
import asyncio
import os
import random

from iocom_peer.wire import crc16, intser

from attacker import *

MARK = bytes([0xEE]) * 24


async def bytes_of(options, pattern):
    """Blocks that hold a pattern, as an operator of the plain port sees them."""
    session = await Operator(options.tcp).open()
    await session.settle()
    await asyncio.sleep(0.5)
    found = [f'{b.name}.{b.device}' for b in session.node.blocks if pattern in bytes(b.data)]
    await session.close()
    return found


async def announce(options):
    """thief1 tells of blocks of others, with their number and others, here and in another network."""
    before = await observed(options)
    raw = await as_device(options)
    mid = 8
    for device, number, network in [
            ('candy', 3, OWN), ('candy', 4, OWN), ('candy', 1, OWN), ('candy', 0, OWN), ('candy', 8999, OWN),
            ('candy', 9000, OWN), ('candy', 9001, OWN), ('thief', 2, OWN), ('thief', 0, OWN), ('thief', 9000, OWN),
            ('thief', 9001, OWN), ('thief', 1, OTHER), ('candy', 3, OTHER), ('frank', 1, OWN), ('accounts', 1, OWN)]:
        for block in ['exp', 'imp', 'conf_exp', 'conf_imp', 'info', 'stolen']:
            raw.tell(mid, block, device, number, network,
                     flags=(B_UP if block in ['exp', 'conf_exp', 'info', 'stolen'] else B_DOWN) | B_BIDIR)
            mid += 1
    # Data for every id that the server could have given.
    for target in range(8, 160):
        raw.send(F_SYNC, target, 0, MARK)
    await raw.drain()
    await asyncio.sleep(1)
    after = await observed(options)
    facts = {'gained': sorted(set(after) - set(before)), 'lost': sorted(set(before) - set(after)),
             'changed': sorted(d for d in before if after.get(d) != before[d]), 'marked': await bytes_of(options, MARK),
             'told': raw.told(), 'ended': raw.closed.is_set()}
    # Its own device is welcome all the same.
    raw.tell(mid, 'exp', 'thief', 1, OWN)
    await raw.drain()
    facts['own'] = await wait_for(lambda: 'exp.' + THIEF in raw.told())
    raw.close()
    return facts


async def automatic(options):
    """A device with an automatic number, and a thief that shows its unique id while it is there and away."""
    uid = os.urandom(12)

    async def number(name):
        for _ in range(40):
            found = [d for d in await observed(options) if d.startswith(name)]
            if found:
                return found
            await asyncio.sleep(0.2)
        return []

    async def steal(facts, when, honest):
        raw = await as_device(options, 'thief', 0, uid=uid)
        raw.tell(8, 'exp', 'thief', 9000, OWN)
        # And the number itself, as its own and under the other's name.
        mine = int(honest[0].split('.')[0].removeprefix('gina'))
        for mid, (name, nr) in enumerate([('thief', mine), ('gina', mine), ('gina', 9000)], start=9):
            raw.tell(mid, 'exp', name, nr, OWN)
        await raw.drain()
        facts[when + ' thief'] = await number('thief')
        facts[when + ' gina'] = [d for d in await observed(options) if d.startswith('gina')]
        raw.close()
        other = await as_device(options, 'thief', mine, uid=uid)
        facts[when + ' refused'] = await other.has_ended(5)
        other.close()
        await wait_for(lambda: raw.closed.is_set(), 3)
        for _ in range(40):
            if not [d for d in await observed(options) if d.startswith('thief')]:
                break

    unit = Unit(options, 'gina', 9000, uid=uid)
    facts = {'number': await number('gina')}
    await steal(facts, 'there', facts['number'])
    facts['connections'] = unit.connections
    unit.stop()
    for _ in range(40):
        if not [d for d in await observed(options) if d.startswith('gina')]:
            break
    await steal(facts, 'away', facts['number'])
    again = Unit(options, 'gina', 9000, uid=uid)
    facts['again'] = await number('gina')
    again.stop()
    return facts


async def remove(options):
    """Remove requests for blocks of others, from an operator and from a device; for ids never given."""
    watcher = await as_operator(options, 'viewer')
    before = await observed(options)
    ids = list(range(0, 320)) + list(range(4000, 4032)) + [32767, 65535, 1 << 20, (1 << 31) - 1]
    facts = {}
    for name in ['operator', 'device']:
        if name == 'operator':
            raw = await Raw(options).open()
            raw.authenticate('operator', 0, OWN, options.password, AUTH_BIDIR)
        else:
            raw = await as_device(options)
            raw.tell(8, 'exp', 'thief', 1, OWN)
        await wait_for(raw.told, 10)
        told = len(raw.told())
        for i in range(0, len(ids), 16):
            raw.remove(ids[i:i + 16])
        await raw.drain()
        await asyncio.sleep(1)
        facts[name] = {'told': told, 'gone': sorted(set(before) - set(await observed(options))),
                       'ended': raw.closed.is_set()}
        if name == 'device':
            # What it withdrew was its own; it may bring it again.
            facts['own withdrawn'] = THIEF not in await observed(options)
            raw.tell(9, 'exp', 'thief', 1, OWN)
            await raw.drain()
            await asyncio.sleep(0.5)
            facts['own again'] = THIEF in await observed(options)
        raw.close()
    facts['removed for others'] = sorted(r for r in watcher.removed if not r.endswith(THIEF))
    await watcher.close()
    return facts


async def flood(options):
    """100,000 blocks of its own, 100,000 of refused names, and 100,000 from an operator."""
    count = 100_000
    watcher = await as_operator(options, 'viewer')
    before = await observed(options)
    start = memory(options)
    facts, peak = {}, start

    async def send(raw, name):
        nonlocal peak
        for n in range(count):
            device, number = ('thief', 1) if name == 'own' else ('candy', n + 10)
            raw.tell(8 + n % 32_000, f'b{n}', device, number, OWN, size=1000)
            if n % 500 == 0:
                peak = max(peak, memory(options))
                if not await raw.drain():
                    break
        await raw.drain()
        await asyncio.sleep(0.5)
        peak = max(peak, memory(options))
        after = await observed(options)
        facts[name] = {'gained': sorted(d for d in set(after) - set(before) if d != THIEF),
                       'changed': sorted(d for d in before if after.get(d) != before[d]),
                       'ended': await raw.has_ended(1)}
        raw.close()

    for _ in range(3):
        await send(await as_device(options), 'own')
    await send(await as_device(options), 'refused')
    raw = await Raw(options).open()
    raw.authenticate('operator', 0, OWN, options.password, AUTH_BIDIR)
    await wait_for(raw.told, 10)
    await send(raw, 'operator')
    await asyncio.sleep(1)
    facts['peak'] = peak - start
    facts['grown'] = memory(options) - start
    facts['watcher'] = {'closed': watcher.conn.closed, 'lost': [r for r in watcher.removed if THIEF not in r]}
    await watcher.close()
    last = Unit(options, 'thief', 1, password=options.thief)
    facts['honest thief'] = await wait_for(lambda: last.is_bound)
    last.stop()
    return facts


def descriptions():
    """What a device can say of itself to do harm, by name."""
    def doc(**changes):
        document = devices.document('thief', 1025)
        for m in document['mblk']:
            for g in m['groups']:
                for s in g['signals']:
                    s.update(changes.get(f"{m['name']}_{s['name']}", {}))
        return document

    huge, many = 2**31 - 1, [{'name': f's{n}', 'type': 'int'} for n in range(4000)]
    wide = doc()
    wide['mblk'] += [{'name': f'm{n}', 'flags': 'down', 'groups': [{'name': 'g', 'signals': many}]} for n in range(4)]
    commands = doc()
    commands['mblk'][1]['groups'].append({'name': 'c', 'signals': [
        {'name': 'reboot', 'type': 'uchar', 'array': 60_000_000, 'addr': 0},
        {'name': 'upd_confirm', 'type': 'boolean', 'addr': 60_000_000}]})
    return {
        'huge counts': pjson.encode(doc(conf_imp_tod_buf={'array': huge}, imp_message={'array': huge})),
        'negative': pjson.encode(doc(conf_imp_tod_buf={'array': -5}, conf_imp_tod_cmd={'addr': -1})),
        'beyond the block': pjson.encode(doc(conf_imp_tod_cmd={'addr': 50_000_000},
                                             conf_exp_frd_buf={'addr': huge - 1})),
        'overlapping': pjson.encode(doc(conf_imp_tod_cmd={'addr': 20}, conf_imp_tod_select={'addr': 20},
                                        conf_imp_frd_cmd={'addr': 21}, conf_imp_tod_buf={'addr': 0})),
        'a large command': pjson.encode(commands),
        'many signals': pjson.encode(wide),
        'nested': nested(),
        'noise': random.Random(7).randbytes(1 << 20),
        'nothing': bytes(1 << 20),
    }


def nested():
    """Objects in objects, a mebibyte of them, in a document that is whole otherwise."""
    half = 1 << 19
    content = bytes([0]) * half + bytes([1]) * half
    body = intser(0) + intser(len(content)) + content
    return body + crc16(body).to_bytes(2, 'little')


class Hostile(Unit):
    """A device that says of itself what it wants."""

    def __init__(self, options, number=1, info=None, exp=None):
        super().__init__(options, 'thief', number, password=options.thief)
        device = self.device
        if info is not None:
            device.node.remove(device.b['info'])
            device.b['info'] = device.node.add('info', max(24, len(info)), B_UP | B_STATIC)
            device.b['info'].owned = True
            device.b['info'].write(0, info)
        if exp:
            device.b['big'] = device.node.add('big', exp, B_UP | B_BIDIR)
            device.b['big'].owned = True


async def write_all(session, device, value):
    """Writes bytes into every block that the operator may write, as if it knew where the signals are."""
    for block in list(session.conn.sources):
        if block.device == device:
            block.write(0, bytes([value]) * min(block.size, 600))
            block.send()
    await asyncio.sleep(0.1)


async def describe(options):
    """Hostile info blocks; operators with and without rights write into the devices all the same."""
    facts = {}
    loop = asyncio.get_running_loop()
    units = {name: Hostile(options, number, info)
             for number, (name, info) in enumerate(descriptions().items(), start=1)}
    for name, unit in units.items():
        facts[name] = {'bound': await wait_for(lambda: unit.is_bound)}

    async def meddle(role):
        session = await Operator(options.tls, user=f'{role}.{OWN}', password=options.password, ca=options.ca,
                                 self_check=False).open()
        # What this session itself can read of the descriptions is its own business.
        session.directory = lambda device: None
        for name, unit in units.items():
            path = f'thief{unit.device.node.nr}.{OWN}'
            await wait_for(lambda: [b for b in session.conn.sources if b.device == path], 5)
            for value in [1, 2, 3]:
                await write_all(session, path, value)
            facts[name][role] = session.conn.closed is None
        await session.close()

    slowest = 0
    meddling = [asyncio.ensure_future(meddle(role)) for role in ['engineer', 'operator', 'viewer']]
    while not all(task.done() for task in meddling):
        began = loop.time()
        session = await Operator(options.tcp).open()
        await wait_for(lambda: VICTIM in session.infos, 20)
        await session.close()
        slowest = max(slowest, loop.time() - began)
        await asyncio.sleep(0.1)
    for task in meddling:
        await task
    for name, unit in units.items():
        facts[name]['slowest'] = round(slowest, 2)
        facts[name]['connections'] = unit.connections
        unit.stop()
    return facts


async def shift(options):
    """The device moves its signals after operators read where they are: do operators get rights they did not have?"""
    unit = Unit(options, 'thief', 1, password=options.thief)
    unit.device.store.mem[14] = b'before'
    await wait_for(lambda: unit.is_bound)
    session = await as_operator(options, 'operator')
    facts = {'read first': (await try_read(session, THIEF, 14)) is not None}
    # tod_cmd is now said to lie where frd_cmd is and the other way round.
    document = devices.document('thief', 1025)
    imp = next(m for m in document['mblk'] if m['name'] == 'conf_imp')
    imp['groups'].reverse()
    info = unit.device.b['info']
    info.write(0, pjson.encode(document)[:info.size].ljust(info.size, b'\0'))
    info.send()
    await asyncio.sleep(1)
    written = await asyncio.gather(
        try_write(session, THIEF, 1, b'program', 4), try_write(session, VICTIM, 1, b'program of an operator', 4))
    facts['program at itself'] = getattr(unit.device.store, 'last_program', None) is not None
    facts['program at another'] = bool(written[1].get('ok'))
    facts['secret of another'] = (await try_read(session, VICTIM, 4, 3)) is not None
    await session.close()
    unit.stop()
    return facts


async def states(options):
    """Wild stream states, and a device that never answers: operators who use it get an end, and work on elsewhere."""
    facts = {}
    loop = asyncio.get_running_loop()

    async def use(name, number, block):
        unit = Unit(options, 'thief', number, password=options.thief)
        path = f'thief{number}.{OWN}'
        await wait_for(lambda: unit.is_bound)
        still = type('Still', (), {'step': None, 'run': lambda self: None, 'poll': None})()
        unit.device.streams[:] = [still]

        async def wild():
            generator = random.Random(5)
            block = unit.device.b['conf_exp']
            while True:
                for signal in unit.device.dirs['conf_exp'].values():
                    block.write(signal.addr, bytes([2]) + generator.randbytes(signal.size - 1))
                block.send()
                await asyncio.sleep(0.02)

        task = asyncio.ensure_future(wild()) if name == 'wild' else None
        session = await as_operator(options, 'engineer')
        began = loop.time()
        written = await try_write(session, path, 14, os.urandom(3000), limit=20)
        read = await try_read(session, path, 14, limit=20)
        facts[name] = {'wrote': bool(written.get('ok')), 'read': read is not None and len(read) < 10_000_000,
                       'seconds': round(loop.time() - began, 1)}
        await elsewhere.acquire()
        data = os.urandom(5000)
        facts[name]['elsewhere'] = bool((await try_write(session, VICTIM, block, data, limit=20)).get('ok'))
        facts[name]['same back'] = await try_read(session, VICTIM, block, limit=20) == data
        elsewhere.release()
        await session.close()
        if task:
            task.cancel()
        unit.stop()

    # The honest device's streams are for one operator at a time.
    elsewhere = asyncio.Lock()
    await asyncio.gather(use('wild', 1, 17), use('silent', 2, 18))
    return facts


async def snapshots(options):
    """Snapshots without end, as fast as they go, while others work."""
    unit = Hostile(options, exp=200_000)
    await wait_for(lambda: unit.is_bound)
    block = unit.device.b['big']
    loop = asyncio.get_running_loop()
    start, peak, sent = memory(options), 0, 0
    unit.device.conn.self_check = False
    # Nobody reads it so slowly that all of it has to be kept for him.
    idle = await Raw(options).open()
    idle.authenticate('viewer', 0, OWN, options.password, AUTH_BIDIR)
    await wait_for(idle.told, 10)
    idle.task.cancel()
    end = loop.time() + 8
    slowest = 0

    async def pour():
        nonlocal sent, peak
        while loop.time() < end:
            block.write(0, os.urandom(block.size))
            block.send()
            sent += block.size
            await asyncio.sleep(0)
            while (
                loop.time() < end + 10
                and unit.device.conn.closed is None
                and (unit.device.conn.blocked or any(s.parts for s in block.sources))
            ):
                await asyncio.sleep(0.001)
            peak = max(peak, memory(options))

    async def honest():
        nonlocal slowest
        session = await as_operator(options, 'engineer')
        n = 0
        while loop.time() < end:
            began = loop.time()
            data = os.urandom(2000)
            result = await try_write(session, VICTIM, 17, data)
            slowest = max(slowest, loop.time() - began)
            n += bool(result.get('ok'))
        await session.close()
        return n

    _, transfers = await asyncio.gather(pour(), honest())
    idle.close()
    unit.stop()
    return {'sent': sent, 'peak': peak - start, 'slowest': round(slowest, 2), 'transfers': transfers}


run({'announce': announce, 'automatic': automatic, 'remove': remove, 'flood': flood, 'describe': describe,
     'shift': shift, 'states': states, 'snapshots': snapshots})
