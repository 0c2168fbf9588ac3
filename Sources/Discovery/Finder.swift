import Glibc
import IOCOM
import NIOCore
import NIOPosix

/// Listens for announcements.
public struct Finder: Sendable {
    /// What is heard.
    public enum Event: Sendable {
        /// A server announced itself.
        case heard(Announcement, from: SourceAddress)
        /// Something keeps from hearing, for people. It is tried again.
        case problem(String)
    }

    /// Announcements that wait to be looked at; in a flood the oldest are dropped.
    static let mostWaiting = 256

    /// Where it listens.
    public var interfaces: InterfaceChoice
    private let group: any EventLoopGroup

    /// A finder that listens on `interfaces`.
    public init(interfaces: InterfaceChoice = .all) {
        self.interfaces = interfaces
        group = MultiThreadedEventLoopGroup.singleton
    }

    /// Says at once what waiting does not mend: an interface that this machine does not have.
    ///
    /// - Throws: ``DiscoveryError/interface(_:known:)``.
    public func check() async throws(DiscoveryError) {
        do { _ = try await LocalAddresses.current(interfaces) } catch let error as DiscoveryError { throw error } catch
        {
            // Other failures are of the moment; listening tells of them.
        }
    }

    /// Listens for `time`, then the sequence ends. The sockets close when the sequence is no longer used.
    public func events(for time: Duration) -> AsyncStream<Event> {
        let (events, emit) = AsyncStream.makeStream(of: Event.self, bufferingPolicy: .bufferingNewest(Self.mostWaiting))
        let task = Task { [self] in
            await listen(until: .now + time, emit)
            emit.finish()
        }
        emit.onTermination = { _ in task.cancel() }
        return events
    }

    /// The servers that announce what `query` asks for within `time`, and the last problem.
    public func servers(
        _ query: DiscoveryQuery, for time: Duration
    ) async -> (found: [FoundServer], problem: String?) {
        var found = ServersFound(for: query)
        var problem: String?
        for await event in events(for: time) {
            switch event {
            case .heard(let message, let source): found.note(message, from: source, now: Self.now)
            case .problem(let text): problem = text
            }
        }
        return (found.servers(now: Self.now), problem)
    }

    /// Monotonic time.
    static var now: Milliseconds { Milliseconds(NIODeadline.now().uptimeNanoseconds / 1_000_000) }

    private func listen(until end: ContinuousClock.Instant, _ emit: AsyncStream<Event>.Continuation) async {
        var sockets = [false, true].map { GroupSocket(isIPv6: $0, group: group) }
        while !Task.isCancelled, ContinuousClock.now < end {
            do {
                let addresses = try await LocalAddresses.current(interfaces)
                for index in sockets.indices {
                    await sockets[index].join(addresses, emit)
                }
                if !sockets.contains(where: \.isListening) {
                    emit.yield(.problem(sockets.compactMap(\.problem).first ?? "no interface can multicast"))
                }
            } catch { emit.yield(.problem("\(error)")) }
            try? await Task.sleep(until: min(end, .now + DiscoveryGroup.reopening), clock: .continuous)
        }
        for socket in sockets { socket.close() }
    }
}

/// The socket that hears a group on all interfaces of one family.
private struct GroupSocket {
    let isIPv6: Bool
    let group: any EventLoopGroup
    private var channel: (any Channel)?
    private var joined: Set<String> = []
    /// Why it hears nothing, or not everything.
    private(set) var problem: String?

    init(isIPv6: Bool, group: any EventLoopGroup) {
        self.isIPv6 = isIPv6
        self.group = group
    }

    var isListening: Bool { channel?.isActive == true && !joined.isEmpty }

    /// Opens the socket when there is none, and joins the group on the interfaces where it has not.
    mutating func join(_ addresses: [LocalAddress], _ emit: AsyncStream<Finder.Event>.Continuation) async {
        let addresses = addresses.filter { $0.isIPv6 == isIPv6 }
        problem = nil
        if channel?.isActive != true {
            channel = nil
            joined = []
        }
        joined.formIntersection(addresses.map(\.interface))
        guard !addresses.isEmpty else { return }
        do {
            let open: any Channel
            if let channel { open = channel } else { open = try await bind(emit) }
            channel = open
            for address in addresses where !joined.contains(address.interface) {
                do {
                    try await Self.join(address, open)
                    joined.insert(address.interface)
                } catch { problem = "can't listen on \(address.interface): \(error)" }
            }
        } catch { problem = "UDP port \(DiscoveryGroup.port) can't be opened: \(error)" }
    }

    func close() { channel?.close(promise: nil) }

    /// Bound to the group's address, so that nothing comes that was sent to this machine alone, from anywhere.
    private func bind(_ emit: AsyncStream<Finder.Event>.Continuation) async throws -> any Channel {
        var bootstrap = DatagramBootstrap(group: group)
            .channelOption(.socketOption(.so_reuseaddr), value: 1)
            .channelOption(
                .recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 2 * Announcement.longest)
            )
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AnnouncementReader(emit))
                }
            }
        #if os(Linux)
        // The original may listen beside us; on other systems sharing a port takes this option too.
        let all: ChannelOptions.Types.SocketOption =
            isIPv6
            ? DiscoveryGroup.option(.ipv6, .ipv6MulticastAll) : DiscoveryGroup.option(.ip, .ipMulticastAll)
        bootstrap = bootstrap.channelOption(all, value: 0)
        #else
        bootstrap = bootstrap.channelOption(.socketOption(.so_reuseport), value: 1)
        #endif
        return try await bootstrap.bind(to: DiscoveryGroup.address(isIPv6: isIPv6)).get()
    }

    private static func join(_ address: LocalAddress, _ channel: any Channel) async throws {
        guard let multicast = channel as? any MulticastChannel, var device = address.device else {
            throw ChannelError.operationUnsupported
        }
        // Loopback does not say that it can.
        device.multicastSupported = true
        try await multicast.joinGroup(DiscoveryGroup.address(isIPv6: address.isIPv6), device: device).get()
    }
}

/// Reads datagrams; what is no announcement is ignored.
private final class AnnouncementReader: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>

    private let emit: AsyncStream<Finder.Event>.Continuation

    init(_ emit: AsyncStream<Finder.Event>.Continuation) { self.emit = emit }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let envelope = unwrapInboundIn(data)
        guard let source = SourceAddress(envelope.remoteAddress),
            let message = try? Announcement(parsing: Array(envelope.data.readableBytesView))
        else { return }
        emit.yield(.heard(message, from: source))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

extension SourceAddress {
    /// The address of a datagram's sender.
    init?(_ address: SocketAddress) {
        // The system writes a link-local address with its zone; nothing is looked up.
        var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let status = address.withSockAddr { pointer, size in
            getnameinfo(pointer, socklen_t(size), &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
        }
        guard status == 0 else { return nil }
        self.init(host: String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }
}
