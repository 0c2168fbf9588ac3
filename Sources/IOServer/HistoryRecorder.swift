import DeviceDescription
import HistoryEntries
import IOCOM
import IOCOMTransport
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
        case .accountsReplaced(let network, let accounts, let administrators):
            self.init(.accounts, at: time) {
                $0.network = network.description
                $0.result = "replaced"
                $0.text = "\(accounts) accounts, \(administrators) of administrators"
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
        case .device?: "device"
        case .operator?: "operator"
        case .server?: "server"
        case nil: isSecure ? "unknown" : "plain"
        }
    }
}
