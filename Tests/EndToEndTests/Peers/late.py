"""What the independent peer complains of and what no program is to blame for on a machine that other tests keep busy."""

# Messages that came after their time, or then twice. The same as in Support/Peer.swift.
CODES = {'ack-late', 'ack-stale', 'ack-first-missing', 'keepalive-late'}


def violations(connection):
    """Violations of either side, without those."""
    report = connection.report()
    return [v for v in report['violations'] + report['own_violations'] if v['code'] not in CODES]
