public import NIOCore
import NIOSSL
import NIOTLS

/// Who gets the bytes of a link. All calls come on the link's event loop.
public protocol ByteLinkReader: AnyObject {
    /// The link is usable: TCP is connected and TLS, if any, is through.
    func opened(_ link: ByteLink)
    /// Bytes arrived.
    func received(_ bytes: ByteBuffer, on link: ByteLink)
    /// More can be written again.
    func becameWritable(_ link: ByteLink)
    /// The link is gone; `error` is nil when the peer closed it in an orderly way.
    func closed(_ link: ByteLink, error: (any Error)?)
}

/// One byte stream to a peer: a TCP or TLS channel, the only thing above that knows NIO channels.
///
/// Confined to its event loop.
public final class ByteLink {
    private let channel: any Channel
    /// TLS is below.
    public let isSecure: Bool
    /// The certificate that the peer showed, DER; nil on plain connections and for clients, which show none.
    public let peerCertificate: [UInt8]?
    /// Peer's address as text without a port.
    public let peerAddress: String

    init(channel: any Channel, isSecure: Bool, peerAddress: String) {
        self.channel = channel
        self.isSecure = isSecure
        let shown = isSecure ? try? channel.pipeline.syncOperations.nioSSL_peerCertificate() : nil
        peerCertificate = try? shown?.toDERBytes()
        self.peerAddress = peerAddress
    }

    /// False while enough waits to be sent.
    public var isWritable: Bool { channel.isWritable }

    /// A buffer to fill and write.
    public func makeBuffer(capacity: Int) -> ByteBuffer { channel.allocator.buffer(capacity: capacity) }

    /// Hands bytes over; they leave with the next ``flush()``.
    public func write(_ bytes: ByteBuffer) { channel.write(bytes, promise: nil) }

    /// Sends what was written.
    public func flush() { channel.flush() }

    /// Turns reading on or off: off makes the peer wait.
    public func setReading(_ isOn: Bool) {
        _ = channel.setOption(.autoRead, value: isOn)
        if isOn { channel.read() }
    }

    /// Closes after what was written.
    public func close() { channel.close(promise: nil) }
}

/// Connects a channel with a ``ByteLinkReader`` and bounds the time of the TLS handshake.
final class ByteLinkHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let reader: any ByteLinkReader
    private let isSecure: Bool
    private let handshakeTimeout: TimeAmount
    private var link: ByteLink?
    /// Taken while the channel is open: a channel that is closed does not know it any more.
    private var peerAddress = "unknown"
    private var timer: Scheduled<Void>?
    private var error: (any Error)?
    private var isClosed = false

    init(reader: any ByteLinkReader, isSecure: Bool, handshakeTimeout: TimeAmount) {
        self.reader = reader
        self.isSecure = isSecure
        self.handshakeTimeout = handshakeTimeout
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { start(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        start(context)
        context.fireChannelActive()
    }

    private func start(_ context: ChannelHandlerContext) {
        guard timer == nil, link == nil else { return }
        peerAddress = context.channel.remoteAddress?.ipAddress ?? peerAddress
        guard isSecure else { return open(context) }
        let channel = context.channel
        timer = context.eventLoop.scheduleTask(in: handshakeTimeout) {
            channel.pipeline.fireErrorCaught(LinkError.tlsHandshakeTimeout)
        }
    }

    private func open(_ context: ChannelHandlerContext) {
        timer?.cancel()
        let link = ByteLink(channel: context.channel, isSecure: isSecure, peerAddress: peerAddress)
        self.link = link
        reader.opened(link)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case TLSUserEvent.handshakeCompleted = event, link == nil { open(context) }
        context.fireUserInboundEventTriggered(event)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard let link else { return }
        reader.received(unwrapInboundIn(data), on: link)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if let link, context.channel.isWritable { reader.becameWritable(link) }
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A peer that closes TCP without close_notify is an ordinary end here: the original does it.
        if case NIOSSLError.uncleanShutdown = error {
        } else if self.error == nil {
            self.error = error as? LinkError ?? LinkError.cannotConnect(explain(error))
        }
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        guard !isClosed else { return }
        isClosed = true
        let link = self.link ?? ByteLink(channel: context.channel, isSecure: isSecure, peerAddress: peerAddress)
        reader.closed(link, error: error)
        context.fireChannelInactive()
    }
}

/// What can go wrong below the protocol, said for people.
public enum LinkError: Error, CustomStringConvertible {
    /// The peer did not complete the TLS handshake in time.
    case tlsHandshakeTimeout
    /// A link could not be made or broke; the text says why and what to do.
    case cannotConnect(String)

    /// The reason.
    public var description: String {
        switch self {
        case .tlsHandshakeTimeout: "the TLS handshake was not completed in time; is the other end a TLS port?"
        case .cannotConnect(let reason): reason
        }
    }
}
