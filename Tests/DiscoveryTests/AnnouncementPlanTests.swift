import IOCOM
import IOCOMTransport
import NIOCore
import Testing

@testable import Discovery

struct AnnouncementPlanTests {
    private static func local(_ interface: String, _ host: String) throws -> LocalAddress {
        LocalAddress(interface: interface, index: 1, address: try SocketAddress(ipAddress: host, port: 0))
    }

    /// What is announced on a machine with loopback and two networks: `address: marks and ports`.
    private static func announced(_ urls: String...) throws -> [String] {
        let plan = AnnouncementPlan(
            listening: try urls.map { try AnnouncementPlan.Listening(ConnectionAddress(parsing: $0)) })
        let addresses = [
            try local("lo", "127.0.0.1"), try local("lo", "::1"), try local("eth0", "10.0.0.7"),
            try local("eth0", "10.0.0.8"), try local("eth0", "fe80::7"), try local("eth0", "fd00::7"),
            try local("wlan0", "192.168.1.7"), try local("wlan0", "fe80::8"),
        ]
        return plan.places(addresses).map { place in
            let points = place.endPoints.map { "\(Character(UnicodeScalar($0.mark.rawValue)))\($0.port)" }
            return "\(place.address.host): \(points.joined(separator: " "))"
        }
    }

    @Test func whatListensOnOneAddressIsAnnouncedThereOnly() throws {
        #expect(try Self.announced("tls://127.0.0.1:1", "tcp://[::1]:2") == ["127.0.0.1: t1", "::1: S2"])
        #expect(try Self.announced("tls://10.0.0.8:1") == ["10.0.0.8: t1"])
        #expect(try Self.announced("tls://10.9.9.9:1").isEmpty)
    }

    @Test func whatListensEverywhereIsAnnouncedOnceForEachInterfaceAndFamily() throws {
        #expect(
            try Self.announced("tls://0.0.0.0:1", "tcp://127.0.0.1:2") == [
                "127.0.0.1: t1 s2", "10.0.0.7: t1", "192.168.1.7: t1",
            ])
        #expect(
            try Self.announced("tls://[::]:1") == [
                "127.0.0.1: t1", "::1: T1", "10.0.0.7: t1", "fd00::7: T1", "192.168.1.7: t1", "fe80::8: T1",
            ])
        #expect(
            try Self.announced("tls://10.0.0.8:1", "tcp://0.0.0.0:2") == [
                "127.0.0.1: s2", "10.0.0.7: s2", "10.0.0.8: t1", "192.168.1.7: s2",
            ])
    }

    @Test func networksThatDoNotFitIntoOneMessageGoIntoMore() throws {
        let networks = (10..<30).compactMap { NetworkName("network\($0)") }
        let points = [EndPoint(.tls4, port: 6369), EndPoint(.plain4, port: 7000)]
        let texts = try AnnouncementPlan.texts(nickname: "grumpy", networks: networks, endPoints: points)
        #expect(texts.count > 1)
        #expect(texts.flatMap { $0.networks.map { $0.name } } == networks)
        for text in texts {
            let message = Announcement(
                time: 0, random: 0, counter: 0, ports: AnnouncementPlan.ports(points), text: text)
            let bytes = try message.bytes()
            #expect(bytes.count <= Announcement.longest)
            #expect(String(decoding: bytes[24...], as: UTF8.self).hasPrefix("grumpy,ts:i:network"))
            #expect(try Announcement(parsing: bytes) == message)
        }
    }

    @Test func aNameThatCanNotBeAnnouncedIsRefused() {
        for nickname in ["", "a,b", "a\nb", String(repeating: "a", count: 32)] {
            #expect(throws: DiscoveryError.self) {
                try Announcer(nickname: nickname, networks: ["cafenet"], listen: [], report: { _ in })
            }
        }
        #expect(throws: Never.self) {
            try Announcer(nickname: Announcer.machineName, networks: ["cafenet"], listen: [], report: { _ in })
        }
    }
}

struct DiscoveredTrustTests {
    private static func discovered() throws -> ServerAddress { try ServerAddress(parsing: "*", network: "cafenet") }

    @Test func theNameOfAServerThatIsFoundIsNotCheckedButItsAuthorityIs() throws {
        let own = TLSClientSettings(trustFile: "trust.pem")
        let found = try own.demanding(of: try Self.discovered())
        #expect(!found.verifiesHostName && found.trustFile == "trust.pem")
        let fixed = try own.demanding(of: .fixed(ConnectionAddress(transport: .tls, host: "10.0.0.1")))
        #expect(fixed.verifiesHostName)
    }

    @Test func theAuthoritiesOfTheSystemAreNotEnoughForAServerThatIsFound() throws {
        let address = try Self.discovered()
        #expect(throws: ServerAddressError.self) { try TLSClientSettings(trustFile: nil).demanding(of: address) }
    }
}
