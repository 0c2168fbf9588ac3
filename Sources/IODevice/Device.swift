public import DeviceDescription
public import IOCOM
public import IOCOMTransport
public import IONode
public import NIOCore

/// Where a device finds its server.
public struct ServerConnection: Sendable {
    /// Address.
    public var address: ConnectionAddress
    /// Further addresses: when one fails the next is tried, and after the last one the first again.
    public var others: [ConnectionAddress] = []
    /// TLS context for a `tls` address.
    public var tls: TLSClient?
    /// Password to show; only sent over TLS.
    public var password: PasswordText
    /// What is said in the authentication beside the name.
    public var flags: Authentication.Flags = []
    /// Shortest and longest pause between attempts, ms.
    public var pause: ClosedRange<Int64>

    /// Composes a connection.
    public init(
        address: ConnectionAddress, tls: TLSClient?, password: PasswordText,
        pause: ClosedRange<Int64> = 500...30_000
    ) {
        self.address = address
        self.tls = tls
        self.password = password
        self.pause = pause
    }
}

/// What happens to a device.
public enum DeviceEvent: Sendable, Equatable {
    /// A server answered over TLS with this certificate, DER; it has not let this device in yet.
    case met(certificate: [UInt8], String)
    /// The server knows this device's blocks: it can be seen and reached.
    case connected(String)
    /// The connection ended or could not be made.
    case disconnected(String)
    /// News of the control streams.
    case stream(ControlStreamEvent)
    /// A command signal in `imp` was set.
    case command(String)
}

/// A device: standard blocks, control streams, and a connection up to its server that is made again when it ends.
///
/// Confined to its node's loop; events come from an asynchronous sequence.
public final class Device: NodeRole {
    /// The node.
    public let node: Node
    /// Its blocks.
    public let blocks: DeviceBlocks
    /// What happens.
    public let events: AsyncStream<DeviceEvent>
    /// Called on the loop when a signal of `imp` may have changed; what it sets in `exp` leaves with the next update.
    public var imported: ((DeviceBlocks) -> Void)?

    private let emit: AsyncStream<DeviceEvent>.Continuation
    private let server: ServerConnection
    private var addressIndex = 0
    private var streams: ControlStreams?
    private var camera: CameraFeed?
    private var delay: ReconnectDelay
    private var retry: Scheduled<Void>?
    private var link: NodeLink?
    private var isReachable = false
    private var isStopped = false
    private var commands: CommandWatch

    /// Makes the node and its blocks. Must be called on `loop`. `commands` are booleans of `imp` that are reported,
    /// `obeyed` those that led to the restart before; the signals of a `camera` must be in `info`.
    public init(
        identity: NodeIdentity, info: DeviceInfo, service: any BlockService, server: ServerConnection,
        commands: [String], obeyed: Set<String> = [], camera: Camera? = nil, on loop: any EventLoop
    ) throws {
        guard let path = identity.device else { throw DeviceSetupError("the device name \(identity.name) is too long") }
        node = Node(identity: identity, isDynamic: false, on: loop)
        blocks = try DeviceBlocks(info, path: path, on: node)
        self.server = server
        self.commands = CommandWatch(commands, obeyed: obeyed)
        delay = ReconnectDelay(shortest: server.pause.lowerBound, longest: server.pause.upperBound)
        (events, emit) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(4096))
        let emit = emit
        streams = ControlStreams(
            node: node, upload: try blocks.streamPort(.upload), download: try blocks.streamPort(.download),
            service: service, report: { emit.yield(.stream($0)) })
        self.camera = try camera.map { try CameraFeed($0, blocks: blocks, node: node) }
        node.role = self
    }

    /// Starts to connect.
    public func start() { connect() }

    /// Ends the connection and everything that runs.
    public func stop() {
        isStopped = true
        retry?.cancel()
        streams?.stop()
        camera?.stop()
        node.shutDown()
        emit.finish()
    }

    /// Sets signals of `exp` and sends them as one snapshot.
    public func update(_ change: (DeviceBlocks) -> Void) {
        change(blocks)
        blocks.publish()
        node.flushWaiting()
    }

    /// True when nothing waits to be sent, and nothing that has to be sent first.
    public var isDrained: Bool { blocks.isDrained && streams?.isAtWork != true }

    private var address: ConnectionAddress { ([server.address] + server.others)[addressIndex] }

    private func connect() {
        guard !isStopped else { return }
        let bound = NIOLoopBound(self, eventLoop: node.loop)
        node.connect(to: address, tls: server.tls, direction: .up, password: server.password, flags: server.flags)
            .assumeIsolated()
            .whenComplete { result in
                switch result {
                case .success(let link): if bound.value.link == nil { bound.value.link = link }
                case .failure(let error): bound.value.ended(String(describing: error))
                }
            }
    }

    private func ended(_ reason: String) {
        link = nil
        // One that worked is the first to be tried again.
        if !isReachable { addressIndex = (addressIndex + 1) % (1 + server.others.count) }
        isReachable = false
        guard !isStopped else { return }
        emit.yield(.disconnected(reason))
        streams?.turn()
        camera?.turn()
        let pause = delay.next(random: Double.random(in: 0..<1))
        let bound = NIOLoopBound(self, eventLoop: node.loop)
        retry = node.loop.scheduleTask(in: .milliseconds(pause)) { bound.value.connect() }
    }

    // MARK: NodeRole

    /// The server's authentication came; whether it lets this device in shows when it asks for its blocks.
    public func linkReady(_ link: NodeLink) {
        self.link = link
        guard let certificate = link.peerCertificate else { return }
        emit.yield(.met(certificate: certificate, address.description))
    }

    /// The connection ended: try again.
    public func linkClosed(_ link: NodeLink, reason: String) {
        ended(
            isReachable || link.peer == nil
                ? reason : "\(reason); the server may not accept this device's name or password")
    }

    /// The first answer proves that the server accepted this device and knows it. Data need not come for long: an operator
    /// that listens takes a block when it needs it.
    public func blockAnswered(_ block: MemoryBlock, on link: NodeLink) {
        guard !isReachable, blocks.owns(block) else { return }
        isReachable = true
        delay.succeeded()
        emit.yield(.connected(address.description))
    }

    /// A snapshot from above.
    public func blockChanged(_ block: MemoryBlock, on link: NodeLink) {
        streams?.turn()
        camera?.turn()
        guard block.path.block == "imp", blocks.owns(block) else { return }
        for command in commands.risen(in: blocks, now: node.now) { emit.yield(.command(command)) }
        imported?(blocks)
        blocks.publish()
    }

    /// Everything published left, as far as the connection takes it.
    public func drained() {
        streams?.turn()
        camera?.turn()
    }
}
