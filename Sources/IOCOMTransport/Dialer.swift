public import NIOCore
import NIOPosix

/// Opens links to servers.
public enum Dialer {
    /// Connects on `loop` and gives the link to `reader`, which hears `opened` or `closed`.
    ///
    /// Must be called on `loop`. The future fails when no TCP connection came to be; a TLS failure reaches `reader`.
    public static func connect(
        to address: ConnectionAddress, tls: TLSClient?, timeout: TimeAmount = .seconds(10),
        on loop: any EventLoop, reader: any ByteLinkReader
    ) -> EventLoopFuture<Void> {
        if address.transport == .serial { return openLine(address, on: loop, reader: reader) }
        let isSecure = address.transport == .tls
        guard !isSecure || tls != nil else {
            return loop.makeFailedFuture(LinkError.cannotConnect("\(address) needs TLS settings"))
        }
        let reader = NIOLoopBound(reader, eventLoop: loop)
        return ClientBootstrap(group: loop)
            .connectTimeout(timeout)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.writeBufferWaterMark, value: .init(low: 128 * 1024, high: 512 * 1024))
            .channelOption(.recvAllocator, value: AdaptiveRecvByteBufferAllocator.forLinks)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls, isSecure {
                        // A numeric address is checked against the addresses in the certificate.
                        let name = isNumeric(address.host) ? nil : address.host
                        try channel.pipeline.syncOperations.addHandler(
                            tls.makeHandler(name))
                    }
                    try channel.pipeline.syncOperations.addHandler(
                        ByteLinkHandler(reader: reader.value, isSecure: isSecure, handshakeTimeout: timeout))
                }
            }
            .connect(host: address.host, port: address.port)
            .map { _ in }
            .flatMapErrorThrowing { error in
                throw LinkError.cannotConnect("cannot connect to \(address): \(explain(error))")
            }
    }

    /// A serial line has nothing to connect to: what is at its other end shows in the protocol.
    private static func openLine(
        _ address: ConnectionAddress, on loop: any EventLoop, reader: any ByteLinkReader
    ) -> EventLoopFuture<Void> {
        var reader: (any ByteLinkReader)? = reader
        return SerialLine.open(
            address, on: loop,
            makeReader: {
                defer { reader = nil }
                return reader
            },
            gone: { _ in }
        ).map { _ in }
    }

    private static func isNumeric(_ host: String) -> Bool {
        // A link-local IPv6 address carries its zone: fe80::1%eth0.
        (try? SocketAddress(ipAddress: String(host.prefix { $0 != "%" }), port: 0)) != nil
    }
}
