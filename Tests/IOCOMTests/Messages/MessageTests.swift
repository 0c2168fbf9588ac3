import IOCOM
import IOCOMTestSupport
import Testing

@Suite struct AuthenticationTests {
    private static let id: Authentication.UniqueID = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]
    private static let idHex = "01 02 03 04 05 06 07 08 09 0A 0B 0C"

    static let examples: [(String, Authentication)] = [
        (
            "02 00 06 73 65 72 76 65 72 00 07 63 61 66 65 6E 65 74 00",
            Authentication(flags: [], user: "server", number: 0, network: "cafenet", frameSize: 1392)
        ),
        (
            "02 10 04 67 69 6E 61 01 07 63 61 66 65 6E 65 74 00",
            Authentication(flags: .connectUp, user: "gina", number: 1, network: "cafenet", frameSize: 1392)
        ),
        (
            "02 14 04 67 69 6E 61 01 07 63 61 66 65 6E 65 74 07 73 65 63 72 65 74 31",
            Authentication(
                flags: [.connectUp, .wantsCertificate], user: "gina", number: 1, network: "cafenet",
                password: "secret1", frameSize: 1392)
        ),
        (
            "02 10 04 67 69 6E 61 01 07 63 61 66 65 6E 65 74 07 73 65 63 72 65 74 31",
            Authentication(
                flags: .connectUp, user: "gina", number: 1, network: "cafenet", password: "secret1", frameSize: 1392)
        ),
        (
            "02 12 04 72 6F 6F 74 00 \(idHex) 08 6F 74 68 65 72 6E 65 74 07 70 61 73 73 31 32 33",
            Authentication(
                flags: .connectUp, user: "root", number: 0, uniqueID: id, network: "othernet", password: "pass123",
                frameSize: 1392)
        ),
        (
            "02 80 02 75 69 00 07 63 61 66 65 6E 65 74 00",
            Authentication(flags: .bidirectional, user: "ui", number: 0, network: "cafenet", frameSize: 1392)
        ),
        (
            "02 02 03 73 72 76 00 \(idHex) 02 73 62 00",
            Authentication(flags: [], user: "srv", number: 0, uniqueID: id, network: "sb", frameSize: 0)
        ),
    ]

    @Test(arguments: examples)
    func `The captured authentications decode and encode to the same bytes`(
        _ text: String, _ expected: Authentication
    ) throws {
        let bytes = hex(text)
        let message = try Authentication(bytes, frameSize: expected.frameSize)
        #expect(message == expected)
        #expect(encoded { message.encode(into: $0) } == bytes)
    }

    @Test(arguments: examples)
    func `An authentication cut anywhere is a violation and one that does not fit is not written`(
        _ text: String, _ message: Authentication
    ) {
        let bytes = hex(text)
        for count in 1..<bytes.count {
            let part = Array(bytes[..<count])
            #expect(throws: ProtocolViolation.truncatedMessage) {
                _ = try Authentication(part, frameSize: 0)
            }
            #expect(encoded(count) { message.encode(into: $0) }.isEmpty)
        }
    }

    @Test func `Device numbers take one, two or four bytes and those from 9000 on are sent as zero`() throws {
        for (number, flag) in [(UInt32(255), UInt8(0)), (256, 32), (8998, 32)] {
            let message = Authentication(flags: [], user: "a", number: number, network: "n", frameSize: 96)
            let bytes = encoded { message.encode(into: $0) }
            #expect(bytes[1] == flag)
            #expect(try Authentication(bytes, frameSize: 96) == message)
        }
        #expect(Authentication(flags: [], user: "a", number: 9000, network: "n", frameSize: 96).number == 0)
        let wide = hex("02 60 01 61 78 56 34 12 01 6E 00")
        #expect(try Authentication(wide, frameSize: 0).number == 0x1234_5678)
    }

    @Test func `User, network and password may be 25, 23 and 45 bytes long and not one more`() throws {
        func message(_ user: Int, _ network: Int, _ password: Int) -> [UInt8] {
            var bytes: [UInt8] = [2, 0, UInt8(user)] + [UInt8](repeating: 0x61, count: user) + [0]
            bytes += [UInt8(network)] + [UInt8](repeating: 0x62, count: network)
            return bytes + [UInt8(password)] + [UInt8](repeating: 0x63, count: password)
        }
        let longest = message(25, 23, 45)
        let decoded = try Authentication(longest, frameSize: 0)
        #expect(decoded.user.count == 25 && decoded.network.count == 23 && decoded.password.count == 45)
        for (user, network, password) in [(26, 1, 1), (1, 24, 1), (1, 1, 46), (255, 1, 1), (1, 255, 1), (1, 1, 255)] {
            let bytes = message(user, network, password)
            #expect(throws: ProtocolViolation.nameTooLong) { _ = try Authentication(bytes, frameSize: 0) }
        }
    }
}

