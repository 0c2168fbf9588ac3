public import IOCOM
import IOCOMTransport

/// What announcements told: the networks and where they are served. Bounded, whoever sends how much.
public struct ServersFound: Sendable {
    /// Most networks (application-layer.md 9.1).
    public static let mostNetworks = 32
    /// Most addresses for one network and one mark.
    public static let mostAddresses = 8
    /// Most networks of one source: as many as a server publishes.
    public static let mostNetworksOfSource = 20
    /// A server that was not heard for so long is forgotten.
    public static let forgetting: Milliseconds = 30_000
    /// A server that was not heard for so long, two announcements, may be displaced by another.
    public static let silence: Milliseconds = 9_000
    /// So long an address of this machine goes before others (application-layer.md 9.1).
    public static let loopbackPreference: Milliseconds = 10_000

    private struct Key: Hashable {
        let network: NetworkName
        let mark: EndPoint.Mark
    }

    private let query: DiscoveryQuery
    private var found: [Key: [FoundServer]] = [:]

    /// An empty table that takes what `query` asks for: nothing else can use up its room.
    public init(for query: DiscoveryQuery = DiscoveryQuery()) { self.query = query }

    // MARK: Filling

    /// Takes a message from `source`: those end points of it that are for the family of its source address.
    public mutating func note(_ message: Announcement, from source: SourceAddress, now: Milliseconds) {
        forget(now: now)
        for network in message.text.networks {
            for point in network.endPoints
            where point.mark.isIPv6 == source.isIPv6 && query.accepts(network.name, point.mark) {
                let address = ConnectionAddress(
                    transport: point.mark.isSecure ? .tls : .tcp, host: source.host, port: Int(point.port))
                let server = FoundServer(
                    nickname: message.text.nickname, network: network.name, address: address,
                    isIPv6: source.isIPv6, heardAt: now)
                add(server, Key(network: network.name, mark: point.mark))
            }
        }
    }

    private mutating func add(_ server: FoundServer, _ key: Key) {
        var servers = found[key] ?? []
        if let index = servers.firstIndex(where: { $0.address.host == server.address.host }) {
            servers[index] = server
        } else {
            guard makeRoom(for: server) else { return }
            if servers.count < Self.mostAddresses {
                servers.append(server)
            } else {
                // Who keeps announcing stays; only who fell silent makes room.
                guard let index = servers.indices.min(by: { servers[$0].heardAt < servers[$1].heardAt }),
                    server.heardAt - servers[index].heardAt > Self.silence
                else { return }
                servers[index] = server
            }
        }
        found[key] = servers
    }

    /// Makes room for one more network of a source, at the cost of the source with the most networks.
    private mutating func makeRoom(for server: FoundServer) -> Bool {
        var networksOf: [String: Set<NetworkName>] = [:]
        for (key, servers) in found {
            for known in servers { networksOf[known.address.host, default: []].insert(key.network) }
        }
        let own = networksOf[server.address.host] ?? []
        guard !own.contains(server.network) else { return true }
        guard own.count < Self.mostNetworksOfSource else { return false }
        let names = Set(found.keys.map { $0.network })
        guard names.count >= Self.mostNetworks, !names.contains(server.network) else { return true }
        guard let greedy = networksOf.max(by: { ($0.value.count, $0.key) < ($1.value.count, $1.key) }),
            greedy.value.count > own.count + 1,
            let victim = greedy.value.first(where: { name in
                networksOf.allSatisfy { $0.key == greedy.key || !$0.value.contains(name) }
            })
        else { return false }
        for mark in EndPoint.Mark.allCases { found[Key(network: victim, mark: mark)] = nil }
        return true
    }

    private mutating func forget(now: Milliseconds) {
        for (key, servers) in found where servers.contains(where: { now - $0.heardAt > Self.forgetting }) {
            let left = servers.filter { now - $0.heardAt <= Self.forgetting }
            found[key] = left.isEmpty ? nil : left
        }
    }

    // MARK: Reading

    /// Everything that is remembered, for people: by network, nickname and address.
    public func servers(now: Milliseconds) -> [FoundServer] {
        found.values.joined().filter { now - $0.heardAt <= Self.forgetting }.sorted {
            ("\($0.network)", "\($0.nickname)", "\($0.address)") < ("\($1.network)", "\($1.nickname)", "\($1.address)")
        }
    }

    /// The best first: an address of this machine, then IPv4 before IPv6, then who was heard last.
    public func candidates(now: Milliseconds) -> [FoundServer] {
        func isLocal(_ server: FoundServer) -> Bool {
            server.address.isLoopback && now - server.heardAt <= Self.loopbackPreference
        }
        return found.values.joined().filter { now - $0.heardAt <= Self.forgetting }.sorted { a, b in
            if isLocal(a) != isLocal(b) { return isLocal(a) }
            if a.isIPv6 != b.isIPv6 { return b.isIPv6 }
            if a.heardAt != b.heardAt { return a.heardAt > b.heardAt }
            return "\(a.address)" < "\(b.address)"
        }
    }
}
