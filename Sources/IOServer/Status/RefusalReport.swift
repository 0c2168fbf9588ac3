import IOCOM
import IOCOMTransport
import IONode
import ServerData

/// Connections that the listeners kept out, for the log: a line now and then, however many there are. Pure.
struct RefusalReport {
    /// Time between two lines, ms.
    static let pause: Milliseconds = 10_000

    private var told: UInt64 = 0
    private var last: Milliseconds?

    /// The next line; nil when there is nothing new or the last one is too young.
    mutating func next(
        _ refusals: [ConnectionGate.Limit: UInt64], last refusal: (limit: ConnectionGate.Limit, address: String)?,
        _ limits: ServerLimits, now: Milliseconds
    ) -> String? {
        let all = refusals.values.reduce(0, &+)
        guard all != told, let refusal, last.map({ now - $0 >= Self.pause }) ?? true else { return nil }
        let new = all &- told
        told = all
        last = now
        let name = refusal.limit.name
        return "\(new) connection\(new == 1 ? " was" : "s were") not taken, the last from \(refusal.address): "
            + "limit \(name.rawValue) is \(limits[name])"
    }
}

extension Server {
    func reportRefusals() {
        let gate = node.gate
        if let line = refusalReport.next(gate.refusals, last: gate.lastRefusal, limits, now: node.now) {
            report(.problem(line))
        }
    }

    /// A connection ended for that reason.
    func countTimeout(_ violation: ProtocolViolation?, _ reason: String) {
        switch violation {
        case .handshakeTimeout, .authenticationTimeout: census.refusals[.handshakeSeconds, default: 0] &+= 1
        case .silence: census.refusals[.idleSeconds, default: 0] &+= 1
        default:
            guard reason == LinkError.tlsHandshakeTimeout.description else { return }
            census.refusals[.handshakeSeconds, default: 0] &+= 1
        }
    }
}
