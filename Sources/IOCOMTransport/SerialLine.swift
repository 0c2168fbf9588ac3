import NIOCore
import NIOPosix

/// A serial port that is open, as a channel: its bytes go to the reader of the connection that there is now. Confined to its
/// loop.
///
/// A line has no connections of its own, they come and go on the same open port.
final class SerialLine: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private struct Session {
        let link: ByteLink
        let reader: any ByteLinkReader
    }

    /// A port has room for some frames; what waits beyond would be late.
    private static let waterMark = ChannelOptions.Types.WriteBufferWaterMark(low: 256, high: 512)

    private let port: SerialPort
    private let address: ConnectionAddress
    private let makeReader: () -> (any ByteLinkReader)?
    private let gone: ((any Error)?) -> Void
    private var channel: (any Channel)?
    private var session: Session?
    private var error: (any Error)?
    private var isStopping = false

    private init(
        _ port: SerialPort, _ address: ConnectionAddress, makeReader: @escaping () -> (any ByteLinkReader)?,
        gone: @escaping ((any Error)?) -> Void
    ) {
        self.port = port
        self.address = address
        self.makeReader = makeReader
        self.gone = gone
    }

    /// Opens the port and starts a connection. `makeReader` is asked for a reader for each; without one the port is closed.
    /// `gone` is called once when the port is closed.
    static func open(
        _ address: ConnectionAddress, on loop: any EventLoop, makeReader: @escaping () -> (any ByteLinkReader)?,
        gone: @escaping ((any Error)?) -> Void
    ) -> EventLoopFuture<NIOLoopBound<SerialLine>> {
        loop.preconditionInEventLoop()
        let opened: (port: SerialPort, descriptor: CInt)
        do throws(LinkError) { opened = try SerialPort.open(address) } catch { return loop.makeFailedFuture(error) }
        let line = NIOLoopBound(
            SerialLine(opened.port, address, makeReader: makeReader, gone: gone), eventLoop: loop)
        return NIOPipeBootstrap(group: loop)
            .channelOption(.writeBufferWaterMark, value: waterMark)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 1024))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(line.value)
                }
            }
            .takingOwnershipOfDescriptor(inputOutput: opened.descriptor)
            .map { _ in line }
            .flatMapErrorThrowing { error in
                line.value.port.close()
                throw LinkError.cannotConnect("cannot use \(address.host): \(explain(error))")
            }
    }

    /// Closes the port once the connection that there is has ended.
    func stop() {
        isStopping = true
        if session == nil { channel?.close(promise: nil) }
    }

    private func start() {
        guard let channel, session == nil, !isStopping, let reader = makeReader() else { return stop() }
        let id = NIOLoopBound(self, eventLoop: channel.eventLoop)
        let link = ByteLink(
            serial: channel, port: address.host,
            discard: { id.value.port.discardOutput() },
            // Not at once: who closes is often in the middle of reading.
            end: { link in channel.eventLoop.assumeIsolated().execute { id.value.end(link) } })
        session = Session(link: link, reader: reader)
        // The one before may have left it off, as while it waits for a decision that let nobody in.
        link.setReading(true)
        reader.opened(link)
    }

    private func end(_ link: ByteLink) {
        guard let session, session.link === link else { return }
        self.session = nil
        session.reader.closed(link, error: nil)
        start()
    }

    // MARK: Channel

    func channelActive(context: ChannelHandlerContext) {
        begin(context)
        context.fireChannelActive()
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { begin(context) }
    }

    private func begin(_ context: ChannelHandlerContext) {
        guard channel == nil else { return }
        channel = context.channel
        start()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard let session else { return }
        session.reader.received(unwrapInboundIn(data), on: session.link)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if let session, context.channel.isWritable { session.reader.becameWritable(session.link) }
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.error = self.error ?? LinkError.cannotConnect("\(address.host) failed: \(explain(error))")
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        port.close()
        channel = nil
        isStopping = true
        let error = error ?? LinkError.cannotConnect("\(address.host) is gone")
        if let session {
            self.session = nil
            session.reader.closed(session.link, error: error)
        }
        gone(error)
        context.fireChannelInactive()
    }
}

/// Waits on a serial port for one peer after the other, and opens the port again when it was unplugged. Confined to its loop.
final class SerialListener {
    private let address: ConnectionAddress
    private let loop: any EventLoop
    private let makeReader: () -> any ByteLinkReader
    private var line: SerialLine?
    private var isStopped = false
    private var retry: Scheduled<Void>?
    /// A port that is plugged in again is there for people at once.
    private var delay = ReconnectDelay(shortest: 500, longest: 2_000)

    private init(_ address: ConnectionAddress, on loop: any EventLoop, makeReader: @escaping () -> any ByteLinkReader) {
        self.address = address
        self.loop = loop
        self.makeReader = makeReader
    }

    /// Opens the port. Fails when that is not possible now.
    static func open(
        _ address: ConnectionAddress, on loop: any EventLoop, makeReader: @escaping () -> any ByteLinkReader
    ) -> EventLoopFuture<NIOLoopBound<SerialListener>> {
        let listener = NIOLoopBound(SerialListener(address, on: loop, makeReader: makeReader), eventLoop: loop)
        return listener.value.open().map { listener }
    }

    private func open() -> EventLoopFuture<Void> {
        let bound = NIOLoopBound(self, eventLoop: loop)
        return SerialLine.open(
            address, on: loop,
            makeReader: { [weak self] in self.flatMap { $0.isStopped ? nil : $0.makeReader() } },
            gone: { [weak self] _ in self?.gone() }
        ).map { line in
            bound.value.line = line.value
            bound.value.delay.succeeded()
        }
    }

    private func gone() {
        line = nil
        guard !isStopped else { return }
        let bound = NIOLoopBound(self, eventLoop: loop)
        retry = loop.scheduleTask(in: .milliseconds(delay.next(random: 0))) {
            guard !bound.value.isStopped else { return }
            bound.value.open().whenFailure { _ in bound.value.gone() }
        }
    }

    /// No further connections; the one that there is goes on.
    func stop() {
        isStopped = true
        retry?.cancel()
        line?.stop()
    }
}
