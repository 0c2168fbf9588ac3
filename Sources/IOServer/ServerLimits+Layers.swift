import IOCOM
import IOCOMTransport
import IONode
import ServerData

/// Each layer enforces what it sees: listeners count connections, the node blocks, bytes and messages, the server logins.
extension ServerLimits {
    /// What the node looks after.
    var node: NodeLimits {
        NodeLimits(
            blocks: self[.blocks], blocksPerLink: self[.blocksPerServer], blockSize: self[.blockBytes],
            bytesPerLink: self[.connectionBytes], bytes: self[.bytes], messagesPerSecond: self[.messagesPerSecond],
            handshakeTimeout: Milliseconds(self[.handshakeSeconds]) * 1_000,
            idleTimeout: Milliseconds(self[.idleSeconds]) * 1_000,
            listeners: ListenerLimits(
                connections: self[.connections], perAddress: self[.connectionsPerAddress],
                pending: self[.pendingConnections], pendingPerAddress: self[.pendingConnectionsPerAddress],
                handshakeSeconds: self[.handshakeSeconds]))
    }

    /// What the login gate and queue look after.
    var logins: LoginLimits {
        var limits = LoginLimits(checks: self[.loginChecks])
        limits.freeFailures = self[.loginFailures]
        limits.shortestWait = Milliseconds(self[.loginWaitSeconds]) * 1_000
        limits.longestWait = max(limits.shortestWait, Milliseconds(self[.longestLoginWaitSeconds]) * 1_000)
        limits.addressFailures = self[.addressFailures]
        limits.addressRecovery = Milliseconds(self[.addressRecoveryMilliseconds])
        limits.memory = Milliseconds(self[.failureMemorySeconds]) * 1_000
        limits.remembered = self[.rememberedFailures]
        limits.waiting = self[.waitingLogins]
        limits.waitingPerAddress = self[.waitingLoginsPerAddress]
        return limits
    }
}

extension ConnectionGate.Limit {
    /// The limit as people set it.
    var name: ServerLimits.Name {
        switch self {
        case .connections: .connections
        case .perAddress: .connectionsPerAddress
        case .pending: .pendingConnections
        case .pendingPerAddress: .pendingConnectionsPerAddress
        }
    }
}
