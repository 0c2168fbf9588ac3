import Testing

@testable import ServerData

@Suite struct IPAddressTests {
    @Test(arguments: [
        ("10.0.0.5", [10, 0, 0, 5]),
        ("255.255.255.255", [255, 255, 255, 255]),
        ("::ffff:10.0.0.5", [10, 0, 0, 5]),
        ("::", [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        ("::1", [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
        ("fe80::", [0xFE, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        ("2001:DB8::a:b", [0x20, 1, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 10, 0, 11]),
        ("1:2:3:4:5:6:7:8", [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8]),
        ("64:ff9b::1.2.3.4", [0, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4]),
        ("1:2:3:4:5:6:1.2.3.4", [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 1, 2, 3, 4]),
        ("1:2:3:4:5:6:7::", [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 0]),
    ])
    func addressesAreRead(text: String, bytes: [UInt8]) {
        #expect(IPAddress(text)?.bytes == bytes)
    }

    @Test(arguments: [
        "", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.4 ", "a.b.c.d", ":", ":::", "1::2::3",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9", "::1:2:3:4:5:6:7:8", "12345::", "g::", "1.2.3.4::", "::1.2.3", "1:2:3:4:5:6:7:1.2.3.4",
        ":1:2:3:4:5:6:7", "1:2:3:4:5:6:7:", "*", "1..2.3", "[::1]",
    ])
    func otherTextIsRefused(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test(arguments: [
        ("10.0.0.5:6369", "10.0.0.5"), ("[::1]:6369", "::1"), ("[::1]", "::1"), ("fe80::1%eth0", "fe80::1"),
        ("[fe80::1%2]:7", "fe80::1"), ("10.0.0.5", "10.0.0.5"), ("::1", "::1"),
    ])
    func thePeersOwnWayOfWritingIsRead(text: String, address: String) {
        #expect(IPAddress(peer: text) == IPAddress(address))
    }

    @Test func rangesIncludeBothEndsAndStayInTheirFamily() throws {
        let range = AddressRange(
            first: try #require(IPAddress("10.0.0.250")), last: try #require(IPAddress("10.0.1.5")))
        for inside in ["10.0.0.250", "10.0.1.5", "10.0.0.255", "10.0.1.0"] {
            #expect(range.contains(try #require(IPAddress(inside))))
        }
        for outside in ["10.0.0.249", "10.0.1.6", "a00:fa::", "a00:0100::", "9.255.255.255"] {
            #expect(!range.contains(try #require(IPAddress(outside))))
        }
    }

    @Test func theWrittenFormIsReadBackAsTheSameAddress() throws {
        var random = SeededGenerator(seed: 3)
        for count in [4, 16] {
            for _ in 0..<500 {
                let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) & (Bool.random() ? 255 : 0)
                }
                let address = try #require(IPAddress(bytes: bytes))
                #expect(IPAddress(address.description) == address)
            }
        }
    }

    @Test func randomTextNeverTraps() {
        var random = SeededGenerator(seed: 4)
        let alphabet = Array(":.0123456789abf%[]")
        for _ in 0..<50000 {
            let text = String(
                (0..<Int.random(in: 0..<48, using: &random)).map { _ in
                    alphabet[Int.random(in: 0..<alphabet.count, using: &random)]
                })
            if let address = IPAddress(text) { #expect(IPAddress(address.description) == address) }
            _ = IPAddress(peer: text)
        }
    }
}
