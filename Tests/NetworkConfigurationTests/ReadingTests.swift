import PackedJSON
import Testing

@testable import NetworkConfiguration

/// What is stored is read as the original reads it (application-layer.md 7.1).
@Suite struct ReadingTests {
    private func read(_ text: String) throws -> NetworkConfiguration {
        NetworkConfiguration(reading: try JSON(parsing: text))
    }

    @Test(
        arguments: [
            ("\"*\"", .automatic), ("\"auto\"", .automatic), ("0", .automatic), ("-3", .automatic),
            ("\"7\"", .number(7)),
            ("7", .number(7)), ("\"x\"", .automatic), ("9000", .automatic), ("8999", .automatic),
            ("8998", .number(8998)),
        ] as [(String, NumberSetting)])
    func `A device number is a number, a text or automatic`(text: String, number: NumberSetting) throws {
        #expect(try read("{\"network\":{\"device_nr\":\(text)}}").deviceNumber == number)
    }

    @Test func `Fields count at any depth of objects but not inside of lists`() throws {
        let found = try read(
            #"{"device_nr":3,"a":{"b":{"network_name":"deep"}},"list":[{"device_name":"not","password":"this"}]}"#)
        #expect(found.deviceNumber == .number(3))
        #expect(found.networkName == "deep")
        #expect(found.deviceName == nil)
        #expect(found.password == nil)
    }

    @Test func `An unknown transport is TLS, missing parameters look for a server, the fourth connection is not seen`()
        throws
    {
        let found = try read(
            #"{"network":{"connect":[{"transport":"tsl"},{"transport":"socket","parameters":""},{"transport":"none"},{}]}}"#
        )
        #expect(found.connections?.map(\.transport) == [.tls, .socket, .none])
        #expect(found.connections?.map(\.parameters) == ["*", "*", "*"])
    }

    @Test(
        arguments: [
            ("listen,up", .up), ("listen,down", .listen), ("connect,up,cloud", .cloud), ("", .down), ("connect", .down),
            ("listen", .listen),
        ] as [(String, ConnectionRole)])
    func `One flag decides`(flags: String, role: ConnectionRole) { #expect(ConnectionRole(reading: flags) == role) }

    @Test func `A number that the original's tool stored as a text is read all the same`() throws {
        #expect(try read(#"{"network":{"nic":[{"dhcp":"0","ip":"10.0.0.5"}]}}"#).interfaces?.first?.dhcp == false)
        #expect(try read(#"{"network":{"nic":[{"dhcp":1}]}}"#).interfaces?.first?.dhcp == true)
    }

    @Test func `What is written keeps the members that are not known`() throws {
        var found = try read(
            #"{"title":"t","network":{"mine":1,"connect":[{"transport":"tls","parameters":"a","flags":"connect,up","x":2}]}}"#
        )
        found.deviceNumber = .number(5)
        found.connections?[0].parameters = "b:1"
        let written = try JSON(
            parsing:
                #"{"title":"t","network":{"mine":1,"connect":[{"transport":"tls","parameters":"b:1","flags":"connect,up","x":2}],"device_nr":5}}"#
        )
        #expect(found.json == written)
        #expect(NetworkConfiguration(reading: found.json).deviceNumber == .number(5))
    }

    @Test func `The packed example of the specification is read`() throws {
        let hex = """
            14 05 74 65 73 74 6E 65 74 00 74 6C 73 00 63 6F 6E 6E 65 63 74 2C 75 70 00 6E 69 63 00 64 68 63 70 00 69 70 00 31
            30 2E 30 2E 30 2E 35 00 11 05 10 38 13 44 13 03 13 46 10 05 10 3D 00 13 40 10 06 13 42 13 03 13 3E 14 06 01 11 01
            10 7F 00 15 86 13 90 13 09 01 11 01 01 42 A4
            """
        let bytes = hex.split { $0 == " " || $0 == "\n" }.compactMap { UInt8($0, radix: 16) }
        let found = try NetworkConfiguration(unpacking: bytes)
        #expect(found.deviceNumber == .automatic)
        #expect(found.networkName == "testnet")
        #expect(found.connections?.first?.transport == .tls)
        #expect(found.connections?.first?.role == .up)
        #expect(found.interfaces == [NetworkConfiguration.Interface(dhcp: true, ip: "10.0.0.5")])
        #expect(throws: UnpackingError.self) { try NetworkConfiguration(unpacking: Array(bytes.dropLast())) }
    }
}
