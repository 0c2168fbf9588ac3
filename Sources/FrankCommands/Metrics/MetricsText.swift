import IOServer

/// The state of a server in the text format of Prometheus (0.0.4). Labels are roles and names of limits only: no names of
/// devices, users or addresses, so the number of series is fixed.
struct MetricsText {
    private enum Kind: String { case counter, gauge }

    /// The page.
    private(set) var text = ""

    init(_ status: ServerStatus) {
        add("frank_info", .gauge, "The server's program.", [(["version": status.version], 1)])
        add("frank_start_time_seconds", .gauge, "Start of the server, seconds since 1970.", status.startedAt)
        add("frank_resident_memory_bytes", .gauge, "Resident memory of the process.", status.residentBytes)
        add("frank_devices", .gauge, "Devices that can be reached.", status.devices)
        add(
            "frank_connections", .gauge, "Connections on which somebody is logged in, by role.",
            status.connections.roles.sorted { $0.key < $1.key }.map { (["role": $0.key], UInt64(clamping: $0.value)) })
        add("frank_connections_open", .gauge, "Connections in all.", status.connections.all)
        add("frank_connections_pending", .gauge, "Connections that are not logged in yet.", status.connections.pending)
        add(
            "frank_logins_total", .counter, "Logins that were decided.",
            [(["result": "accepted"], status.logins.accepted), (["result": "refused"], status.logins.refused)])
        add("frank_logins_waiting", .gauge, "Logins that wait to be decided.", status.logins.waiting)
        add(
            "frank_addresses_slowed", .gauge, "Addresses from which somebody has to wait after failed logins.",
            status.logins.slowedAddresses)
        add("frank_blocks", .gauge, "Memory blocks that peers brought.", status.blocks)
        add("frank_block_bytes", .gauge, "Bytes set aside for blocks of peers.", status.blockBytes)
        add("frank_transfers", .gauge, "Blocks that are being written to devices.", status.transfers.active)
        add("frank_messages_received_total", .counter, "Messages received from peers.", [([:], status.messages)])
        add(
            "frank_read_pauses_total", .counter,
            "How often a connection was not read from for the rest of a second because it sent too many messages.",
            [([:], status.pauses)])
        add("frank_limit", .gauge, "Limits in force.", status.limits.map { (["limit": $0.name], UInt64($0.value)) })
        add(
            "frank_limit_used", .gauge, "How much of a limit is used, by the one who uses most where it is for each.",
            status.limits.compactMap { limit in limit.used.map { (["limit": limit.name], UInt64(clamping: $0)) } })
        add(
            "frank_limit_refusals_total", .counter, "How often a limit kept something out.",
            status.limits.compactMap { limit in limit.refusals.map { (["limit": limit.name], $0) } })
    }

    private mutating func add(_ name: String, _ kind: Kind, _ help: String, _ value: Int) {
        add(name, kind, help, [([:], UInt64(clamping: value))])
    }

    private mutating func add(
        _ name: String, _ kind: Kind, _ help: String, _ samples: [(labels: [String: String], value: UInt64)]
    ) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
        for sample in samples {
            let labels = sample.labels.sorted { $0.key < $1.key }.map { "\($0.key)=\"\(Self.escaped($0.value))\"" }
            text += name + (labels.isEmpty ? "" : "{\(labels.joined(separator: ","))}") + " \(sample.value)\n"
        }
    }

    private static func escaped(_ text: String) -> String {
        text.reduce(into: "") { result, character in
            switch character {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n": result += "\\n"
            default: result.append(character)
            }
        }
    }
}
