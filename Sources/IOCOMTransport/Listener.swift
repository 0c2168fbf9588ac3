public import NIOCore
import NIOPosix
public import NIOSSL

/// A listening TCP or TLS port, or a serial line on which one peer is waited for, whose connections all live on one event loop.
public final class Listener {
    private enum Place {
        case port(any Channel)
        case line(SerialListener)
    }

    private let place: Place
    /// Where it really listens (a port 0 became a number).
    public let address: ConnectionAddress
    private let credentials: ListenerCredentials
    private let loop: any EventLoop

    private init(_ place: Place, address: ConnectionAddress, credentials: ListenerCredentials, on loop: any EventLoop) {
        self.place = place
        self.loop = loop
        self.address = address
        self.credentials = credentials
    }

    /// Serves connections that come from now on with another certificate; those that exist go on with theirs. Must be called
    /// on the listener's loop; without effect on a plain TCP port.
    public func use(_ tls: NIOSSLContext) { if credentials.tls != nil { credentials.tls = tls } }

    /// Binds. `makeReader` is called on the loop for each connection that `gate`, of the same loop, takes.
    ///
    /// Must be called on `loop`. Fails when the address is in use or not of this machine, or when TLS is asked for without
    /// a context.
    public static func bind(
        _ address: ConnectionAddress, tls: NIOSSLContext?, gate: ConnectionGate, on loop: any EventLoop,
        makeReader: @escaping () -> any ByteLinkReader
    ) -> EventLoopFuture<Listener> {
        if address.transport == .serial { return wait(on: address, on: loop, makeReader: makeReader) }
        let isSecure = address.transport == .tls
        guard !isSecure || tls != nil else {
            return loop.makeFailedFuture(LinkError.cannotConnect("\(address) needs a certificate and a key"))
        }
        let handshakeTimeout = TimeAmount.seconds(Int64(gate.limits.handshakeSeconds))
        let gate = NIOLoopBound(gate, eventLoop: loop)
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
                    let from = channel.remoteAddress?.limitedAddress ?? "unknown"
                    guard let place = gate.value.enter(from) else {
                        channel.close(promise: nil)
                        return
                    }
                    let bound = NIOLoopBound(place, eventLoop: channel.eventLoop)
                    channel.closeFuture.whenComplete { _ in bound.value.leave() }
                    if let tls = credentials.value.tls {
                        try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls))
                    }
                    try channel.pipeline.syncOperations.addHandler(
                        ByteLinkHandler(
                            reader: make.value(), isSecure: isSecure, handshakeTimeout: handshakeTimeout, place: place))
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
                return Listener(.port(channel), address: actual, credentials: credentials.value, on: loop)
            }
            .nonisolated()
    }

    /// Takes no further connections; those that exist go on.
    public func close() -> EventLoopFuture<Void> {
        switch place {
        case .port(let channel): return channel.close()
        case .line(let listener):
            listener.stop()
            return loop.makeSucceededVoidFuture()
        }
    }

    private static func wait(
        on address: ConnectionAddress, on loop: any EventLoop, makeReader: @escaping () -> any ByteLinkReader
    ) -> EventLoopFuture<Listener> {
        SerialListener.open(address, on: loop, makeReader: makeReader)
            .assumeIsolated()
            .map { Listener(.line($0.value), address: address, credentials: ListenerCredentials(nil), on: loop) }
            .nonisolated()
    }
}

/// What connections of a listener are served with; nil on plain TCP. Confined to the listener's loop.
private final class ListenerCredentials {
    var tls: NIOSSLContext?

    init(_ tls: NIOSSLContext?) { self.tls = tls }
}

extension AdaptiveRecvByteBufferAllocator {
    /// Reads grow to the size of several frames when much arrives. Each connection keeps its buffer, so thousands that have
    /// little to say begin small.
    static let forLinks = AdaptiveRecvByteBufferAllocator(minimum: 2048, initial: 2048, maximum: 256 * 1024)
}
