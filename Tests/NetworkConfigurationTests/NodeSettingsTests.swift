import Testing

@testable import NetworkConfiguration

@Suite struct NodeSettingsTests {
    private var settings: NodeSettings {
        var settings = NodeSettings()
        settings.networkName = "asteroidnet"
        settings.deviceNumber = "12"
        settings.connect = ["10.0.0.5:6369", ""]
        settings.wifiNames = ["bean24", ""]
        settings.wifiPasswords = ["long enough", ""]
        return settings
    }

    @Test func `The block is the original's structure`() throws {
        let bytes = settings.bytes
        #expect(bytes.count == 224)
        func text(_ offset: Int) -> String { String(decoding: bytes[offset...].prefix { $0 != 0 }, as: UTF8.self) }
        #expect(text(0) == "asteroidnet")
        #expect(text(24) == "12")
        #expect(text(32) == "10.0.0.5:6369")
        #expect(text(96) == "")
        #expect(text(160) == "bean24")
        #expect(text(176) == "long enough")
        #expect(bytes[192...].allSatisfy { $0 == 0 })
        #expect(try NodeSettings(reading: bytes) == settings)
    }

    @Test func `Blocks of nodes without Wi-Fi or with network interfaces are read and kept`() throws {
        let short = try NodeSettings(reading: Array(settings.bytes.prefix(160)))
        #expect(short.networkName == "asteroidnet" && short.wifiNames == ["", ""])
        let long = settings.bytes + [UInt8](repeating: 7, count: 244)
        var read = try NodeSettings(reading: long)
        #expect(read.bytes == long)
        read.deviceNumber = "13"
        #expect(read.bytes.count == long.count && read.bytes.suffix(244) == long.suffix(244))
    }

    @Test func `What is no block is refused`() {
        for count in [0, 1, 159, 161, 223, 5000] {
            #expect(throws: FieldProblem.self) { try NodeSettings(reading: [UInt8](repeating: 0, count: count)) }
        }
        #expect(throws: FieldProblem.self) { try NodeSettings(reading: [UInt8](repeating: 0x41, count: 224)) }
        #expect(throws: FieldProblem.self) { try NodeSettings(reading: [0xFF] + [UInt8](repeating: 0, count: 223)) }
    }

    @Test func `Settings count over the configuration`() {
        var base = NetworkConfiguration()
        base.deviceNumber = .number(3)
        base.networkName = "cafenet"
        base.connections = [NetworkConfiguration.Connection(transport: .tls, parameters: "a:1")]
        let merged = settings.over(base)
        #expect(merged.deviceNumber == .number(12))
        #expect(merged.networkName == "asteroidnet")
        #expect(merged.connections?.first?.parameters == "10.0.0.5:6369")
        #expect(merged.wifi == [NetworkConfiguration.WiFi(network: "bean24", password: "long enough")])
        #expect(NodeSettings().over(base) == base)
    }

    @Test func `Values that make no sense are found`() {
        var wrong = settings
        #expect(wrong.problems == [])
        wrong.networkName = "a b"
        wrong.deviceNumber = "9000"
        wrong.connect[0] = "a b"
        wrong.wifiPasswords[0] = "short"
        wrong.wifiNames[0] = "longer than 15 bytes"
        #expect(wrong.problems.count == 5)
        #expect(!wrong.problems.map(\.description).joined().contains("short"))
    }
}
