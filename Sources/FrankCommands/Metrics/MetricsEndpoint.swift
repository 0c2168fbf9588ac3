import IOCOMTransport
import NIOCore
import NIOHTTP1
import NIOPosix

/// Serves one page, `/metrics`, over HTTP on loopback.
struct MetricsEndpoint: Sendable {
    /// Time for one connection, which ends after its answer.
    static let patience = TimeAmount.seconds(10)
    /// Connections at the same time.
    static let mostConnections = 16

    /// Where it serves.
    let url: String
    private let channel: any Channel

    /// Listens; fails when the address is in use.
    static func start(
        _ address: MetricsAddress, page: @escaping @Sendable () async throws -> String
    ) async throws -> MetricsEndpoint {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let many = Self.mostConnections
        let gate = try await loop.submit {
            NIOLoopBound(
                ConnectionGate(
                    ListenerLimits(connections: many, perAddress: many, pending: many, pendingPerAddress: many)),
                eventLoop: loop)
        }.get()
        let channel: any Channel
        do {
            channel = try await ServerBootstrap(group: loop)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        guard let place = gate.value.enter("this machine") else {
                            channel.close(promise: nil)
                            return
                        }
                        let bound = NIOLoopBound(place, eventLoop: channel.eventLoop)
                        channel.closeFuture.whenComplete { _ in bound.value.leave() }
                        try channel.pipeline.syncOperations.configureHTTPServerPipeline(withErrorHandling: true)
                        try channel.pipeline.syncOperations.addHandler(MetricsHandler(page))
                    }
                }
                .bind(host: address.host, port: address.port)
                .get()
        } catch {
            throw MetricsError(
                description: "can't serve numbers at \(address.host) port \(address.port): \(error); "
                    + "name another port with --metrics")
        }
        let host = address.host.contains(":") ? "[\(address.host)]" : address.host
        return MetricsEndpoint(
            url: "http://\(host):\(channel.localAddress?.port ?? address.port)/metrics", channel: channel)
    }

    /// Takes no further requests.
    func stop() async { try? await channel.close() }
}

/// The endpoint could not start.
struct MetricsError: Error, CustomStringConvertible {
    let description: String
}

private final class MetricsHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let page: @Sendable () async throws -> String
    private var head: HTTPRequestHead?

    init(_ page: @escaping @Sendable () async throws -> String) { self.page = page }

    func channelActive(context: ChannelHandlerContext) {
        let channel = context.channel
        let timer = context.eventLoop.scheduleTask(in: MetricsEndpoint.patience) { channel.close(promise: nil) }
        channel.closeFuture.whenComplete { _ in timer.cancel() }
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): self.head = head
        case .body: break
        case .end:
            guard let head else { return }
            self.head = nil
            answer(head, context)
        }
    }

    private func answer(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        let channel = context.channel
        guard head.uri == "/metrics" || head.uri.hasPrefix("/metrics?") else {
            return Self.send(.notFound, "there is only /metrics\n", head, channel)
        }
        guard head.method == .GET || head.method == .HEAD else {
            return Self.send(.methodNotAllowed, "/metrics can only be read\n", head, channel)
        }
        let page = page
        context.eventLoop.makeFutureWithTask { try await page() }
            .whenComplete { result in
                switch result {
                case .success(let text): Self.send(.ok, text, head, channel)
                case .failure: Self.send(.internalServerError, "the server does not answer\n", head, channel)
                }
            }
    }

    private static func send(
        _ status: HTTPResponseStatus, _ text: String, _ request: HTTPRequestHead, _ channel: any Channel
    ) {
        var headers = HTTPHeaders()
        headers.add(
            name: "content-type",
            value: status == .ok ? "text/plain; version=0.0.4; charset=utf-8" : "text/plain; charset=utf-8")
        headers.add(name: "content-length", value: "\(text.utf8.count)")
        headers.add(name: "connection", value: "close")
        channel.write(
            HTTPServerResponsePart.head(HTTPResponseHead(version: .http1_1, status: status, headers: headers)),
            promise: nil)
        if request.method != .HEAD {
            channel.write(HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(string: text))), promise: nil)
        }
        channel.writeAndFlush(HTTPServerResponsePart.end(nil)).whenComplete { _ in channel.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