@Suite struct BlockInfoTests {
    static let examples: [(String, BlockInfo)] = [
        (
            "01 C0 01 20 0A 04 67 69 6E 61 07 63 61 66 65 6E 65 74 03 65 78 70",
            BlockInfo(id: 8, path: .gina("exp"), size: 32, flags: [.up, .bidirectional])
        ),
        (
            "01 C0 01 18 39 04 67 69 6E 61 07 63 61 66 65 6E 65 74 03 69 6D 70",
            BlockInfo(id: 9, path: .gina("imp"), size: 24, flags: [.down, .bidirectional, .dynamic, .allowResize])
        ),
        (
            "01 C8 01 B8 0B 0A 04 67 69 6E 61 07 63 61 66 65 6E 65 74 03 65 78 70",
            BlockInfo(id: 8, path: .gina("exp"), size: 3000, flags: [.up, .bidirectional])
        ),
        (
            "01 D0 01 70 11 01 00 0A 04 67 69 6E 61 07 63 61 66 65 6E 65 74 03 65 78 70",
            BlockInfo(id: 8, path: .gina("exp"), size: 70000, flags: [.up, .bidirectional])
        ),
        (
            "01 C2 28 23 20 0A 04 67 69 6E 61 07 63 61 66 65 6E 65 74 03 65 78 70",
            BlockInfo(
                id: 8,
                path: BlockPath(
                    block: "exp",
                    device: DevicePath(name: "gina", number: AutomaticNumber.request, network: "cafenet")),
                size: 32, flags: [.up, .bidirectional])
        ),
        (
            "01 C2 27 23 18 39 04 67 69 6E 61 07 63 61 66 65 6E 65 74 03 69 6D 70",
            BlockInfo(
                id: 9,
                path: BlockPath(
                    block: "imp", device: DevicePath(name: "gina", number: AutomaticNumber.reply, network: "cafenet")),
                size: 24, flags: [.down, .bidirectional, .dynamic, .allowResize])
        ),
        (
            "01 64 78 56 34 12 20 02 02 01 61 01 62",
            BlockInfo(
                id: 300,
                path: BlockPath(
                    block: BlockName(), device: DevicePath(name: "a", number: 0x1234_5678, network: "b")),
                size: 32, flags: [.up, .floor])
        ),
    ]

    @Test(arguments: examples)
    func `The captured block infos decode and encode to the same bytes`(_ text: String, _ expected: BlockInfo) throws {
        let bytes = hex(text)
        let message = try BlockInfo(bytes, id: expected.id)
        #expect(message == expected)
        #expect(encoded { message.encode(into: $0) } == bytes)
        for count in 1..<bytes.count {
            let part = Array(bytes[..<count])
            #expect(throws: ProtocolViolation.truncatedMessage) { _ = try BlockInfo(part, id: 8) }
            #expect(encoded(count) { message.encode(into: $0) }.isEmpty)
        }
    }

    @Test func `Missing names are empty and the four byte flag wins over the two byte one`() throws {
        let bytes = hex("01 1E 01 00 00 00 02 00 00 00 03")
        let info = try BlockInfo(bytes, id: 8)
        #expect(info.path.device.number == 1 && info.size == 2 && info.flags == [.up, .down])
        #expect(info.path.block.isEmpty && info.path.device.name.isEmpty && info.path.device.network.isEmpty)
    }

    @Test(arguments: [
        "01 C0 01 20 0A 10 61", "01 C0 01 20 0A 01 61 18 62", "01 C0 01 20 0A 01 61 01 62 10 63", "01 80 01 20 0A FF",
    ])
    func `Names longer than 15, 23 and 15 bytes are violations`(_ text: String) {
        let bytes = hex(text)
        #expect(throws: ProtocolViolation.nameTooLong) { _ = try BlockInfo(bytes, id: 8) }
    }
}

@Suite struct RemoveRequestTests {
    @Test func `The captured request decodes and encodes to the same bytes`() throws {
        let bytes = hex("03 11 01 10 01")
        let request = try RemoveRequest(bytes, count: 2)
        #expect(request.count == 2 && request[0] == 9 && request[1] == 8)
        #expect(encoded { request.encode(into: $0) } == bytes)
    }

