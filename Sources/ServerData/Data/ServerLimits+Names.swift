extension ServerLimits.Name {
    /// Value when nobody set another.
    public var standard: Int { facts.standard }

    /// Values that can be set.
    public var range: ClosedRange<Int> { facts.range }

    /// What it limits, for people: a few words.
    public var meaning: String { facts.meaning }

    private var facts: (standard: Int, range: ClosedRange<Int>, meaning: String) {
        switch self {
        case .connections: (20_000, 1...1_000_000, "connections at the same time")
        case .connectionsPerAddress: (12_000, 1...1_000_000, "connections from one address")
        case .deviceConnectionsPerAccount:
            (12_000, 1...1_000_000, "connections of devices or servers with one user name")
        case .operatorConnectionsPerAccount: (100, 1...100_000, "connections of operators with one user name")
        case .pendingConnections: (4_096, 1...100_000, "connections that are not logged in yet")
        case .pendingConnectionsPerAddress: (2_048, 1...100_000, "those from one address")
        case .handshakeSeconds: (10, 1...60, "seconds for the handshake")
        // Below 11 s a peer that keeps to the protocol would be dropped: it may be silent for 10 s.
        case .idleSeconds: (20, 11...600, "seconds without a byte from the peer")
        case .blocks: (120_000, 8...10_000_000, "memory blocks of all peers")
        case .blocksPerDevice: (64, 1...4_096, "memory blocks of a device's connection")
        case .blocksPerServer: (4_096, 1...1_000_000, "memory blocks of a server's or plain connection")
        case .blockBytes: (16 << 20, 1_024...64 << 20, "bytes of one memory block")
        case .connectionBytes: (64 << 20, 65_536...4 << 30, "bytes set aside for one connection")
        case .bytes: (2 << 30, 1 << 20...1 << 40, "bytes set aside for all connections")
        case .messagesPerSecond: (50_000, 100...10_000_000, "messages read from one connection in a second")
        case .loginFailures: (5, 1...1_000, "failed logins of a user from an address before it waits")
        case .loginWaitSeconds: (1, 1...3_600, "seconds of the first wait, doubled with each failure")
        case .longestLoginWaitSeconds: (60, 1...86_400, "seconds of the longest wait")
        case .addressFailures: (40, 1...100_000, "wrong passwords from an address before all of it waits")
        case .addressRecoveryMilliseconds:
            (1_500, 100...3_600_000, "milliseconds until an address gets one of those back")
        case .failureMemorySeconds: (600, 1...86_400, "seconds after which failures are forgotten")
        case .rememberedFailures: (10_000, 10...1_000_000, "users and addresses whose failures are remembered")
        case .loginChecks: (1, 1...64, "checks of passwords at the same time")
        case .waitingLogins: (2_048, 1...100_000, "logins that wait for such a check")
        case .waitingLoginsPerAddress: (512, 1...100_000, "those from one address")
        }
    }
}
