import PackedJSON
import Testing

@testable import NetworkConfiguration

@Suite struct EditingTests {
    private let defaults: JSON = [
        "network": ["device_nr": "*", "connect": [["transport": "tls", "parameters": "a:1", "flags": "connect,up"]]]
    ]

    private func set(_ path: String, _ value: String, in document: JSON = ["network": [:]]) throws -> JSON {
        try FieldPath(parsing: path).setting(value, in: document, defaults: defaults)
    }

    @Test func `Values get the type that the field has`() throws {
        #expect(try set("network.device_nr", "7")["network"]?["device_nr"] == 7)
        #expect(try set("device_nr", "*")["network"]?["device_nr"] == "*")
        #expect(try set("network.nic.0.dhcp", "1")["network"]?["nic"]?[0]?["dhcp"] == 1)
        #expect(try set("network.nic[0].dhcp", "off")["network"]?["nic"]?[0]?["dhcp"] == 0)
        #expect(try set("network.network_name", "7")["network"]?["network_name"] == "7")
    }

    @Test func `A list that is not there yet begins as the one that is built in`() throws {
        let changed = try set("network.connect.0.parameters", "b:2")
        #expect(changed["network"]?["connect"]?[0]?["parameters"] == "b:2")
        #expect(changed["network"]?["connect"]?[0]?["transport"] == "tls")
        let more = try set("network.connect.1.parameters", "c:3", in: changed)
        #expect(more["network"]?["connect"]?.elements?.count == 2)
        #expect(throws: FieldProblem.self) { try set("network.connect.3.parameters", "c:3", in: more) }
    }

    @Test(arguments: [
        "network.colour", "network.connect.0.colour", "network", "", "a..b", "network.connect", "network.connect.x.y",
    ])
    func `What is no field cannot be set`(path: String) {
        #expect(throws: FieldProblem.self) { try set(path, "1") }
    }

    @Test func `Fields and entries are taken away`() throws {
        let changed = try set("network.connect.1.parameters", "c:3")
        let first = try FieldPath(parsing: "connect.0").removing(from: changed)
        #expect(first["network"]?["connect"] == [["parameters": "c:3"]])
        #expect(throws: FieldProblem.self) { try FieldPath(parsing: "network.device_nr").removing(from: changed) }
    }

    @Test func `A difference shows each field and no secret`() throws {
        let old: JSON = [
            "network": ["device_nr": 1, "password": "old secret", "wifi": [["network": "a", "password": "first1234"]]]
        ]
        let new: JSON = [
            "network": [
                "device_nr": 2, "password": "new secret", "wifi": [["network": "a", "password": ""]], "cust1": "x",
            ]
        ]
        let lines = ConfigurationDifference.between(old, new).flatMap(\.lines)
        #expect(
            lines == [
                "- network.device_nr = 1", "+ network.device_nr = 2", "- network.password = ••••",
                "+ network.password = ••••",
                "- network.wifi[0].password = ••••", "+ network.wifi[0].password = \"\"", "+ network.cust1 = \"x\"",
            ])
        #expect(ConfigurationDifference.between(old, old) == [])
        #expect(!old.withoutSecrets.compactText.contains("secret") && !old.withoutSecrets.compactText.contains("first"))
    }
}
