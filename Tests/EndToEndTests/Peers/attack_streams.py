"""Attacks of operators on programs, secrets and networks that are not theirs."""
import asyncio
import os

from attacker import *


def stream_bytes(session, values):
    """Writes values of the upload stream into conf_imp of the victim, whoever uses it."""
    directory = session.directory(VICTIM)
    block = session.node.find('conf_imp.' + VICTIM)
    if directory is None or block is None or block not in session.conn.sources:
        return False
    for name, value in values.items():
        signal = directory['conf_imp'][name]
        signal.block = block
        if isinstance(value, bytes):
            signal.put(0, value)
        else:
            signal.set(value)
    block.send()
    return True


async def forge(options, role, network, device, number, target):
    """Tells of a device's blocks that it was not told of, and writes into every id: what it was told of then."""
    raw = await Raw(options).open()
    raw.authenticate(role, 0, network, options.password, AUTH_BIDIR)
    await wait_for(raw.told, 10)
    mid = 8
    for block in ['exp', 'imp', 'conf_exp', 'conf_imp', 'info']:
        for nr in [number, 0, 9000]:
            raw.tell(mid, block, device, nr, target, size=5000,
                     flags=(B_DOWN if block.endswith('imp') else B_UP) | B_BIDIR)
            mid += 1
    # Data and marks for the sizes that such devices have.
    for target_id in list(range(8, 120)) + list(range(400, 420)):
        for data in [bytes([3]) * 24, bytes([2, 1, 2, 1]) * 12]:
            raw.send(0, target_id, 0, data)
            raw.send(F_SYNC, target_id, len(data), bytes([0xFF]) * 8)
    await raw.drain()
    await asyncio.sleep(1)
    told = raw.told()
    raw.close()
    return [t for t in told if t.endswith('.' + target)]


async def program(options):
    """Writing block 1 without the right: as operator, as viewer, and as engineer of another network."""
    facts = {}

    async def write_program(role):
        session = await as_operator(options, role)
        results = []
        for number in [1, 13]:
            result = await try_write(session, VICTIM, number, b'a program of ' + role.encode(), limit=4)
            results.append(bool(result.get('ok')) or result.get('bytes', 0) > 1024)
        # Without a word before, and bit by bit: first what selects, then what begins.
        for values in [{'tod_head': 100, 'tod_buf': b'\xe9' * 100}, {'tod_select': 1}, {'tod_cmd': 1}, {'tod_cmd': 2},
                       {'tod_select': 1, 'tod_cmd': 1, 'tod_head': 100}]:
            stream_bytes(session, values)
            await asyncio.sleep(0.2)
        state = session.directory(VICTIM)['conf_exp']['tod_state']
        state.block = session.node.find('conf_exp.' + VICTIM)
        facts[role] = {'wrote': any(results), 'state': state.get() or 0, 'closed': session.conn.closed}
        await session.close()

    await asyncio.gather(write_program('operator'), write_program('viewer'))
    facts['other network'] = await forge(options, 'engineer', OTHER, 'candy', 3, OWN)
    return facts


async def interleave(options):
    """An engineer's upload runs, while others turn every knob of it."""
    engineer = await as_operator(options, 'engineer')
    engineer.conn.self_check = False
    others = {role: await as_operator(options, role) for role in ['viewer', 'operator', 'admin']}
    second = await as_operator(options, 'engineer')
    data = os.urandom(400_000)
    turns = 0
    running = True

    async def disturb(session, k):
        nonlocal turns
        knobs = [{'tod_cmd': 3}, {'tod_cmd': 0}, {'tod_select': 1}, {'tod_head': 77}, {'tod_cs': 4711}, {'tod_cmd': 2},
                 {'tod_buf': bytes(64)}, {'tod_select': 4, 'tod_cmd': 1},
                 {'tod_cmd': 1, 'tod_select': 15, 'tod_head': 5}]
        n = k
        while running:
            turns += stream_bytes(session, knobs[n % len(knobs)])
            n += 1
            await asyncio.sleep(0.01)

    async def upload():
        nonlocal running
        await asyncio.sleep(0.2)
        try:
            return await try_write(engineer, VICTIM, 14, data, limit=60)
        finally:
            running = False

    # The upload is there first: who comes before it has the stream, for ten seconds after its last word.
    task = asyncio.ensure_future(upload())
    directory = engineer.directory(VICTIM)
    state = directory['conf_exp']['tod_state']
    state.block = engineer.node.find('conf_exp.' + VICTIM)
    await wait_for(lambda: state.get() == 1)
    tasks = [asyncio.ensure_future(disturb(s, k)) for k, s in enumerate(list(others.values()) + [second])]
    result = await task
    await asyncio.gather(*tasks)
    facts = {'ok': bool(result.get('ok')), 'result': result, 'turns': turns}
    facts['same back'] = await try_read(engineer, VICTIM, 14, 60) == data
    facts['others wrote'] = [n for n in [15] if await try_read(engineer, VICTIM, n, 6)]
    # Who goes leaves the stream to others.
    for session in [second, others.pop('admin')]:
        await session.close()
    await asyncio.sleep(1)
    # At rest, who has no right to it leaves a mess; the next upload is none the worse for it.
    for values in [{'tod_head': 900, 'tod_cs': 99, 'tod_buf': bytes([7]) * 64}, {'tod_select': 1}, {'tod_cmd': 3},
                   {'tod_cmd': 0}]:
        stream_bytes(others['operator'], values)
        stream_bytes(others['viewer'], values)
        await asyncio.sleep(0.1)
    again = os.urandom(20_000)
    facts['again'] = bool((await try_write(engineer, VICTIM, 14, again, limit=30)).get('ok'))
    facts['again back'] = await try_read(engineer, VICTIM, 14, 30) == again
    for session in list(others.values()) + [engineer]:
        await session.close()
    return facts


