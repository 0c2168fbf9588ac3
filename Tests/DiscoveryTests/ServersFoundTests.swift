@testable import Discovery
import IOCOM
import IOCOMTransport
import Testing

struct ServersFoundTests {
    private static func message(_ networks: [String], _ points: [EndPoint] = [EndPoint(.tls4, port: 6369)])
        -> Announcement
    {
        Announcement(
            time: 0, random: 0, counter: 0, ports: .init(),
            text: PublishText(
                nickname: "grumpy", networks: networks.compactMap { NetworkName($0) }.map { .init($0, points) }))
    }

    private static func source(_ host: String) -> SourceAddress { SourceAddress(host: host) }

    @Test("a server is at the address its message came from, at the ports that are for this family")
    func address() {
        var found = ServersFound()
        let points = [EndPoint(.tls4, port: 1), EndPoint(.plain4, port: 2), EndPoint(.tls6, port: 3)]
        found.note(Self.message(["cafenet"], points), from: Self.source("10.0.0.7"), now: 0)
        found.note(Self.message(["cafenet"], points), from: Self.source("fe80::1%eth0"), now: 0)
        #expect(
            found.servers(now: 0).map { "\($0.address)" } == [
                "tcp://10.0.0.7:2", "tls://10.0.0.7:1", "tls://[fe80::1%eth0]:3",
            ])
    }

    @Test("a query takes what it asks for only")
    func query() {
        let points = EndPoint.Mark.allCases.map { EndPoint($0, port: 5) }
        func addresses(_ query: DiscoveryQuery) -> [String] {
            var found = ServersFound(for: query)
            for host in ["10.0.0.7", "fd00::7"] {
                found.note(Self.message(["cafenet", "other"], points), from: Self.source(host), now: 0)
            }
            return found.candidates(now: 0).map { "\($0.network) \($0.address)" }
        }
        #expect(
            addresses(DiscoveryQuery(network: "cafenet", transport: .tls)) == [
                "cafenet tls://10.0.0.7:5", "cafenet tls://[fd00::7]:5",
            ])
        #expect(
            addresses(DiscoveryQuery(network: "cafenet", transport: .tcp, family: .ipv6)) == [
                "cafenet tcp://[fd00::7]:5"
            ])
        #expect(addresses(DiscoveryQuery(network: "nowhere")).isEmpty)
    }

    @Test("the newest is the best, but an address of this machine for 10 s")
    func order() {
        var found = ServersFound()
        found.note(Self.message(["n"]), from: Self.source("127.0.0.1"), now: 0)
        found.note(Self.message(["n"]), from: Self.source("10.0.0.1"), now: 1_000)
        found.note(Self.message(["n"]), from: Self.source("10.0.0.2"), now: 2_000)
        #expect(found.candidates(now: 10_000).map(\.address.host) == ["127.0.0.1", "10.0.0.2", "10.0.0.1"])
        #expect(found.candidates(now: 10_001).map(\.address.host) == ["10.0.0.2", "10.0.0.1", "127.0.0.1"])
    }

    @Test("who falls silent for 30 s is forgotten")
    func forgotten() {
        var found = ServersFound()
        found.note(Self.message(["n"]), from: Self.source("10.0.0.1"), now: 0)
        #expect(found.servers(now: 30_000).count == 1)
        #expect(found.servers(now: 30_001).isEmpty)
        found.note(Self.message(["m"]), from: Self.source("10.0.0.2"), now: 31_000)
        #expect(found.servers(now: 31_000).map { "\($0.network)" } == ["m"])
    }

    @Test("a server that moves to another port is there")
    func moved() {
        var found = ServersFound()
        found.note(Self.message(["n"]), from: Self.source("10.0.0.1"), now: 0)
        found.note(Self.message(["n"], [EndPoint(.tls4, port: 7000)]), from: Self.source("10.0.0.1"), now: 4_000)
        #expect(found.servers(now: 4_000).map(\.address.port) == [7000])
    }

    @Test("a flood of networks from one source leaves the others, and lets new ones in")
    func floodOfOneSource() {
        var found = ServersFound()
        found.note(Self.message(["first"]), from: Self.source("10.0.0.1"), now: 0)
        for number in 0..<1_000 {
            found.note(Self.message(["forged\(number)"]), from: Self.source("10.6.6.6"), now: 1)
            found.note(Self.message(["false\(number)"]), from: Self.source("10.6.6.7"), now: 1)
        }
        found.note(Self.message(["second"]), from: Self.source("10.0.0.2"), now: 2)
        let servers = found.servers(now: 2)
        #expect(servers.contains { $0.network == "first" } && servers.contains { $0.network == "second" })
        #expect(servers.count == ServersFound.mostNetworks)
    }

    @Test("a flood from many sources needs no more memory and pushes nobody out who announces himself")
    func floodOfManySources() {
        var found = ServersFound()
        for second in 0..<60 {
            if second.isMultiple(of: 4) {
                found.note(Self.message(["n"]), from: Self.source("10.0.0.1"), now: Milliseconds(second) * 1000)
            }
            for number in 0..<50 {
                let host = "10.1.\(second).\(number)"
                found.note(Self.message(["n"]), from: Self.source(host), now: Milliseconds(second) * 1000)
                found.note(Self.message(["n\(number)"]), from: Self.source(host), now: Milliseconds(second) * 1000)
            }
        }
        let servers = found.servers(now: 60_000)
        #expect(servers.contains { $0.address.host == "10.0.0.1" })
        #expect(Set(servers.map { "\($0.network)" }).count <= ServersFound.mostNetworks)
        #expect(servers.count <= ServersFound.mostNetworks * ServersFound.mostAddresses)
    }

    @Test("after a failure another address has its turn, and the same only when it announced itself again")
    func attempts() {
        var found = ServersFound()
        var attempts = Attempts()
        func next(_ now: Milliseconds, again: Bool = true) -> String? {
            attempts.choose(found.candidates(now: now), again: again)?.address.host
        }
        found.note(Self.message(["n"]), from: Self.source("10.0.0.1"), now: 0)
        found.note(Self.message(["n"]), from: Self.source("10.6.6.6"), now: 1)
        #expect(next(1) == "10.6.6.6")
        attempts.failed(ConnectionAddress(transport: .tls, host: "10.6.6.6"), now: 2)
        found.note(Self.message(["n"]), from: Self.source("10.6.6.6"), now: 3)
        #expect(next(3) == "10.0.0.1")
        attempts.failed(ConnectionAddress(transport: .tls, host: "10.0.0.1"), now: 4)
        #expect(next(4, again: false) == nil)
        #expect(next(4) == "10.6.6.6")
        attempts.failed(ConnectionAddress(transport: .tls, host: "10.6.6.6"), now: 5)
        #expect(next(5) == nil)
        found.note(Self.message(["n"]), from: Self.source("10.0.0.1"), now: 6)
        #expect(next(6) == "10.0.0.1")
    }

    @Test("failures of many addresses need no more memory")
    func manyAttempts() {
        var attempts = Attempts()
        for number in 0..<10_000 {
            attempts.failed(
                ConnectionAddress(transport: .tls, host: "10.6.\(number / 256).\(number % 256)"),
                now: Milliseconds(number))
        }
        var found = ServersFound()
        found.note(Self.message(["n"]), from: Self.source("10.6.39.15"), now: 9_000)
        #expect(attempts.choose(found.candidates(now: 9_000), again: true) == nil)
    }
}

struct ServerAddressTests {
    @Test(
        "a star is a server that is looked for",
        arguments: [
            ("*", "tls://*"), ("tls://*", "tls://*"), ("tcp://*", "tcp://*"), ("[*]", "tls://[*]"),
            ("tcp://[*]", "tcp://[*]"), ("tls://host", "tls://host:6369"),
        ])
    func parsing(_ text: String, _ url: String) throws {
        let address = try ServerAddress(parsing: text, network: "cafenet")
        #expect("\(address)" == url)
        guard case .discovered(let query) = address else { return #expect(!text.contains("*")) }
        #expect(query.network == "cafenet")
        #expect(query.family == (text.contains("[") ? .ipv6 : .any))
    }

    @Test("other texts with a star are refused", arguments: ["tls://*:7000", "udp://*", "*:6369", "*.example.org", ""])
    func refused(_ text: String) {
        #expect(throws: ConnectionAddress.ParseError.self) { try ServerAddress(parsing: text, network: "cafenet") }
    }
}
