import Access
import DeviceDescription
import HistoryEntries
import IOCOM
import IOCOMTransport
import IODevice
import ServerData
import ServerHistory

/// The one place where what happens at a server becomes entries of its history.
struct HistoryRecorder: Sendable {
    private let history: History
    private let server: String

    init(_ history: History, server: ServerSettings) {
        self.history = history
        self.server = DevicePath(name: "frank", number: server.deviceNumber, network: server.network).description
    }

    /// Records an event if a history has to tell of it; returns at once.
    func note(_ event: ServerEvent) {
        guard let entry = HistoryEntry(event, server: server, at: HistoryTime.now) else { return }
        history.add(entry)
    }
}

extension ServerConfiguration {
    /// The same configuration, with every event recorded besides.
    func recording(_ recorder: HistoryRecorder) -> ServerConfiguration {
        var recording = self
        let report = report
        recording.report = { event in
            recorder.note(event)
            report(event)
        }
        return recording
    }
}

extension HistoryEntry {
    /// The entry of an event; nil for what a history need not tell. `server` is the path of the server's own device.
    init?(_ event: ServerEvent, server: String, at time: Int64) {
        switch event {
        case .listening(let address):
            self.init(.server, at: time) {
                $0.device = server
                $0.address = address.description
                $0.result = "listening"
            }
        case .login(let visitor):
            self.init(.login, visitor, at: time) { $0.result = visitor.historyRole }
        case .refused(let visitor, let reason):
            self.init(.refused, visitor, at: time) { $0.text = reason }
        case .closed(let visitor, let reason):
            self.init(.closed, visitor, at: time) { $0.text = reason }
        case .violation(let visitor, let address, let rule):
            // Who was let in has an end of its connection that says the same.
            guard visitor == nil else { return nil }
            self.init(.refused, at: time) {
                $0.address = address
                $0.text = "violation of the protocol: \(rule)"
            }
        case .accountsReplaced(let network, let accounts, let administrators, let change, let visitor):
            self.init(.accounts, at: time) {
                $0.network = network.description
                $0.user = visitor?.user
                $0.address = visitor?.address
                $0.result = "replaced"
                $0.text =
                    (change.isEmpty ? "" : change + "; ") + "\(accounts) accounts, \(administrators) of administrators"
            }
        case .transfer(let transfer): self.init(transfer, at: time)
        case .paired(let device, let visitor):
            self.init(.accepted, visitor, at: time) {
                $0.device = device.description
                $0.result = "paired"
                $0.text = "it got the certificates of this server"
            }
        case .command(let device, let signal, let visitor):
            self.init(.configuration, visitor, at: time) {
                $0.device = device.description
                $0.network = device.network.description
                $0.result = "set"
                $0.text = signal
            }
        case .denied(let device, let visitor, let reason):
            self.init(.refused, visitor, at: time) {
                $0.device = device.description
                $0.network = device.network.description
                $0.text = reason
            }
        case .certificateRenewed(let names, let until, let reason):
            self.init(.certificate, at: time) {
                $0.device = server
                $0.result = "renewed"
                $0.text = "for \(names.joined(separator: ", ")), valid until \(until): \(reason)"
            }
        case .certificateServed(let fingerprint, let until):
            self.init(.certificate, at: time) {
                $0.device = server
                $0.hash = fingerprint.filter { $0 != ":" }.lowercased()
                $0.result = "served"
                $0.text = "valid until \(until)"
            }
        case .update(let phase, let reason):
            guard Self.isWorthAnEntry(phase) else { return nil }
            self.init(.program, at: time) {
                $0.device = server
                $0.network = server.split(separator: ".").last.map(String.init)
                $0.result = phase.text
                $0.text = reason
            }
        case .problem(let text):
            self.init(.server, at: time) {
                $0.device = server
                $0.result = Self.problem
                $0.text = text
            }
        case .stopping(let reason):
            self.init(.server, at: time) {
                $0.device = server
                $0.result = "stopping"
                $0.text = reason
            }
        case .abandoned, .deviceAppeared, .deviceLeft, .deviceIgnored: return nil
        }
    }

    /// An entry about a block that was written; nil for those that another event tells of.
    private init?(_ transfer: TransferReport, at time: Int64) {
        guard transfer.device.name != "accounts" else { return nil }
        let isProgram = transfer.block == PersistentBlock.program
        self.init(isProgram ? .program : .configuration, transfer.visitor, at: time) {
            $0.device = transfer.device.description
            $0.network = transfer.device.network.description
            $0.block = Int64(transfer.block)
            $0.package = transfer.package
            $0.version = isProgram ? transfer.version : nil
            $0.hash = transfer.hash
            $0.bytes = Int64(clamping: transfer.bytes)
            $0.result = transfer.result.text
            $0.seconds = transfer.seconds
            $0.text = transfer.text
        }
    }

    /// An entry about somebody at the other end of a connection.
    private init(_ kind: HistoryKind, _ visitor: Visitor, at time: Int64, _ fill: (inout HistoryEntry) -> Void) {
        self.init(kind, at: time) {
            $0.network = visitor.network
            $0.user = visitor.user
            $0.address = visitor.address
            // A device logs in with its own path, unless its number is automatic.
            if visitor.role == .device, DevicePath(visitor.user) != nil { $0.device = visitor.user }
            fill(&$0)
        }
    }

    /// Steps on the way say nothing that the end does not.
    private static func isWorthAnEntry(_ phase: UpdatePhase) -> Bool {
        switch phase {
        case .restarting, .proving, .confirmed, .rolledBack, .failed: true
        case .idle, .receiving, .verifying, .installing: false
        }
    }
}

extension Visitor {
    /// What it was let in as.
    fileprivate var historyRole: String {
        switch role {
        case let role?: role.rawValue
        case nil: isSecure ? "unknown" : "plain"
        }
    }
}
