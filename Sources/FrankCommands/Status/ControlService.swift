import ByteTools
import Glibc
import IOCOMTransport
import NIOCore
import NIOPosix

/// Answers who may open the data folder: one request, a line, and one answer, a line of JSON; then the connection ends.
///
/// ```
/// status ⏎   →   {"version": …} ⏎
/// ```
struct ControlService: Sendable {
    /// The request that is answered.
    static let request = "status"
    /// Longest request that is read, bytes.
    static let longestRequest = 64
    /// Time for one connection.
    static let patience = TimeAmount.seconds(5)
    /// Connections at the same time.
    static let mostConnections = 16

    private let channel: any Channel
    private let socket: ControlSocket

    /// Listens in `folder`, whose lock this process must hold: a socket that is there is one of a frank that was killed.
    static func start(
        folder: String, patience: TimeAmount = ControlService.patience,
        answer: @escaping @Sendable () async throws -> [UInt8]
    ) async throws -> ControlService {
        let socket = try ControlSocket(folder: folder)
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let many = Self.mostConnections
        let gate = try await loop.submit {
            NIOLoopBound(
                ConnectionGate(
                    ListenerLimits(connections: many, perAddress: many, pending: many, pendingPerAddress: many)),
                eventLoop: loop)
        }.get()
        let channel = try await ServerBootstrap(group: loop)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard let place = gate.value.enter("this machine") else {
                        channel.close(promise: nil)
                        return
                    }
                    let bound = NIOLoopBound(place, eventLoop: channel.eventLoop)
                    channel.closeFuture.whenComplete { _ in bound.value.leave() }
                    try channel.pipeline.syncOperations.addHandler(ControlHandler(patience, answer))
                }
            }
            .bind(unixDomainSocketPath: socket.path, cleanupExistingSocketFile: true)
            .get()
        // Nobody else could connect before: that takes the right to write, which no usual mask leaves to others.
        guard chmod(socket.path, 0o600) == 0 else {
            let failure = StorageFailure("can't protect \(socket.path)", systemError: errno)
            try? await channel.close()
            throw failure
        }
        return ControlService(channel: channel, socket: socket)
    }

    /// Takes no further requests and removes the socket.
    func stop() async {
        socket.remove()
        try? await channel.close()
    }
}

private final class ControlHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let patience: TimeAmount
    private let answer: @Sendable () async throws -> [UInt8]
    private var request = ByteBuffer()
    private var isAnswered = false

    init(_ patience: TimeAmount, _ answer: @escaping @Sendable () async throws -> [UInt8]) {
        self.patience = patience
        self.answer = answer
    }

    func channelActive(context: ChannelHandlerContext) {
        let channel = context.channel
        let timer = context.eventLoop.scheduleTask(in: patience) { channel.close(promise: nil) }
        channel.closeFuture.whenComplete { _ in timer.cancel() }
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isAnswered else { return }
        var bytes = unwrapInboundIn(data)
        request.writeBuffer(&bytes)
        let line = request.readableBytesView.prefix { $0 != UInt8(ascii: "\n") }
        guard line.count < request.readableBytes else {
            if request.readableBytes > ControlService.longestRequest { context.close(promise: nil) }
            return
        }
        isAnswered = true
        guard line.elementsEqual(ControlService.request.utf8) else { return context.close(promise: nil) }
        let (channel, answer) = (context.channel, answer)
        context.eventLoop.makeFutureWithTask { try await answer() }
            .whenComplete { result in
                guard case .success(let bytes) = result else { return channel.close(promise: nil) }
                channel.writeAndFlush(ByteBuffer(bytes: bytes + [UInt8(ascii: "\n")]))
                    .whenComplete { _ in channel.close(promise: nil) }
            }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
