import Glibc
public import IOCOM
public import IOCOMTransport
import NIOCore
import NIOPosix

/// Announces a server by multicast: after 200 ms, then every 4 s (application-layer.md 9.1).
public actor Announcer {
    /// The name that a machine's name gives: its first part, as far as it fits.
    public static let longestNickname = 31

    private let nickname: Nickname
    private let networks: [NetworkName]
    private let listen: [ConnectionAddress]
    private let interfaces: InterfaceChoice
    private let report: @Sendable (String) -> Void
    private let group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    private var counter: UInt16 = 0
    private var channels: [LocalAddress: any Channel] = [:]
    /// When the next announcement of each place is due.
    private var due: [LocalAddress: ContinuousClock.Instant] = [:]
    /// Places where the last one did not work.
    private var troubles: Set<LocalAddress> = []
    private var problem: String?

    /// Prepares the announcements of `networks` at the addresses `listen`, whose ports must be the real ones. `report`
    /// takes problems for people, each once.
    ///
    /// - Throws: ``DiscoveryError/nothingToAnnounce(_:)`` when a name can't be in an announcement.
    public init(
        nickname: String, networks: [NetworkName], listen: [ConnectionAddress], interfaces: InterfaceChoice = .all,
        report: @escaping @Sendable (String) -> Void
    ) throws(DiscoveryError) {
        guard nickname.utf8.count <= Self.longestNickname, let name = Nickname(nickname), !name.isEmpty else {
            throw .nothingToAnnounce("its nickname must have 1 to \(Self.longestNickname) characters")
        }
        do throws(AnnouncementError) {
            let points = EndPoint.Mark.allCases.map { EndPoint($0, port: 1) }
            _ = try AnnouncementPlan.texts(nickname: name, networks: networks, endPoints: points)
        } catch { throw .nothingToAnnounce("\(error)") }
        self.nickname = name
        self.networks = networks
        self.listen = listen
        self.interfaces = interfaces
        self.report = report
    }

    /// Announces until the task is cancelled.
    public func run() async {
        var next = ContinuousClock.now + DiscoveryGroup.firstDelay
        while (try? await Task.sleep(until: next, clock: .continuous)) != nil {
            let now = ContinuousClock.now
            await announce(now)
            next = due.values.min() ?? now + DiscoveryGroup.interval
        }
        for channel in channels.values { channel.close(promise: nil) }
        channels = [:]
    }

    private func announce(_ now: ContinuousClock.Instant) async {
        let places: [AnnouncementPlan.Place]
        do {
            let (listen, interfaces) = (listen, interfaces)
            places = try await NIOThreadPool.singleton.runIfActive {
                let plan = AnnouncementPlan(listening: try listen.map { try AnnouncementPlan.Listening($0) })
                return plan.places(try LocalAddresses.list(interfaces))
            }
        } catch {
            due = [:]
            return tell("\(error)")
        }
        let current = Set(places.map(\.address))
        for (address, channel) in channels where !current.contains(address) {
            channel.close(promise: nil)
            channels[address] = nil
        }
        due = due.filter { current.contains($0.key) }
        troubles.formIntersection(current)
        var failures: [(place: LocalAddress, text: String)] = []
        for place in places {
            if let next = due[place.address], now < next { continue }
            do {
                try await announce(place)
                due[place.address] = now + DiscoveryGroup.interval
                troubles.remove(place.address)
            } catch {
                channels.removeValue(forKey: place.address)?.close(promise: nil)
                due[place.address] = now + DiscoveryGroup.reopening
                troubles.insert(place.address)
                failures.append(
                    (
                        place.address,
                        "it can't be announced on \(place.address.interface) (\(place.address.host)): \(error)"
                    ))
            }
        }
        if places.isEmpty { return tell("it can't be announced: no chosen interface has an address it listens on") }
        // Loopback that can't multicast, as with IPv6 on many machines, is of interest only when it was asked for.
        let isOptional = interfaces == .all && troubles.count < places.count
        if let failure = failures.first(where: { !isOptional || !$0.place.isLoopback }) {
            tell(failure.text)
        } else if troubles.isEmpty {
            problem = nil
        }
    }

    private func tell(_ text: String) {
        if problem != text { report(text) }
        problem = text
    }

    private func announce(_ place: AnnouncementPlan.Place) async throws {
        let channel: any Channel
        if let open = channels[place.address], open.isActive {
            channel = open
        } else {
            channel = try await Self.open(place.address, group)
            channels[place.address] = channel
        }
        let group = try DiscoveryGroup.address(isIPv6: place.address.isIPv6)
        for text in try AnnouncementPlan.texts(nickname: nickname, networks: networks, endPoints: place.endPoints) {
            counter &+= 1
            let message = Announcement(
                time: Self.microseconds, random: UInt16.random(in: 0...UInt16.max), counter: counter,
                ports: AnnouncementPlan.ports(place.endPoints), text: text)
            let buffer = channel.allocator.buffer(bytes: try message.bytes())
            try await channel.writeAndFlush(AddressedEnvelope(remoteAddress: group, data: buffer))
        }
    }

    /// A socket whose messages leave by one interface and do not go beyond its network. It takes nothing in.
    private static func open(_ local: LocalAddress, _ group: any EventLoopGroup) async throws -> any Channel {
        var bootstrap = DatagramBootstrap(group: group).channelOption(.autoRead, value: false)
        if local.isIPv6 {
            bootstrap =
                bootstrap
                .channelOption(DiscoveryGroup.option(.ipv6, .ipv6_multicast_hops), value: 1)
                .channelOption(DiscoveryGroup.option(.ipv6, .ipv6_multicast_loop), value: 1)
                .channelOption(DiscoveryGroup.option(.ipv6, .ipv6_multicast_if), value: .init(local.index))
        } else {
            bootstrap =
                bootstrap
                .channelOption(DiscoveryGroup.option(.ip, .ip_multicast_ttl), value: 1)
                .channelOption(DiscoveryGroup.option(.ip, .ip_multicast_loop), value: 1)
        }
        let channel = try await bootstrap.bind(to: local.address).get()
        guard !local.isIPv6 else { return channel }
        do {
            let address = withUnsafeTemporaryAllocation(of: in_addr.self, capacity: 1) { memory in
                inet_pton(AF_INET, local.host, memory.baseAddress) == 1 ? memory[0] : nil
            }
            guard let address, let options = channel as? any SocketOptionProvider else {
                throw ChannelError.operationUnsupported
            }
            try await options.setIPMulticastIF(address).get()
            return channel
        } catch {
            channel.close(promise: nil)
            throw error
        }
    }

    /// Wall clock, microseconds since 1970.
    private static var microseconds: UInt64 {
        var time = timespec()
        guard clock_gettime(CLOCK_REALTIME, &time) == 0, time.tv_sec >= 0 else { return 0 }
        return UInt64(time.tv_sec) * 1_000_000 + UInt64(time.tv_nsec) / 1000
    }
}

extension Announcer {
    /// What a server calls itself when it was told no nickname: the first part of the machine's name.
    public static var machineName: String {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "frank" }
        let text = name.prefix { $0 != 0 && $0 != CChar(UInt8(ascii: ".")) }.map { UInt8(bitPattern: $0) }
        let fit = text.prefix(longestNickname).filter { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: ",") }
        return fit.isEmpty ? "frank" : String(decoding: fit, as: UTF8.self)
    }
}
