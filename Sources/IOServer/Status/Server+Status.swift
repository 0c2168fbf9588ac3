import Access
import Glibc
import IOCOM
import IOCOMTransport
import IONode
import NIOCore
import NIOPosix
import ServerData

extension RunningServer {
    /// What the server says of itself now. Costs the server's loop well below a millisecond for each 10,000 connections.
    public func status() async throws -> ServerStatus {
        let (server, loop) = (self.server, self.loop)
        let resident = try await NIOThreadPool.singleton.runIfActive { ProcessMemory.residentBytes() }
        return try await loop.submit { server.value.status(residentBytes: resident) }.get()
    }
}

extension ServerStatus {
    /// Seconds since 1970.
    static var wallClock: Int { Int(time(nil)) }
}

extension Server {
    func status(residentBytes: Int) -> ServerStatus {
        let now = node.now
        let use = node.use
        let slowed = gate.slowed(now: now)
        let moving = traffic.values.compactMap { $0.transfer(now: now) }
        let uptime = Int((now - startedAt) / 1_000)
        return ServerStatus(
            version: version, process: getpid(), startedAt: startedSeconds, uptimeSeconds: uptime,
            addresses: listeners.map { "\($0.address)" }, networks: settings.publish.map { "\($0)" },
            devices: directory.count,
            connections: ServerStatus.Connections(
                all: node.gate.connections, pending: node.gate.pending,
                roles: Dictionary(
                    uniqueKeysWithValues: Census.Kind.allCases.map { ($0.rawValue, census.kinds[$0] ?? 0) })),
            logins: ServerStatus.Logins(
                accepted: census.accepted, refused: census.refused, waiting: queue.count,
                slowedAddresses: slowed.count,
                slowed: slowed.prefix(ServerStatus.mostListed).map {
                    ServerStatus.Slowed(address: $0.address, seconds: Int(($0.time + 999) / 1_000))
                }),
            blocks: use.blocks, blockBytes: use.bytes, residentBytes: residentBytes, messages: use.messages,
            pauses: use.pauses,
            transfers: ServerStatus.Transfers(
                active: moving.count, listed: Array(moving.prefix(ServerStatus.mostListed))),
            limits: usedLimits(use))
    }

    private func usedLimits(_ use: NodeUse) -> [ServerStatus.Limit] {
        let ofAddress = node.gate.mostOfOneAddress
        let ofAccount = census.mostOfOneAccount
        let refused = { (limit: NodeUse.BlockLimit) in use.refusedBlocks[limit] ?? 0 }
        return ServerLimits.Name.allCases.map { name in
            let (used, refusals): (Int?, UInt64?) =
                switch name {
                case .connections: (node.gate.connections, node.gate.refusals[.connections] ?? 0)
                case .connectionsPerAddress: (ofAddress.connections, node.gate.refusals[.perAddress] ?? 0)
                case .deviceConnectionsPerAccount: (ofAccount.devices, census.refusals[name] ?? 0)
                case .operatorConnectionsPerAccount: (ofAccount.operators, census.refusals[name] ?? 0)
                case .pendingConnections: (node.gate.pending, node.gate.refusals[.pending] ?? 0)
                case .pendingConnectionsPerAddress: (ofAddress.pending, node.gate.refusals[.pendingPerAddress] ?? 0)
                case .handshakeSeconds, .idleSeconds: (nil, census.refusals[name] ?? 0)
                case .blocks: (use.blocks, refused(.blocks))
                case .blocksPerDevice: (mostBlocks(isDevice: true), refused(.blocksOfPermissions))
                case .blocksPerServer: (mostBlocks(isDevice: false), refused(.blocksPerLink))
                case .blockBytes: (nil, refused(.blockSize))
                case .connectionBytes: (use.mostBytesOfOneLink, refused(.bytesPerLink))
                case .bytes: (use.bytes, refused(.bytes))
                case .messagesPerSecond: (use.mostMessagesOfOneLink, use.pauses)
                case .loginFailures: (nil, gate.waits.users)
                case .addressFailures: (nil, gate.waits.addresses)
                case .loginChecks: (queue.running, nil)
                case .waitingLogins: (queue.count, queue.refusals.all)
                case .waitingLoginsPerAddress: (queue.mostOfOneAddress, queue.refusals.perAddress)
                case .rememberedFailures: (gate.count, nil)
                case .loginWaitSeconds, .longestLoginWaitSeconds, .addressRecoveryMilliseconds, .failureMemorySeconds:
                    (nil, nil)
                }
            return ServerStatus.Limit(name, limits[name], used: used, refusals: refusals)
        }
    }

    private func mostBlocks(isDevice: Bool) -> Int {
        node.connections.reduce(0) { most, link in
            guard let visitor = (link.context as? LinkContext)?.visitor, (visitor.role == .device) == isDevice else {
                return most
            }
            return max(most, link.blockCount)
        }
    }
}