async def secrets(options):
    """An administrator reads and writes secrets of a device and of the server."""
    facts = {'read': [], 'wrote': [], 'slipped': []}

    async def at(device):
        session = await Operator(options.tls, user=f'root.{OWN}', password='pass', ca=options.ca).open()
        await session.settle()
        for number in [4, 5, 7]:
            if await try_read(session, device, number, 2.5):
                facts['read'].append(f'{number} of {device}')
            if (await try_write(session, device, number, b'-----BEGIN PRIVATE KEY-----', limit=2.5)).get('ok'):
                facts['wrote'].append(f'{number} of {device}')
        # A read that is allowed begins; then another block is selected while it runs.
        allowed = 3 if device == VICTIM else 12 if device.startswith('accounts') else 20
        for number in [4, 5, 7]:
            exp, imp = await session.stream_signals(device, False)
            imp['select'].set(allowed)
            imp['cmd'].set(1)
            imp['cmd'].block.send()
            imp['select'].set(number)
            imp['cmd'].block.send()
            await asyncio.sleep(0.5)
            buffer = bytes(exp['buf'].block.data)
            if b'PRIVATE KEY' in buffer:
                facts['slipped'].append(f'{number} of {device}')
            imp['cmd'].set(0)
            imp['cmd'].block.send()
            await asyncio.sleep(0.2)
        await session.close()

    await asyncio.gather(*(at(d) for d in [VICTIM, f'frank1.{OWN}', f'accounts1.{OWN}']))
    return facts


async def network(options):
    """Somebody with every role of cafenet reaches for a device of asteroidnet."""
    unit = Unit(options, 'unit', 20, OTHER)
    await wait_for(lambda: unit.is_bound)
    facts = {'bound': unit.is_bound, 'told': [], 'seen': [], 'device told': []}
    for role in ['viewer', 'operator', 'engineer', 'admin', 'root']:
        password, options.password = options.password, 'pass' if role == 'root' else options.password
        facts['told'] += await forge(options, role, OWN, 'unit', 20, OTHER)
        # The account asked for with the other network.
        raw = await Raw(options).open()
        raw.authenticate(role, 0, OTHER, options.password, AUTH_BIDIR)
        await raw.has_ended(2) if role != 'engineer' else None
        if role not in ['engineer', 'root']:
            facts['seen'] += raw.told()
        raw.close()
        options.password = password
    # A device of cafenet brings the device of the other network.
    raw = await as_device(options)
    for mid, block in enumerate(['exp', 'imp', 'conf_imp'], start=8):
        raw.tell(mid, block, 'unit', 20, OTHER)
    for mid in range(8, 100):
        raw.send(F_SYNC, mid, 0, bytes([3]) * 24)
    await raw.drain()
    await asyncio.sleep(0.5)
    facts['device told'] = raw.told()
    raw.close()
    facts['touched'] = any(any(unit.device.b[name].data) for name in ['imp', 'conf_imp'])
    facts['connections'] = unit.connections
    unit.stop()
    return facts


async def stolen(options):
    """Everything that reads like a text in the server's stolen files is tried as a password."""
    with open(options.stolen) as f:
        candidates = f.read().split('\n')
    tries = [(user, role, c) for c in candidates for user, role in [
        ('root', AUTH_BIDIR), ('nova', AUTH_UP)]]
    let_in, refused = [], 0

    async def attempt(k, user, flags, password):
        nonlocal refused
        raw = await Raw(options, f'127.0.{1 + k // 200}.{1 + k % 200}').open()
        number = 7 if user == 'nova' else 0
        raw.authenticate(user, number, OWN, password.encode()[:45].decode(errors='ignore'), flags)
        if flags == AUTH_UP:
            raw.tell(8, 'exp', user, number, OWN)
        if await raw.has_ended(60) and not raw.told():
            refused += 1
        else:
            let_in.append(f'{user}: {password}')
        raw.close()

    # An address has five tries of a user before it has to wait: a new address for each text.
    for k in range(0, len(tries), 16):
        await asyncio.gather(*(attempt((k + n) // 2, *tries[k + n]) for n in range(min(16, len(tries) - k))))
    # Those who know the passwords are let in.
    session = await as_operator(options, 'operator')
    await session.close()
    return {'tries': len(tries), 'refused': refused, 'let in': let_in}


run({'program': program, 'interleave': interleave, 'secrets': secrets, 'network': network, 'stolen': stolen})
