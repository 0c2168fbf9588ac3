import PackedJSON
import Testing

@testable import NetworkConfiguration

@Suite struct ValidationTests {
    private func problems(_ text: String) throws -> [String] {
        try NetworkSchema.problems(in: JSON(parsing: text)).map(\.description)
    }

    @Test func `A whole configuration is allowed, with members that nobody here knows`() throws {
        let document = """
            {"network":{"device_name":"candy","device_nr":7,"network_name":"cafenet","publish":"cafenet,asteroid_net",
            "password":"","cust1":"x","connect":[{"transport":"tls","parameters":"192.168.1.2:6369","flags":"connect,up"},
            {"transport":"serial","parameters":"COM4:19200","flags":"connect,up"},
            {"transport":"none","parameters":"[*]:6369","flags":"listen,down"}],
            "nic":[{"dhcp":0,"ip":"10.0.0.5","subnet":"255.255.255.0","gateway":"fe80::1","mac":"36:12:64:A4:B4:C4","send_udp":1}],
            "wifi":[{"network":"bean24","password":"secret password"}],"security":[{"certfile":"myhome.crt"}],
            "mine":{"a":[{"b":1}]}},"other":1}
            """
        #expect(try problems(document) == [])
    }

    @Test(arguments: [
        (
            #"{"network":{"connect":[{"transport":"tsl"}]}}"#,
            #"network.connect[0].transport: "tsl" is not one of tls, socket, serial, bluetooth, none"#
        ),
        (
            #"{"network":{"device_nr":0}}"#,
            "network.device_nr: 0 is not a number from 1 to 8998, or \"*\" for an automatic one"
        ),
        (
            #"{"network":{"device_nr":"07"}}"#,
            #"network.device_nr: "07" is not a number from 1 to 8998, or "*" for an automatic one"#
        ),
        (
            #"{"network":{"device_nr":"8999"}}"#,
            #"network.device_nr: "8999" is not a number from 1 to 8998, or "*" for an automatic one"#
        ),
        (
            #"{"network":{"nic":[{"dhcp":"1"}]}}"#,
            #"network.nic[0].dhcp: is the text "1"; it must be the number 1, or devices do not see it"#
        ),
        (#"{"network":{"nic":[{"dhcp":2}]}}"#, "network.nic[0].dhcp: 2 is not 0 or 1"),
        (
            #"{"network":{"nic":[{"ip":"10.0.0.256"}]}}"#,
            "network.nic[0].ip: \"10.0.0.256\" is not an IP address like 192.168.1.20, or \"*\""
        ),
        (
            #"{"network":{"network_name":"a b"}}"#,
            "network.network_name: \"a b\" is not 1 to 23 letters, digits, dashes and underscores, or \"*\""
        ),
        (
            #"{"network":{"device_name":"candy1"}}"#,
            "network.device_name: \"candy1\" is not 1 to 15 letters and underscores"
        ),
        (
            #"{"network":{"connect":[{"flags":"connect,upp"}]}}"#,
            "network.connect[0].flags: \"upp\" is not one of connect, listen, up, down, cloud"
        ),
        (
            #"{"network":{"connect":[{"flags":"listen,connect"}]}}"#,
            "network.connect[0].flags: \"listen,connect\" has both connect and listen"
        ),
        (#"{"network":{"connect":{}}}"#, "network.connect: is not a list [{…}, …]"),
        (#"{"network":{"connect":[1]}}"#, "network.connect[0]: is not an object {…}"),
        (#"{"network":{"connect":[{},{},{},{}]}}"#, "network.connect: has 4 entries; 3 are allowed"),
        (#"{"network":{"device_nr":1,"device_nr":2}}"#, "network.device_nr: stands there twice"),
        (#"{"network":1}"#, "network: is not an object {…}"),
        (#"{"net":{}}"#, "network: is missing; all fields stand in an object called network"),
    ])
    func `Each wrong field is named with what is allowed`(document: String, problem: String) throws {
        #expect(try problems(document) == [problem])
    }

    @Test func `A password that is wrong is not shown`() throws {
        let found = try problems(#"{"network":{"wifi":[{"network":"bean24","password":"short1"}],"password":7}}"#)
        #expect(found.count == 2)
        #expect(found.contains("network.wifi[0].password: has 6 bytes; a Wi-Fi password has 8 to 63"))
        #expect(found.contains("network.password: the value is not a text"))
    }

    @Test(
        arguments: [
            ("", .discover(ipv6: false)), ("*", .discover(ipv6: false)), ("[*]", .discover(ipv6: true)),
            ("frank.local", .host("frank.local", port: nil)), ("10.0.0.5:7000", .host("10.0.0.5", port: 7000)),
            ("[fe80::1]:6369", .host("fe80::1", port: 6369)), ("[::1]", .host("::1", port: nil)),
            ("*:6369", .anyAddress(port: 6369)), (":6369", .anyAddress(port: 6369)),
            ("[*]:6369", .anyAddress(port: 6369)),
        ] as [(String, ConnectTarget)])
    func `Parameters of connections are understood`(text: String, target: ConnectTarget) {
        #expect(ConnectTarget(text) == target)
    }

    @Test(arguments: [
        "host:0", "host:65536", "host:", "fe80::1", "[fe80::1", "[x]:1", "a b", "host:1x", "a/b", "::1:2:3:4:5:6:7:8:9",
        "[1:2:3]", String(repeating: "a", count: 64),
    ])
    func `What is no address is refused`(text: String) { #expect(ConnectTarget(text) == nil) }
}
