import Discovery
import IOCOM
import Testing

/// Messages made by hand from application-layer.md 9.1; the checksums come from a program of its own.
struct AnnouncementTests {
    private static let iPv4 = Announcement(
        time: 0x0006_4A5F_1234_5678, random: 0xBEEF, counter: 0x0102, ports: .init(tls: 6369, plain: 6368),
        text: PublishText(
            nickname: "grumpy",
            networks: [
                .init("cafenet", [EndPoint(.tls4, port: 6369)]), .init("asteroidnet", [EndPoint(.tls4, port: 6369)]),
            ]))
    private static let iPv4Bytes: [UInt8] =
        [
            0x78, 0x56, 0x34, 0x12, 0x5F, 0x4A, 0x06, 0x00, 0xB3, 24, 0x93, 0xA2, 0xE1, 0x18, 0xEF, 0xBE, 35, 0, 0xE0,
            0x18, 0x02, 0x01, 0, 0,
        ] + Array("grumpy,t:i:cafenet,t:i:asteroidnet\0".utf8)
    private static let iPv6 = Announcement(
        time: 0, random: 0, counter: 0xFFFF, ports: .init(tls: 0, plain: 6368),
        text: PublishText(
            nickname: "x",
            networks: [.init("n", [EndPoint(.tls6, port: 7000), EndPoint(.plain6, port: 6368)])]))
    private static let iPv6Bytes: [UInt8] =
        [0, 0, 0, 0, 0, 0, 0, 0, 0xB3, 24, 0xC3, 0xA8, 0, 0, 0, 0, 13, 0, 0xE0, 0x18, 0xFF, 0xFF, 0, 0]
        + Array("x,T7000S:i:n\0".utf8)

    @Test("a message is the bytes of the specification", arguments: [(iPv4, iPv4Bytes), (iPv6, iPv6Bytes)])
    func bytes(_ message: Announcement, _ bytes: [UInt8]) throws {
        #expect(try message.bytes() == bytes)
        #expect(try Announcement(parsing: bytes) == message)
    }

