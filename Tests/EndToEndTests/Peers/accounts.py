"""Reads, edits and saves the accounts of a network as the original's operator tool does, and logs in with what was saved.

    accounts.py --tls URL --ca FILE

The original's tool stores a password as it was typed. Prints what happened as one JSON object.
"""
import argparse
import asyncio
import json

import late
from iocom_peer import pjson
from iocom_peer.operator import Operator, SessionError

ACCOUNTS = 'accounts1.cafenet'


async def session(options, user, password):
    operator = Operator(options.tls, user=f'{user}.cafenet', password=password, ca=options.ca)
    await operator.open()
    await operator.settle(timeout=5)
    return operator


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--tls', required=True)
    parser.add_argument('--ca', required=True)
    options = parser.parse_args()
    root = await session(options, 'root', 'pass')
    result = {'sees_accounts': ACCOUNTS in root.infos}
    read, data = await root.read_block(ACCOUNTS, 21, limit=20)
    document = pjson.decode(data)
    users = document['accounts']['accounts']
    result['read'] = read['ok'] and [u['user'] for u in users]
    users.append({'user': 'eva', 'password': 'typed by hand', 'privileges': 'operator'})
    users.append({'user': 'boss', 'password': '!WdjEE1b87DwXX81xJEtDpbQ_Y_ecFo6lPzSonKFoSz8', 'privileges': 'admin'})
    written = await root.write_block(ACCOUNTS, 21, pjson.encode(document), limit=20, status_wait=20)
    result['saved'] = written['ok']
    read, data = await root.read_block(ACCOUNTS, 21, limit=20)
    stored = {u['user']: u.get('password', '') for u in pjson.decode(data)['accounts']['accounts']}
    result['stored_plain'] = 'typed by hand' in stored.values()
    result['unchanged'] = all(stored[u['user']] == u['password'] for u in users[:-2])
    await root.close()

    result['logins'] = {}
    for user, password in [('eva', 'typed by hand'), ('eva', 'wrong'), ('boss', 'pass'), ('eva', stored['eva'])]:
        try:
            operator = await session(options, user, password)
            result['logins'][f'{user}/{"stored" if password == stored["eva"] else password}'] = 'conf_imp' in operator.infos.get(ACCOUNTS, {})
            if user == 'eva' and password == 'typed by hand':
                # An operator may not write the accounts, and is not even told of them.
                try:
                    await operator.write_block(ACCOUNTS, 21, data, limit=5, status_wait=1)
                    result['eva_wrote'] = True
                except SessionError:
                    result['eva_wrote'] = False
            await operator.close()
        except SessionError:
            result['logins'][f'{user}/{"stored" if password == stored["eva"] else password}'] = None
    root = await session(options, 'root', 'pass')
    junk = await root.write_block(ACCOUNTS, 21, b'junk', limit=20, status_wait=5)
    result['junk_refused'] = not junk['ok']
    read, after = await root.read_block(ACCOUNTS, 21, limit=20)
    result['kept'] = {u['user'] for u in pjson.decode(after)['accounts']['accounts']} == set(stored)
    result['violations'] = [str(v) for v in late.violations(root.conn)]
    await root.close()
    print(json.dumps(result))


asyncio.run(main())
