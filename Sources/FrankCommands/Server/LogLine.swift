import Access
import DeviceDescription
import IOCOM
import IOCOMTransport
import IOServer
import ServerData
import TerminalUI

/// An event as a line for people and as an object for programs. Names come from peers: nothing in them reaches a terminal
/// as a command.
struct LogLine {
    private var event: String
    private var sentence: String
    private var members: [(String, JSONText)]

    init(_ event: ServerEvent) {
        switch event {
        case .listening(let address):
            self.init("listening", "listening on \(address)", [("address", .string(address.description))])
        case .login(let visitor):
            self.init("login", "login \(visitor.sentence)", visitor.members)
        case .refused(let visitor, let reason):
            self.init(
                "refused", "refused \(visitor.sentence): \(reason)", visitor.members + [("reason", .string(reason))])
        case .closed(let visitor, let reason):
            self.init(
                "closed", "closed \(visitor.sentence): \(reason)", visitor.members + [("reason", .string(reason))])
        case .abandoned(let address, let reason):
            self.init(
                "abandoned", "connection from \(address) ended before a login: \(reason)",
                [("from", .string(address)), ("reason", .string(reason))])
        case .violation(let visitor, let address, let rule):
            self.init(
                "violation", "violation by \(visitor?.sentence ?? "somebody from \(address)"): \(rule)",
                [("user", .string(visitor?.user)), ("from", .string(address)), ("reason", .string(rule))])
        case .deviceAppeared(let device, let visitor):
            self.init(
                "device-appeared", "device \(device) appeared, brought by \(visitor.sentence)",
                [("device", .string(device.description))] + visitor.members)
        case .deviceLeft(let device, let reason):
            self.init(
                "device-left", "device \(device) left: \(reason)",
                [("device", .string(device.description)), ("reason", .string(reason))])
        case .deviceIgnored(let device, let visitor, let reason):
            self.init(
                "device-ignored", "device \(device) of \(visitor.sentence) was ignored: \(reason)",
                [("device", .string(device.description))] + visitor.members + [("reason", .string(reason))])
        case .accountsReplaced(let network, let accounts, let administrators, let change, let visitor):
            let warning = administrators == 0 ? "; none of them is an administrator" : ""
            self.init(
                "accounts-replaced",
                "accounts of network \(network) were replaced"
                    + (visitor.map { " by \($0.sentence)" } ?? "") + (change.isEmpty ? "" : ", \(change)")
                    + ": \(accounts) accounts\(warning)",
                [
                    ("network", .string(network.description)), ("accounts", .number(accounts)),
                    ("administrators", .number(administrators)), ("change", .string(change)),
                    ("user", .string(visitor?.user)),
                ])
        case .transfer(let transfer): self.init(transfer)
        case .paired(let device, let visitor):
            self.init(
                "paired", "device \(device) got this server's certificates and restarts with them",
                [("device", .string(device.description))] + visitor.members)
        case .command(let device, let signal, let visitor):
            self.init(
                "command", "\(visitor.sentence) set \(signal) of \(device)",
                [("device", .string(device.description)), ("signal", .string(signal))] + visitor.members)
        case .denied(let device, let visitor, let reason):
            self.init(
                "denied", "denied at \(device): \(reason)",
                [("device", .string(device.description)), ("reason", .string(reason))] + visitor.members)
        case .update(let phase, let reason):
            self.init(
                "update", "update: \(phase.text)" + (reason.isEmpty ? "" : ": \(reason)"),
                [("phase", .string(phase.text)), ("reason", .string(reason))])
        case .certificateRenewed(let names, let until, let reason):
            self.init(
                "certificate-renewed",
                "the server's certificate was renewed for \(names.joined(separator: ", ")) until \(until): \(reason)",
                [
                    ("names", .array(names.map { .string($0) })), ("until", .string(until)),
                    ("reason", .string(reason)),
                ])
        case .certificateServed(let fingerprint, let until):
            self.init(
                "certificate-served",
                "connections get the certificate with SHA-256 \(fingerprint) from now on; it is valid until \(until)",
                [("fingerprint", .string(fingerprint)), ("until", .string(until))])
        case .problem(let text): self.init("problem", "problem: \(text)", [("reason", .string(text))])
        case .stopping(let reason): self.init("stopping", "stopping: \(reason)", [("reason", .string(reason))])
        }
    }

    private init(_ transfer: TransferReport) {
        let subject = transfer.block == 1 ? "a program" : "block \(transfer.block)"
        let name = [transfer.package, transfer.version].filter { !$0.isEmpty }.joined(separator: ", now ")
        self.init(
            "transfer",
            "\(transfer.visitor.sentence) wrote \(subject) to \(transfer.device): \(transfer.result.rawValue)"
                + (name.isEmpty ? "" : " (\(name))") + (transfer.text.isEmpty ? "" : ": \(transfer.text)"),
            [
                ("device", .string(transfer.device.description)), ("block", .number(transfer.block)),
                ("bytes", .number(transfer.bytes)), ("sha256", .string(transfer.hash)),
                ("package", .string(transfer.package)), ("version", .string(transfer.version)),
                ("result", .string(transfer.result.rawValue)), ("seconds", .number(transfer.seconds)),
                ("reason", .string(transfer.text)),
            ] + transfer.visitor.members)
    }

    private init(_ event: String, _ sentence: String, _ members: [(String, JSONText)]) {
        self.event = event
        self.sentence = sentence
        self.members = members
    }

    /// For people.
    func text(time: String) -> String { "\(time) \(DisplayText.clean(sentence))" }

    /// For programs.
    func json(time: String) -> JSONText {
        .object([("time", .string(time)), ("event", .string(event))] + members)
    }
}

extension Visitor {
    fileprivate var kind: String {
        switch role {
        case let role?: role.rawValue
        case nil: isSecure ? "unknown" : "plain"
        }
    }

    fileprivate var sentence: String {
        switch role {
        case nil where isSecure: "\(user) from \(address)"
        default: "\(user) from \(address) (\(kind))"
        }
    }

    fileprivate var members: [(String, JSONText)] {
        [("user", .string(user)), ("from", .string(address)), ("role", .string(kind))]
    }
}
