import PackedJSON
import Testing

/// A text and its packed form from application-layer.md 5.7 (real output of the original).
struct PackedVector: Sendable {
    let text: String
    let packed: String
    var keepsQuirks = false

    static let all = [
        PackedVector(text: #"{"a":1}"#, packed: "02 61 00 02 15 50 13 5D"),
        PackedVector(
            text: #"{"name":"frank","type":"int","array":257}"#,
            packed: "06 66 72 61 6E 6B 00 14 01 13 06 10 05 13 0A 13 02 16 08 11 20 D8 1B"),
        PackedVector(
            text: #"{"b":true,"c":false,"d":null,"e":""}"#,
            packed: "10 01 62 00 63 00 64 00 65 00 | 10 01 | 15 50 14 54 12 58 12 5C | C2 FA"),
        PackedVector(
            text: #"{"b":true,"c":false,"d":null,"e":""}"#,
            packed: "10 01 62 00 63 00 64 00 65 00 | 10 01 | 13 51 14 55 12 59 12 5C | 3E 10", keepsQuirks: true),
        PackedVector(
            text: #"{"v":2.5,"w":-0.1,"z":0.0,"o":1.0,"n":-3,"big":123456}"#,
            packed: """
                16 01 76 00 77 00 7A 00 6F 00 6E 00 62 69 67 00 | 17 02 |
                17 50 05 01 | 17 54 3D 99 99 19 0C | 14 58 | 15 5C | 16 60 0B | 16 64 20 48 3C | 4E DA
                """),
        PackedVector(
            text: #"{"a":[{"x":1},{"x":2}]}"#,
            packed: "04 61 00 78 00 | 15 01 | 10 51 | 00 15 54 01 | 00 16 54 02 01 | 11 01 | B2 77"),
        PackedVector(
            text: """
                {"network":{"title":"Demo","device_nr":"*","network_name":"testnet","connect":[{"transport":"tls",
                "parameters":"*","flags":"connect,up"}],"nic":[{"dhcp":1,"ip":"10.0.0.5"}]}}
                """,
            packed: """
                14 05 74 65 73 74 6E 65 74 00 74 6C 73 00 63 6F 6E 6E 65 63 74 2C 75 70 00 6E 69 63 00 64 68 63
                70 00 69 70 00 31 30 2E 30 2E 30 2E 35 00
                11 05
                10 38  13 44 13 03  13 46 10 05  10 3D  00  13 40 10 06  13 42 13 03  13 3E 14 06  01  11 01
                10 7F  00  15 86  13 90 13 09  01  11 01  01
                42 A4
                """),
        PackedVector(
            text: """
                {"accounts":{"accounts":[{"user":"root*","password":"pass","privileges":"admin"}],"whitelist":[]}}
                """,
            packed: """
                14 0B 61 63 63 6F 75 6E 74 73 00 75 73 65 72 00 72 6F 6F 74 2A 00 21 57 64 6A 45 45 31 62 38 37
                44 77 58 58 38 31 78 4A 45 74 44 70 62 51 5F 59 5F 65 63 46 6F 36 6C 50 7A 53 6F 6E 4B 46 6F 53
                7A 38 00 70 72 69 76 69 6C 65 67 65
                73 00 61 64 6D 69 6E 00 77 68 69 74 65 6C 69 73 74 00
                11 03
                10 50 10 51 00 13 62 16 06 13 48 14 07 13 D2 14 0E 01 11 01 10 F5 11 01 01
                12 E2
                """),
        PackedVector(
            text: """
                {"name":"demo","mblk":[{"name":"exp","flags":"up","groups":[{"name":"inputs","signals":[
                {"name":"button","type":"boolean"},{"name":"temp","type":"float","addr":8,"min":-40.5,"max":125}]}]}]}
                """,
            packed: """
                13 03 64 65 6D 6F 00 75 70 00 69 6E 70 75 74 73 00 62 75 74 74 6F 6E 00 74 65 6D 70 00
                11 08
                13 06 10 05 10 19 00 13 06 11 03 13 3E 15 05 10 03 00 13 06 10 06 10 05 00 13 06 17 06 13 0A 16 01 01
                00 13 06 16 07 13 0A 16 02 16 0C 10 01 17 12 19 0A 05 16 14 15 0F 01 11 01 01 11 01 01 11 01
                87 EE
                """),
    ]
}

@Suite struct PackedVectorTests {
    /// `pass` hashed as in application-layer.md 7.5; the real hash belongs to the server.
    static func hash(_ text: String) -> String {
        text == "pass" ? "!WdjEE1b87DwXX81xJEtDpbQ_Y_ecFo6lPzSonKFoSz8" : "!other"
    }

    @Test(arguments: PackedVector.all)
    func `Packing gives the bytes of the original`(_ vector: PackedVector) throws {
        let options = PackingOptions(keepsQuirks: vector.keepsQuirks, hashPassword: Self.hash)
        #expect(try JSON(parsing: vector.text).packed(options) == hex(vector.packed))
    }

    @Test(arguments: PackedVector.all)
    func `Packing again what was unpacked gives the same bytes`(_ vector: PackedVector) throws {
        let json = try JSON(unpacking: hex(vector.packed))
        #expect(try json.packed(.lossless) == hex(vector.packed))
    }

    @Test func `Unpacking gives the document`() throws {
        let vector = PackedVector.all[4]
        #expect(
            try JSON(unpacking: hex(vector.packed)) == ["v": 2.5, "w": -0.1, "z": 0, "o": 1, "n": -3, "big": 123456])
        let quirks = PackedVector.all[3]
        #expect(try JSON(unpacking: hex(quirks.packed)) == ["b": true, "c": false, "d": nil, "e": ""])
    }

    @Test(arguments: [
        (2.5, [UInt8(0x05), 0x01]), (0.5, [0x01, 0x09]), (-40.5, hex("19 0A 05")), (1000.0, hex("15 0F 11 01")),
        (-0.1, hex("3D 99 99 19 0C")), (16777217.0, hex("01 10 03")),
    ])
    func `Floats have an odd significand and a binary exponent`(_ value: Double, _ bytes: [UInt8]) throws {
        let packed = try JSON.object([JSON.Member("min", .number(value))]).packed()
        // dictionary size 0, content size, item (9 * 16 + 7 in two bytes), then the number and the checksum
        #expect(Array(packed[4..<packed.count - 2]) == bytes)
        let back = try JSON(unpacking: packed)["min"]?.double
        #expect(back.map { Float($0) } == Float(value))
    }
}
