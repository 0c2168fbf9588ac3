public import DeviceDescription
public import Discovery
public import IOCOM
public import IOCOMTransport
public import IONode
public import NIOCore

/// Where a device finds its server.
public struct ServerConnection: Sendable {
    /// Address, or what to look for.
    public var address: ServerAddress
    /// Further ones: when one fails the next is tried, and after the last one the first again.
    public var others: [ServerAddress] = []
    /// TLS context for a `tls` address.
    public var tls: TLSClient?
    /// TLS context for a server that is looked for, whose address its certificate need not name; else the same.
    public var tlsWhenFound: TLSClient?
    /// Password to show; only sent over TLS.
    public var password: PasswordText
    /// What is said in the authentication beside the name.
    public var flags: Authentication.Flags = []
    /// Shortest and longest pause between attempts, ms.
    public var pause: ClosedRange<Int64>

    /// Composes a connection to a server at a known address.
    public init(
        address: ConnectionAddress, tls: TLSClient?, password: PasswordText,
        pause: ClosedRange<Int64> = 500...30_000
    ) {
        self.init(server: .fixed(address), tls: tls, password: password, pause: pause)
    }

    /// Composes a connection to a server that may have to be found.
    public init(
        server: ServerAddress, tls: TLSClient?, password: PasswordText, pause: ClosedRange<Int64> = 500...30_000
    ) {
        address = server
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
    private var searches: [DiscoveryQuery: ServerSearch] = [:]
    /// The one that gave the address that is tried.
    private var search: ServerSearch?
    private var looking: Task<Void, Never>?
    /// Where it is connected or tries to.
    private var dialed: ConnectionAddress?
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
        looking?.cancel()
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

    private var address: ServerAddress { ([server.address] + server.others)[addressIndex] }

    private func tryNext() { addressIndex = (addressIndex + 1) % (1 + server.others.count) }

    private func connect() {
        guard !isStopped else { return }
        switch address {
        case .fixed(let address):
            search = nil
            connect(to: address)
        case .discovered(let query):
            let search = searches[query] ?? ServerSearch(query)
            searches[query] = search
            self.search = search
            look(search)
        }
    }

    private func connect(to address: ConnectionAddress) {
        guard !isStopped else { return }
        dialed = address
        let bound = NIOLoopBound(self, eventLoop: node.loop)
        let tls = search == nil ? server.tls : server.tlsWhenFound ?? server.tls
        node.connect(to: address, tls: tls, direction: .up, password: server.password, flags: server.flags)
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
        let worked = isReachable
        // One that worked is the first to be tried again.
        if !worked { tryNext() }
        isReachable = false
        guard !isStopped else { return }
        emit.yield(.disconnected(reason))
        streams?.turn()
        camera?.turn()
        guard let search, let dialed else { return connectLater() }
        let bound = NIOLoopBound(self, eventLoop: node.loop)
        let isAnotherThere = node.loop.makePromise(of: Bool.self)
        isAnotherThere.completeWithTask {
            guard worked else { return await search.failed(dialed) }
            await search.startOver()
            return false
        }
        isAnotherThere.futureResult.whenSuccess { bound.value.connectLater(atOnce: $0) }
    }

    /// Connects after a pause; the shortest when another address waits for its turn.
    private func connectLater(atOnce: Bool = false) {
        guard !isStopped else { return }
        let pause = atOnce ? server.pause.lowerBound : delay.next(random: Double.random(in: 0..<1))
        let bound = NIOLoopBound(self, eventLoop: node.loop)
        retry = node.loop.scheduleTask(in: .milliseconds(pause)) { bound.value.connect() }
    }

    // MARK: Finding the server

    /// How long it listens before it says that nothing was found; it goes on then.
    private static let patience = Duration.seconds(10)

    private func look(_ search: ServerSearch) {
        let bound = NIOLoopBound(self, eventLoop: node.loop)
        let found = node.loop.makePromise(of: ConnectionAddress.self)
        looking = found.completeWithTask { try await search.next(within: Self.patience) }
        found.futureResult.whenComplete { bound.value.looked($0) }
    }

    private func looked(_ result: Result<ConnectionAddress, any Error>) {
        guard !isStopped else { return }
        switch result {
        case .success(let address):
            // All devices hear the same announcement; they need not all come in the same moment.
            let bound = NIOLoopBound(self, eventLoop: node.loop)
            retry = node.loop.scheduleTask(in: .milliseconds(Int64.random(in: 0...server.pause.lowerBound))) {
                bound.value.connect(to: address)
            }
        case .failure(let error):
            tryNext()
            emit.yield(.disconnected("\(error); still looking"))
            connectLater(atOnce: true)
        }
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
        let place = search == nil ? "" : dialed.map { "\($0), which was announced: " } ?? ""
        ended(
            isReachable || link.peer == nil
                ? place + reason : "\(place)\(reason); the server may not accept this device's name or password")
    }

    /// The first answer proves that the server accepted this device and knows it. Data need not come for long: an operator
    /// that listens takes a block when it needs it.
    public func blockAnswered(_ block: MemoryBlock, on link: NodeLink) {
        guard !isReachable, blocks.owns(block) else { return }
        isReachable = true
        delay.succeeded()
        emit.yield(.connected("\(dialed.map(\.description) ?? server.address.description)"))
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
