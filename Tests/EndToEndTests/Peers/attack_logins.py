"""Attacks on the login: guessing, speaking before it and a second one."""
import asyncio

from attacker import *


async def guess(options):
    """50 connections guess passwords of root and of a device as fast as they can; honest ones log in meanwhile."""
    facts = {'attempts': 0, 'let in': 0, 'logins': {}}
    loop = asyncio.get_running_loop()
    end = loop.time() + 14

    async def guesser(k, source):
        operator = k % 2 == 0
        n = 0
        while loop.time() < end:
            n += 1
            try:
                raw = await Raw(options, source).open()
                # Half of the devices' guesses are for ever new names of one account with a pattern.
                number = 3 if k % 4 == 1 else 1000 + k * 100 + n
                raw.authenticate('root' if operator else 'candy', 0 if operator else number, OWN, f'guess {k} {n}',
                                 AUTH_BIDIR if operator else AUTH_UP)
                facts['attempts'] += 1
                if not operator:
                    raw.tell(8, 'exp', 'candy', number, OWN)
                await raw.has_ended(15)
                if raw.told():
                    facts['let in'] += 1
                raw.close()
            except (OSError, asyncio.IncompleteReadError):
                await asyncio.sleep(0.05)

    async def honest(name, role, delay):
        await asyncio.sleep(delay)
        began = loop.time()
        while loop.time() - began < 60:
            try:
                session = await as_operator(options, role)
                await session.close()
                facts['logins'][name] = round(loop.time() - began, 2)
                return
            except (SessionError, OSError):
                await asyncio.sleep(0.5)
        facts['logins'][name] = 60

    # One who has been here before, from the address that the guesses come from.
    session = await as_operator(options, 'engineer')
    await session.close()
    before = memory(options)
    # Most come from this address; some from another one, which makes no difference to those here.
    guessers = [guesser(k, '127.0.0.9' if k >= 40 else None) for k in range(50)]
    await asyncio.gather(*guessers, honest('known', 'engineer', 3), honest('new', 'viewer', 3))
    facts['memory'] = memory(options) - before
    return facts


async def root_elsewhere(options):
    """root logs in from an address that nobody guesses from."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    raw = await Raw(options, '127.0.0.77').open()
    raw.authenticate('root', 0, OWN, 'pass', AUTH_BIDIR)
    await wait_for(raw.told, 30)
    raw.close()
    return {'seconds': round(loop.time() - began, 2)}


async def wait_elsewhere(options):
    """One address is full of wrong logins that wait to be checked; somebody at another address logs in."""
    loop = asyncio.get_running_loop()
    waiting = []
    for n in range(200):
        raw = await Raw(options, '127.0.0.9').open()
        waiting.append(raw)
    for n, raw in enumerate(waiting):
        raw.authenticate('candy', 2000 + n, OWN, f'wrong {n}', AUTH_UP)
    began = loop.time()
    session = await as_operator(options, 'viewer')
    took = loop.time() - began
    await session.close()
    for raw in waiting:
        raw.close()
    return {'seconds': round(took, 2)}


async def early(options):
    """Messages before the authentication, and while the decision on it is due."""
    facts = {}
    before = set(await observed(options))

    async def attempt(name, messages, authenticates):
        raw = await Raw(options).open()
        if authenticates:
            raw.authenticate('candy', 3, OWN, 'wrong password', AUTH_UP)
        messages(raw)
        await raw.drain()
        facts[name] = {'ended': await raw.has_ended(15), 'told': raw.told()}

    def everything(raw):
        raw.tell(8, 'exp', 'early', 5, OWN)
        raw.tell(9, 'imp', 'candy', 3, OWN, flags=B_DOWN | B_BIDIR)
        for mid in range(8, 40):
            raw.send(F_SYNC, mid, 0, bytes([3] * 64))
        raw.remove(list(range(8, 24)))

    for name, messages in [
            ('info', lambda raw: raw.tell(8, 'exp', 'early', 5, OWN)),
            ('data', lambda raw: raw.send(F_SYNC, 9, 0, bytes(64))),
            ('remove', lambda raw: raw.remove(list(range(8, 24)))), ('everything', everything)]:
        await attempt(name + ' before', messages, False)
    await attempt('everything after', everything, True)
    facts['appeared'] = sorted(set(await observed(options)) - before)
    return facts


async def early_flood(options):
    """64 MiB while the decision is due, on several connections at once, right and wrong passwords."""
    before = memory(options)
    # The decision on the others is due for as long as these are checked.
    waiting = [await Raw(options, '127.0.0.9').open() for _ in range(12)]
    flooders = [await Raw(options, '127.0.0.9').open() for _ in range(4)]
    for n, raw in enumerate(waiting):
        raw.authenticate('candy', 3000 + n, OWN, f'wrong {n}', AUTH_UP)
    peak, sent = before, 0

    async def flood(raw):
        nonlocal peak, sent
        raw.authenticate('candy', 3900, OWN, 'wrong', AUTH_UP)
        raw.tell(8, 'exp', 'early', 5, OWN, size=60_000)
        payload = bytes(range(256)) * 5
        for _ in range(64 * 1024 * 1024 // len(payload)):
            raw.send(0, 8, 0, payload)
            if not await raw.drain():
                return
            sent += len(payload)
            if sent % (1 << 20) < len(payload):
                peak = max(peak, memory(options))

    async def look():
        nonlocal peak
        for _ in range(100):
            peak = max(peak, memory(options))
            await asyncio.sleep(0.05)

    tasks = [asyncio.ensure_future(flood(raw)) for raw in flooders]
    await look()
    ended = [await raw.has_ended(40) for raw in flooders]
    for task in tasks:
        task.cancel()
    for raw in waiting + flooders:
        raw.close()
    return {'memory': peak - before, 'ended': all(ended), 'sent': sent,
            'appeared': [d for d in await observed(options) if d.startswith('early')]}


async def twice(options):
    """A second authentication in the middle of a session: another user, another network, more rights."""
    facts = {}
    for name, user, network, password in [
            ('other user', 'engineer', OWN, options.password), ('other network', 'operator', OTHER, options.password),
            ('administrator', 'root', OWN, 'pass')]:
        raw = await Raw(options).open()
        raw.authenticate('operator', 0, OWN, options.password, AUTH_BIDIR)
        await wait_for(raw.told, 10)
        first = set(raw.told())
        raw.authenticate(user, 0, network, password, AUTH_BIDIR)
        facts[name] = {'first': len(first), 'ended': await raw.has_ended(10),
                       'more': sorted(set(raw.told()) - first)}
    raw = await as_device(options)
    raw.tell(8, 'exp', 'thief', 1, OWN)
    await wait_for(raw.told, 10)
    raw.authenticate('candy', 3, OWN, 'whatever', AUTH_UP)
    raw.tell(9, 'exp', 'candy', 3, OWN)
    facts['device'] = {'first': len(raw.told()), 'ended': await raw.has_ended(10), 'more': []}
    await asyncio.sleep(0.5)
    facts['left'] = THIEF in await observed(options)
    return facts


run({'guess': guess, 'root-elsewhere': root_elsewhere, 'wait-elsewhere': wait_elsewhere,
     'early': early, 'early-flood': early_flood, 'twice': twice})