    @Test("what was cut anywhere, or has more behind it, is no message")
    func truncated() {
        for length in 0..<Self.iPv4Bytes.count {
            #expect(throws: AnnouncementError.self) { try Announcement(parsing: Array(Self.iPv4Bytes.prefix(length))) }
        }
        #expect(throws: AnnouncementError.textLength(said: 35, came: 36)) {
            try Announcement(parsing: Self.iPv4Bytes + [0])
        }
    }

    @Test("a bit that is wrong anywhere is found")
    func flipped() {
        for index in Self.iPv4Bytes.indices {
            for bit in 0..<8 {
                var bytes = Self.iPv4Bytes
                bytes[index] ^= 1 << bit
                #expect(throws: AnnouncementError.self) { try Announcement(parsing: bytes) }
            }
        }
    }

    @Test("a text that is longer than the limit is neither read nor written")
    func tooLong() throws {
        let longest = [UInt8](repeating: UInt8(ascii: "a"), count: Announcement.longestText - 1)
        #expect(try Announcement(parsing: Self.message(longest)).text.nickname.count == 119)
        #expect(throws: AnnouncementError.textLength(said: 121, came: 121)) {
            try Announcement(parsing: Self.message(longest + [UInt8(ascii: "a")]))
        }
        var message = Self.iPv4
        message.text.networks = (0..<12).map { .init(NetworkName("network\($0)") ?? "n", [EndPoint(.tls4, port: 1)]) }
        #expect(throws: AnnouncementError.tooLong) { try message.bytes() }
        #expect(throws: AnnouncementError.textLength(said: 0, came: 0)) {
            try Announcement(parsing: Self.message([], terminator: []))
        }
    }

    @Test(
        "texts that are not of the form are refused",
        arguments: [
            ("a,t:i:n\u{1B}[2J", AnnouncementError.notText), ("a\n,t:i:n", .notText), ("a,t:i:\u{7F}", .notText),
            ("a,t:i:n\0,t:i:m", .notText), ("ä,t:i:n", .notText), ("a,", .item), ("a,,t:i:n", .item), ("a,t", .item),
            ("a,t:i", .item), ("a,t:i:n:m", .item), ("a,:i:n", .item), ("a,t::n", .item), ("a,t:i:", .networkName),
            ("a,t:i:123456789012345678901234", .networkName), ("a,x:i:n", .mark(0x78)), ("a,tt:i:n", .mark(0x74)),
            ("a,1:i:n", .mark(0x31)), ("a,t0:i:n", .port), ("a,t65536:i:n", .port),
            ("a,t99999999999999999999999:i:n", .port), ("a,s:i:n", .port), ("a,t-1:i:n", .mark(0x2D)),
        ])
    func badText(_ text: String, _ error: AnnouncementError) {
        #expect(throws: error) { try Announcement(parsing: Self.message(Array(text.utf8))) }
    }

    @Test("ports beside marks, other protocols and an empty nickname are understood")
    func goodText() throws {
        let read = try Announcement(parsing: Self.message(Array(",tS7:i:a,?:z:b,t1s65535T2:i:c".utf8))).text
        #expect(read.nickname.isEmpty)
        #expect(
            read.networks == [
                .init("a", [EndPoint(.tls4, port: 6369), EndPoint(.plain6, port: 7)]),
                .init("c", [EndPoint(.tls4, port: 1), EndPoint(.plain4, port: 65535), EndPoint(.tls6, port: 2)]),
            ])
    }

    @Test("what could not be read again is not written")
    func unwritable() {
        func text(_ nickname: Nickname, _ network: NetworkName, _ points: [EndPoint]) -> Announcement {
            Announcement(
                time: 0, random: 0, counter: 0, ports: .init(),
                text: PublishText(nickname: nickname, networks: [.init(network, points)]))
        }
        let point = EndPoint(.tls4, port: 1)
        #expect(throws: AnnouncementError.notText) { try text("a,b", "n", [point]).bytes() }
        #expect(throws: AnnouncementError.notText) { try text("a", "n:m", [point]).bytes() }
        #expect(throws: AnnouncementError.networkName) { try text("a", "", [point]).bytes() }
        #expect(throws: AnnouncementError.item) { try text("a", "n", []).bytes() }
        #expect(throws: AnnouncementError.mark(0x74)) { try text("a", "n", [point, point]).bytes() }
        #expect(throws: AnnouncementError.port) { try text("a", "n", [EndPoint(.tls4, port: 0)]).bytes() }
    }

    @Test("100,000 random texts with a good checksum are read as what they say or refused")
    func randomTexts() throws {
        let parts = ["a", ",", "t", "S", "7", ":i:", ":", "n", "\u{7F}", "s80"]
        var taken = 0
        for _ in 0..<100_000 {
            let items = (0..<Int.random(in: 0...8)).map { _ in parts.randomElement() ?? "" }
            let text = Array(("a," + items.joined()).utf8)
            guard let message = try? Announcement(parsing: Self.message(text)) else { continue }
            taken += message.text.networks.isEmpty ? 0 : 1
            let again = try message.bytes()
            #expect(try Announcement(parsing: again) == message)
        }
        #expect(taken > 0)
    }

    /// A message with this text and a good checksum; port 6369 for TLS, none for plain TCP.
    private static func message(_ text: [UInt8], terminator: [UInt8] = [0]) -> [UInt8] {
        let body = text + terminator
        var bytes = [UInt8](repeating: 0, count: 24)
        (bytes[8], bytes[9], bytes[12], bytes[13], bytes[16]) = (0xB3, 24, 0xE1, 0x18, UInt8(body.count))
        bytes += body
        let checksum = CRC16.of(bytes)
        (bytes[10], bytes[11]) = (UInt8(checksum & 0xFF), UInt8(checksum >> 8))
        return bytes
    }
}
