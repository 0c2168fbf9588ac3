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

/// One byte stream to a peer: a TCP or TLS channel, or a connection on a serial line; the only thing above that knows NIO
/// channels.
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
    /// What limits for one address are counted for: the address, of IPv6 its first 64 bits.
    public let limitedAddress: String
    /// It is a connection on a serial line, where bytes are lost or changed on the way.
    public let isSerial: Bool
    private let place: ConnectionPlace?
    private let discard: () -> Void
    /// Ends a connection on a line that stays open.
    private let end: ((ByteLink) -> Void)?

    /// A connection on a serial line.
    init(
        serial channel: any Channel, port: String, discard: @escaping () -> Void, end: @escaping (ByteLink) -> Void
    ) {
        self.channel = channel
        isSecure = false
        isSerial = true
        peerCertificate = nil
        peerAddress = port
        limitedAddress = port
        place = nil
        self.discard = discard
        self.end = end
    }

    init(
        channel: any Channel, isSecure: Bool, peerAddress: String, limitedAddress: String, place: ConnectionPlace? = nil
    ) {
        self.channel = channel
        self.place = place
        isSerial = false
        discard = {}
        end = nil
        self.isSecure = isSecure
        let shown = isSecure ? try? channel.pipeline.syncOperations.nioSSL_peerCertificate() : nil
        peerCertificate = try? shown?.toDERBytes()
        self.peerAddress = peerAddress
        self.limitedAddress = limitedAddress
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

    /// Somebody is logged in: the connection counts no longer among those on which nobody is.
    public func admitted() { place?.admit() }

    /// Forgets bytes that a serial port has not sent yet, as far as it can.
    public func discardOutput() { discard() }

    /// Closes after what was written. A serial line itself stays open when others may come.
    public func close() {
        if let end { end(self) } else { channel.close(promise: nil) }
    }
}

/// Connects a channel with a ``ByteLinkReader`` and bounds the time of the TLS handshake.
final class ByteLinkHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let reader: any ByteLinkReader
    private let isSecure: Bool
    private let handshakeTimeout: TimeAmount
    private let place: ConnectionPlace?
    private var link: ByteLink?
    /// Taken while the channel is open: a channel that is closed does not know it any more.
    private var peerAddress = "unknown"
    private var limitedAddress = "unknown"
    private var timer: Scheduled<Void>?
    private var error: (any Error)?
    private var isClosed = false

    init(
        reader: any ByteLinkReader, isSecure: Bool, handshakeTimeout: TimeAmount, place: ConnectionPlace? = nil
    ) {
        self.place = place
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
        limitedAddress = context.channel.remoteAddress?.limitedAddress ?? limitedAddress
        guard isSecure else { return open(context) }
        let channel = context.channel
        timer = context.eventLoop.scheduleTask(in: handshakeTimeout) {
            channel.pipeline.fireErrorCaught(LinkError.tlsHandshakeTimeout)
        }
    }

    private func makeLink(_ channel: any Channel) -> ByteLink {
        ByteLink(
            channel: channel, isSecure: isSecure, peerAddress: peerAddress, limitedAddress: limitedAddress, place: place
        )
    }

    private func open(_ context: ChannelHandlerContext) {
        timer?.cancel()
        let link = makeLink(context.channel)
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
        let link = self.link ?? makeLink(context.channel)
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
