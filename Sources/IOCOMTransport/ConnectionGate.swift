/// How many connections the listeners of one program take together.
public struct ListenerLimits: Sendable {
    /// In all.
    public var connections: Int
    /// From one address.
    public var perAddress: Int
    /// Connections on which nobody is logged in yet.
    public var pending: Int
    /// Those from one address.
    public var pendingPerAddress: Int
    /// Time for the handshake of TLS, seconds.
    public var handshakeSeconds: Int

    /// Limits for a server of up to 10,000 devices, many of which may come through one router.
    public init(
        connections: Int = 20_000, perAddress: Int = 12_000, pending: Int = 4_096, pendingPerAddress: Int = 2_048,
        handshakeSeconds: Int = 10
    ) {
        self.connections = connections
        self.perAddress = perAddress
        self.pending = pending
        self.pendingPerAddress = pendingPerAddress
        self.handshakeSeconds = handshakeSeconds
    }
}

/// Counts connections, by address and whether somebody is logged in on them, and says when there are enough. Pure; confined
/// to one event loop.
public final class ConnectionGate {
    /// What kept a connection out.
    public enum Limit: Sendable, CaseIterable {
        /// Connections in all.
        case connections
        /// Connections from one address.
        case perAddress
        /// Connections in all on which nobody is logged in yet.
        case pending
        /// Those from one address.
        case pendingPerAddress
    }

    private struct Count {
        var all = 0
        var pending = 0
    }

    /// The limits in force.
    public let limits: ListenerLimits
    private var byAddress: [String: Count] = [:]
    /// Connections there are.
    public private(set) var connections = 0
    /// Those on which nobody is logged in yet.
    public private(set) var pending = 0
    /// How often each limit kept a connection out.
    public private(set) var refusals: [Limit: UInt64] = [:]
    /// The last connection that was kept out.
    public private(set) var lastRefusal: (limit: Limit, address: String)?

    /// A gate that nobody went through.
    public init(_ limits: ListenerLimits) { self.limits = limits }

    /// Most connections that one address has now, in all and without a login. Looks at every address.
    public var mostOfOneAddress: (connections: Int, pending: Int) {
        byAddress.values.reduce((0, 0)) { (max($0.0, $1.all), max($0.1, $1.pending)) }
    }

    /// Takes a connection, or nil when a limit is reached.
    public func enter(_ address: String) -> ConnectionPlace? {
        let count = byAddress[address] ?? Count()
        let reached: Limit? =
            if connections >= limits.connections {
                .connections
            } else if count.all >= limits.perAddress {
                .perAddress
            } else if pending >= limits.pending {
                .pending
            } else if count.pending >= limits.pendingPerAddress {
                .pendingPerAddress
            } else {
                nil
            }
        if let reached {
            refusals[reached, default: 0] &+= 1
            lastRefusal = (reached, address)
            return nil
        }
        connections += 1
        pending += 1
        byAddress[address] = Count(all: count.all + 1, pending: count.pending + 1)
        return ConnectionPlace(self, address)
    }

    fileprivate func admit(_ address: String) {
        pending -= 1
        byAddress[address]?.pending -= 1
    }

    fileprivate func leave(_ address: String) {
        connections -= 1
        byAddress[address]?.all -= 1
        if byAddress[address]?.all == 0 { byAddress[address] = nil }
    }
}

/// The place of one connection in its gate. Confined to the gate's loop.
public final class ConnectionPlace {
    private let gate: ConnectionGate
    private let address: String
    private var isPending = true
    private var isTaken = true

    fileprivate init(_ gate: ConnectionGate, _ address: String) {
        self.gate = gate
        self.address = address
    }

    /// Somebody is logged in on the connection.
    public func admit() {
        guard isPending, isTaken else { return }
        isPending = false
        gate.admit(address)
    }

    /// The connection is gone.
    public func leave() {
        guard isTaken else { return }
        admit()
        isTaken = false
        gate.leave(address)
    }
}
