/// What a server lets its peers cost: one value with every limit, each with a name, a standard value and a range.
///
/// The standard values suit a server of up to 10,000 devices. They are set by the object `limits` of `server.json` and by
/// `frank run --limit NAME=VALUE`.
///
/// ```swift
/// var limits = ServerLimits()
/// try limits.set("handshake_seconds=5")
/// limits[.handshakeSeconds]      // 5
/// ```
public struct ServerLimits: Equatable, Sendable {
    /// The limits. The raw values are what people write, and never change their meaning.
    public enum Name: String, CaseIterable, Sendable {
        /// Connections at the same time.
        case connections
        /// Those from one address.
        case connectionsPerAddress = "connections_per_address"
        /// Those of devices or servers with one user name in one network; devices with automatic numbers share a name.
        case deviceConnectionsPerAccount = "device_connections_per_account"
        /// Those of operators with one user name in one network.
        case operatorConnectionsPerAccount = "operator_connections_per_account"
        /// Connections on which nobody is logged in yet.
        case pendingConnections = "pending_connections"
        /// Those from one address.
        case pendingConnectionsPerAddress = "pending_connections_per_address"
        /// Time for the handshake of TLS, and again for the one of the protocol with the authentication.
        case handshakeSeconds = "handshake_seconds"
        /// Time without a byte from the peer. Peers send something every 10 s (wire-protocol.md 2.8).
        case idleSeconds = "idle_seconds"
        /// Memory blocks of all peers.
        case blocks
        /// Memory blocks that a connection of a device may bring.
        case blocksPerDevice = "blocks_per_device"
        /// Memory blocks that a connection of a server, or a plain one, may bring.
        case blocksPerServer = "blocks_per_server"
        /// Bytes of one block.
        case blockBytes = "block_bytes"
        /// Bytes that one connection may have set aside for its blocks and the snapshots it sends.
        case connectionBytes = "connection_bytes"
        /// The same of all connections together.
        case bytes
        /// Messages that are read from one connection in a second; the rest waits at the peer.
        case messagesPerSecond = "messages_per_second"
        /// Failed logins of one user from one address before it has to wait.
        case loginFailures = "login_failures"
        /// First wait; doubled with each further failure.
        case loginWaitSeconds = "login_wait_seconds"
        /// Longest wait.
        case longestLoginWaitSeconds = "longest_login_wait_seconds"
        /// Wrong passwords from one address, whatever the user, before the whole address has to wait.
        case addressFailures = "address_failures"
        /// Time in which an address gets one of those back.
        case addressRecoveryMilliseconds = "address_recovery_milliseconds"
        /// Time after which failures are forgotten.
        case failureMemorySeconds = "failure_memory_seconds"
        /// Users and addresses whose failures are remembered at once.
        case rememberedFailures = "remembered_failures"
        /// Checks of passwords at the same time; each takes up to 16 MiB and a core.
        case loginChecks = "login_checks"
        /// Logins that wait for such a check.
        case waitingLogins = "waiting_logins"
        /// Those from one address.
        case waitingLoginsPerAddress = "waiting_logins_per_address"
    }

    private var chosen: [Name: Int] = [:]

    /// The standard limits.
    public init() {}

    /// Value of a limit; setting one outside of ``Name/range`` takes the nearest that is allowed.
    public subscript(name: Name) -> Int {
        get { chosen[name] ?? name.standard }
        set { chosen[name] = min(max(newValue, name.range.lowerBound), name.range.upperBound) }
    }

    /// Limits that were set, in the order of ``Name``.
    public var chosenValues: [(name: Name, value: Int)] {
        Name.allCases.compactMap { name in chosen[name].map { (name, $0) } }
    }

    /// Sets a limit that somebody wrote.
    ///
    /// - Throws: ``Problem`` with the name.
    public mutating func set(_ text: String, to value: Int) throws(Problem) {
        guard let name = Name(rawValue: text) else { throw .unknown(text) }
        guard name.range.contains(value) else { throw .outOfRange(name, value) }
        chosen[name] = value
    }

    /// Sets a limit from a text of the form `NAME=VALUE`.
    ///
    /// - Throws: ``Problem``.
    public mutating func set(_ text: String) throws(Problem) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty else { throw .form(text) }
        let name = String(parts[0])
        guard Name(rawValue: name) != nil else { throw .unknown(name) }
        guard !parts[1].isEmpty, parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }), let value = Int(parts[1])
        else { throw .notANumber(name) }
        try set(name, to: value)
    }

    /// What is wrong with a limit.
    public enum Problem: Error, Equatable, CustomStringConvertible {
        /// Not `NAME=VALUE`.
        case form(String)
        /// There is no such limit.
        case unknown(String)
        /// The value is not a whole number.
        case notANumber(String)
        /// The value is too small or too large.
        case outOfRange(Name, Int)

        /// For people.
        public var description: String {
            switch self {
            case .form(let text): "\"\(text)\" is not of the form NAME=VALUE, like handshake_seconds=5"
            case .unknown(let text):
                "there is no limit \"\(text)\"; there are \(Name.allCases.map(\.rawValue).joined(separator: ", "))"
            case .notANumber(let text): "the value of limit \"\(text)\" is not a whole number"
            case .outOfRange(let name, let value):
                "limit \"\(name.rawValue)\" can't be \(value): it takes \(name.range.lowerBound) to \(name.range.upperBound)"
            }
        }
    }
}