    @Test(
        arguments: [
            (0, "00"), (7, "07"), (8, "10 01"), (9, "11 01"), (127, "17 0F"), (255, "17 1F"), (300, "14 25"),
            (32767, "27 FF 0F"), (-1, "09"),
        ] as [(Int64, String)])
    func `Packed integers have the captured form`(_ value: Int64, _ text: String) throws {
        #expect(PackedInteger(value).array == hex(text))
        let bytes = hex(text)
        var at = 0
        let decoded = try PackedInteger.decode(bytes, offset: &at)
        #expect(decoded == value)
        #expect(at == bytes.count)
    }

    @Test(arguments: [0, 17, 200, UInt32.max])
    func `A count of 0 or more than 16 is a violation`(_ count: UInt32) {
        let bytes = [3] + [UInt8](repeating: 7, count: 250)
        #expect(throws: ProtocolViolation.removeCount(count)) {
            _ = try RemoveRequest(bytes, count: count)
        }
    }

    @Test func `Sixteen ids fit, one more is refused, and a request cut anywhere is a violation`() throws {
        var request = RemoveRequest()
        for i in 0..<16 {
            let added = request.add(UInt32(8 + i * 1000))
            #expect(added)
        }
        let seventeenth = request.add(5)
        #expect(!seventeenth)
        let bytes = encoded { request.encode(into: $0) }
        let decoded = try RemoveRequest(bytes, count: 16)
        for i in 0..<16 { #expect(decoded[i] == UInt32(8 + i * 1000)) }
        for count in 1..<bytes.count {
            let part = Array(bytes[..<count])
            #expect(throws: ProtocolViolation.truncatedMessage) {
                _ = try RemoveRequest(part, count: 16)
            }
        }
    }

    @Test func `Ids that cannot exist become zero`() throws {
        let bytes = hex("03 09 08 50 FF FF FF FF FF")
        let request = try RemoveRequest(bytes, count: 3)
        #expect(request[0] == 0 && request[1] == 0 && request[2] == 0)
    }

    @Test func `A number of more than 64 bits is a violation`() {
        let bytes = hex("03 F7") + [UInt8](repeating: 0xFF, count: 15)
        #expect(throws: ProtocolViolation.truncatedMessage) { _ = try RemoveRequest(bytes, count: 1) }
    }
}

@Suite struct SocketHandshakeTests {
    @Test(arguments: [
        ("53 08 63 61 66 65 6E 65 74 00", SocketHandshake(network: "cafenet")),
        ("13", SocketHandshake(network: "")),
        ("93", SocketHandshake(network: "", wantsCertificate: true)),
        ("53 02 2A 00", SocketHandshake(network: "*")),
        ("D2 02 2A 00", SocketHandshake(client: .service, network: "*", wantsCertificate: true)),
    ])
    func `The captured handshakes decode at any cut and encode to the same bytes`(
        _ text: String, _ expected: SocketHandshake
    ) throws {
        let bytes = hex(text)
        #expect(encoded { expected.encode(into: $0) } == bytes)
        for count in 0..<bytes.count {
            let part = Array(bytes[..<count])
            var at = 0
            let decoded = try SocketHandshake(part, offset: &at)
            #expect(decoded == nil)
            #expect(at == 0)
            #expect(
                encoded(max(1, count)) { out in
                    expected.encode(into: UnsafeMutableRawBufferPointer(rebasing: out[..<count]))
                }.isEmpty)
        }
        var at = 0
        let behind = bytes + [0xFF]
        let decoded = try SocketHandshake(behind, offset: &at)
        #expect(decoded == expected)
        #expect(at == bytes.count)
    }

    @Test(arguments: [0x00, 0x11, 0x14, 0x15, 0x16, 0x54, 0xFF, 0x47] as [UInt8])
    func `Another client type is a violation`(_ type: UInt8) {
        let bytes = [type, 2, 0x2A, 0]
        #expect(throws: ProtocolViolation.clientType(type)) {
            var at = 0
            _ = try SocketHandshake(bytes, offset: &at)
        }
    }

    @Test(arguments: [0, 25, 128, 255] as [UInt8])
    func `A name length outside 1 to 24 is a violation before the name came`(_ length: UInt8) {
        let bytes = [0x53, length]
        #expect(throws: ProtocolViolation.handshakeNameLength(length)) {
            var at = 0
            _ = try SocketHandshake(bytes, offset: &at)
        }
    }

    @Test func `A name of 23 bytes is the longest, and its last byte need not be NUL`() throws {
        let bytes = [0x53, 24] + [UInt8](repeating: 0x61, count: 24)
        var at = 0
        let handshake = try SocketHandshake(bytes, offset: &at)
        #expect(handshake?.network.count == 23 && at == 26)
    }
}
