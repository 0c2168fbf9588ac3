import FoundationEssentials
import IOServer
import TerminalUI

/// The state of a server for people.
enum StatusReport {
    static func text(_ status: ServerStatus, width: Int?) -> String {
        let since = Date(timeIntervalSince1970: Double(status.startedAt)).formatted(.iso8601)
        let uptime = Readable.duration(.seconds(status.uptimeSeconds))
        let logins = status.logins
        var facts = Table(["", ""])
        facts.add(["version", status.version])
        facts.add(["process", "\(status.process)"])
        facts.add(["running since", "\(since) (\(uptime))"])
        facts.add(["listening on", status.addresses.joined(separator: ", ")])
        facts.add(["networks", status.networks.joined(separator: ", ")])
        facts.add(["devices", "\(status.devices)"])
        facts.add(["connections", connections(status.connections)])
        facts.add([
            "logins", "\(logins.accepted) let in, \(logins.refused) refused, \(logins.waiting) waiting to be decided",
        ])
        if logins.slowedAddresses > 0 {
            let listed = logins.slowed.map { "\($0.address) for \($0.seconds) s" }
            let more = logins.slowedAddresses - listed.count
            facts.add([
                "have to wait", (listed + (more > 0 ? ["\(more) more"] : [])).joined(separator: ", "),
            ])
        }
        facts.add([
            "memory",
            "\(Readable.bytes(UInt64(status.residentBytes))), "
                + "of that \(Readable.bytes(UInt64(status.blockBytes))) for \(status.blocks) blocks of peers",
        ])
        facts.add(["messages", "\(status.messages) received, \(status.pauses) pauses for too many in a second"])
        facts.add(["transfers", "\(status.transfers.active) under way"])
        for transfer in status.transfers.listed {
            facts.add([
                "",
                "block \(transfer.block) of \(transfer.device) by \(transfer.user): "
                    + "\(Readable.bytes(transfer.bytes)) in \(Readable.duration(.seconds(transfer.seconds)))",
            ])
        }
        return facts.draw(width: width, header: false) + "\n" + limits(status.limits).draw(width: width)
    }

    private static func connections(_ connections: ServerStatus.Connections) -> String {
        let roles = connections.roles.filter { $0.value > 0 }.sorted { $0.key < $1.key }
            .map { "\($0.value) \($0.key)" }
        let parts = roles + ["\(connections.pending) not logged in yet"]
        return "\(connections.all): " + parts.joined(separator: ", ")
    }

    private static func limits(_ limits: [ServerStatus.Limit]) -> Table {
        var table = Table([
            .init("LIMIT", keepsWhole: true), .init("VALUE", alignment: .right), .init("USED", alignment: .right),
            .init("REFUSED", alignment: .right), "MEANING",
        ])
        for limit in limits {
            let isStandard = limit.value == limit.standard
            table.add([
                limit.name, "\(limit.value)", limit.used.map { "\($0)" } ?? "-", limit.refusals.map { "\($0)" } ?? "-",
                limit.meaning + (isStandard ? "" : " (standard: \(limit.standard))"),
            ])
        }
        return table
    }
}
