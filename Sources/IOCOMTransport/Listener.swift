public import NIOCore
import NIOPosix
public import NIOSSL

/// How many connections a listener takes.
public struct ListenerLimits: Sendable {
    /// In all.
    public var connections: Int
    /// From one address.
    public var perAddress: Int

    /// Limits for a server of up to 10,000 devices, many of which may come through one router.
    public init(connections: Int = 20_000, perAddress: Int = 12_000) {
        self.connections = connections
        self.perAddress = perAddress
    }
}

/// A listening TCP or TLS port whose connections all live on one event loop.
public final class Listener {
    private let channel: any Channel
    /// Where it really listens (a port 0 became a number).
    public let address: ConnectionAddress
    private let credentials: ListenerCredentials

    private init(channel: any Channel, address: ConnectionAddress, credentials: ListenerCredentials) {
        self.channel = channel
        self.address = address
        self.credentials = credentials
    }

    /// Serves connections that come from now on with another certificate; those that exist go on with theirs. Must be called
    /// on the listener's loop; without effect on a plain TCP port.
    public func use(_ tls: NIOSSLContext) { if credentials.tls != nil { credentials.tls = tls } }

    /// Binds. `makeReader` is called on the loop for each connection.
    ///
    /// Must be called on `loop`. Fails when the address is in use or not of this machine, or when TLS is asked for without
    /// a context.
    public static func bind(
        _ address: ConnectionAddress, tls: NIOSSLContext?, limits: ListenerLimits = ListenerLimits(),
        handshakeTimeout: TimeAmount = .seconds(10), on loop: any EventLoop,
        makeReader: @escaping () -> any ByteLinkReader
    ) -> EventLoopFuture<Listener> {
        let isSecure = address.transport == .tls
        guard !isSecure || tls != nil else {
            return loop.makeFailedFuture(LinkError.cannotConnect("\(address) needs a certificate and a key"))
        }
        let gate = NIOLoopBound(ConnectionGate(limits: limits), eventLoop: loop)
        let make = NIOLoopBound(makeReader, eventLoop: loop)
        let credentials = NIOLoopBound(ListenerCredentials(isSecure ? tls : nil), eventLoop: loop)
        return ServerBootstrap(group: loop)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.writeBufferWaterMark, value: .init(low: 128 * 1024, high: 512 * 1024))
            .childChannelOption(.recvAllocator, value: AdaptiveRecvByteBufferAllocator.forLinks)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let from = channel.remoteAddress?.ipAddress ?? "unknown"
                    guard gate.value.enter(from) else {
                        channel.close(promise: nil)
                        return
                    }
                    channel.closeFuture.whenComplete { _ in gate.value.leave(from) }
                    if let tls = credentials.value.tls {
                        try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls))
                    }
                    try channel.pipeline.syncOperations.addHandler(
                        ByteLinkHandler(reader: make.value(), isSecure: isSecure, handshakeTimeout: handshakeTimeout))
                }
            }
            .bind(host: address.host, port: address.port)
            .flatMapErrorThrowing { error in
                throw LinkError.cannotConnect("cannot listen on \(address): \(explain(error))")
            }
            .assumeIsolated()
            .map { channel in
                var actual = address
                actual.port = channel.localAddress?.port ?? address.port
                return Listener(channel: channel, address: actual, credentials: credentials.value)
            }
            .nonisolated()
    }

    /// Takes no further connections; those that exist go on.
    public func close() -> EventLoopFuture<Void> { channel.close() }
}

/// What connections of a listener are served with; nil on plain TCP. Confined to the listener's loop.
private final class ListenerCredentials {
    var tls: NIOSSLContext?

    init(_ tls: NIOSSLContext?) { self.tls = tls }
}

/// Counts connections by address. Confined to the listener's loop.
private final class ConnectionGate {
    private let limits: ListenerLimits
    private var total = 0
    private var byAddress: [String: Int] = [:]

    init(limits: ListenerLimits) { self.limits = limits }

    func enter(_ address: String) -> Bool {
        guard total < limits.connections, byAddress[address, default: 0] < limits.perAddress else { return false }
        total += 1
        byAddress[address, default: 0] += 1
        return true
    }

    func leave(_ address: String) {
        total -= 1
        if let count = byAddress[address] { byAddress[address] = count > 1 ? count - 1 : nil }
    }
}

extension AdaptiveRecvByteBufferAllocator {
    /// Reads grow to the size of several frames when much arrives.
    static let forLinks = AdaptiveRecvByteBufferAllocator(minimum: 2048, initial: 16 * 1024, maximum: 256 * 1024)
}
