import IOCOM
import PackedJSON
import Testing

@Suite struct PackedJSONTests {
    @Test func `Random documents survive packing`() throws {
        var generator = SeededGenerator(11)
        for _ in 0..<1000 {
            let json = JSON.randomObject(&generator, isPackable: true)
            #expect(try JSON(unpacking: json.packed(.lossless)) == json)
        }
    }

    @Test func `Bytes behind the checksum do not matter`() throws {
        let bytes = try (["a": 1] as JSON).packed()
        #expect(try JSON(unpacking: bytes + [UInt8](repeating: 0xAA, count: 100)) == ["a": 1])
        #expect(try JSON(unpacking: (JSON.object([])).packed()) == .object([]))
    }

    @Test func `Every truncation is refused`() throws {
        for vector in PackedVector.all {
            let bytes = hex(vector.packed)
            for end in 0..<bytes.count {
                #expect(throws: UnpackingError.self) { try JSON(unpacking: Array(bytes[..<end])) }
            }
        }
    }

    @Test func `Damage is found by the checksum`() throws {
        let bytes = hex(PackedVector.all[6].packed)
        for index in bytes.indices {
            for bit in 0..<8 {
                var damaged = bytes
                damaged[index] ^= 1 << UInt8(bit)
                #expect(throws: UnpackingError.self) { try JSON(unpacking: damaged) }
            }
        }
    }

    @Test func `Mutations with a correct checksum never trap and what they give can be packed`() throws {
        var generator = SeededGenerator(12)
        var accepted = 0
        for round in 0..<20_000 {
            let vector = PackedVector.all[round % PackedVector.all.count]
            var bytes = Array(hex(vector.packed).dropLast(2))
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let index = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes[index] = .random(in: 0...255, using: &generator)
                case 1: bytes.remove(at: index)
                default: bytes.insert(.random(in: 0...255, using: &generator), at: index)
                }
            }
            let json = try? JSON(unpacking: sealed(bytes))
            guard let json else { continue }
            accepted += 1
            // Not compared with `json` itself: a float 0 or 1, which nobody writes, comes back as an integer.
            let again = try json.packed(.lossless)
            #expect(try JSON(unpacking: again).packed(.lossless) == again)
        }
        #expect(accepted > 100)
    }

    /// Wraps content, given as integers, into a document whose checksum is right.
    private func document(dictionary: [UInt8] = [], _ content: Int64...) -> [UInt8] {
        let content = content.flatMap { PackedInteger($0).array }
        return sealed(
            PackedInteger(Int64(dictionary.count)).array + dictionary + PackedInteger(Int64(content.count)).array
                + content)
    }

    private func sealed(_ bytes: [UInt8]) -> [UInt8] {
        let checksum = CRC16.of(bytes)
        return bytes + [UInt8(truncatingIfNeeded: checksum), UInt8(truncatingIfNeeded: checksum >> 8)]
    }

    private func error(_ bytes: [UInt8], limits: JSONLimits = .standard) -> UnpackingError? {
        do {
            _ = try JSON(unpacking: bytes, limits: limits)
            return nil
        } catch { return error }
    }

    @Test func `Impossible items are refused`() {
        let name: Int64 = 3 * 16
        #expect(error(document(name + 13)) == .badItem(offset: 0))
        #expect(error(document(-7)) == .badItem(offset: 0))
        #expect(error(sealed([0x00, 0x01, 0x08])) == .badItem(offset: 0))
        #expect(error(document(name + 4, 1)) == .unbalanced(offset: 2))
        #expect(error(document(name + 4, 9)) == .unbalanced(offset: 2))
        #expect(error(document(name)) == .unbalanced(offset: 2))
        #expect(error(document(name, 9)) == .unbalanced(offset: 2))
        #expect(error(document(name + 8, 1)) == .unbalanced(offset: 2))
        #expect(error(document(name + 6)) == .truncated)
        #expect(error(document(name + 7, 1, 128)) == .badFloat(offset: 2))
        #expect(error(document(name + 7, .min, .min)) == nil)
        #expect(error(document(name + 7, .min, .max)) == .badFloat(offset: 2))
        #expect(error(document(name + 7, 1, -127)) == nil)
    }

    @Test func `Texts must be starts of dictionary entries`() {
        let name: Int64 = 3 * 16 + 3
        let dictionary = Array("ab\0cd\0ef".utf8)
        #expect(error(document(dictionary: dictionary, name, 40)) == nil)
        #expect(error(document(dictionary: dictionary, name, 43)) == nil)
        for reference: Int64 in [-1, .min, 39, 41, 42, 46, 48, 1_000_000, .max] {
            #expect(error(document(dictionary: dictionary, name, reference)) == .badReference(reference))
        }
    }

    @Test func `Sizes are checked before anything is read`() {
        #expect(error([]) == .truncated)
        #expect(error([0, 0]) == .truncated)
        #expect(error([0x08, 0, 0, 0]) == .badInteger(offset: 0))
        #expect(error([0x09, 0, 0, 0]) == .badInteger(offset: 0))
        #expect(error([0x70, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 0, 0]) == .truncated)
        #expect(error([0xF0] + [UInt8](repeating: 0xFF, count: 20)) == .badInteger(offset: 0))
        #expect(error([0, 0, 1, 2]) == .checksum(stored: 0x0201, computed: CRC16.of([0, 0])))
    }

    @Test func `Limits hold`() throws {
        let nested: JSON = ["a": ["a": ["a": [1, 2, 3]]]]
        let bytes = try nested.packed()
        #expect(error(bytes, limits: JSONLimits(depth: 4)) == nil)
        #expect(error(bytes, limits: JSONLimits(depth: 3)) == .tooDeep(limit: 3))
        #expect(error(bytes, limits: JSONLimits(items: 6)) == nil)
        #expect(error(bytes, limits: JSONLimits(items: 5)) == .tooManyItems(limit: 5))
        #expect(error(bytes, limits: JSONLimits(bytes: bytes.count - 1)) == .tooLong(limit: bytes.count - 1))
        #expect(error(bytes, limits: JSONLimits(textBytes: 2)) == .tooMuchText(limit: 2))
        #expect(throws: PackingError.tooDeep(limit: 3)) {
            try nested.packed(PackingOptions(limits: JSONLimits(depth: 3)))
        }
        #expect(throws: PackingError.tooLong(limit: 8)) {
            try nested.packed(PackingOptions(limits: JSONLimits(bytes: 8)))
        }
        let deep = sealed(PackedInteger(0).array + PackedInteger(100_000).array + [UInt8](repeating: 0, count: 100_000))
        #expect(error(deep) == .tooDeep(limit: 64))
    }

    @Test func `A small document cannot unpack to much text`() throws {
        let long = String(repeating: "x", count: 60_000)
        let json = JSON.array([JSON](repeating: .string(long), count: 10_000))
        let bytes = try (["list": json] as JSON).packed()
        #expect(bytes.count < 120_000)
        #expect(error(bytes) == .tooMuchText(limit: 16 << 20))
    }

    @Test func `What has no packed form is refused`() {
        #expect(throws: PackingError.notAnObject) { try ([1] as JSON).packed() }
        #expect(throws: PackingError.textWithNUL) { try (["a": "x\0y"] as JSON).packed() }
        #expect(throws: PackingError.textWithNUL) { try (["a\0": 1] as JSON).packed() }
        #expect(throws: PackingError.numberOutOfRange(1e300)) { try (["a": 1e300] as JSON).packed() }
        #expect(throws: PackingError.numberOutOfRange(.infinity)) {
            try JSON.object([JSON.Member("a", .number(.infinity))]).packed()
        }
    }

    @Test func `Skipped tags leave no trace`() throws {
        let json: JSON = ["title": ["deep": "x"], "subtitle": "kept", "list": [["title": "y", "a": 1]]]
        #expect(try json.packed() == (["subtitle": "kept", "list": [["a": 1]]] as JSON).packed())
        let packed = try json.packed(PackingOptions(skipped: ["subtitle", "list"]))
        #expect(try JSON(unpacking: packed) == ["title": ["deep": "x"]])
    }

    @Test func `Only plain passwords are hashed`() throws {
        let json: JSON = [
            "password": "secret", "user": "secret",
            "list": [
                ["password": "auto"], ["password": "*"], ["password": ""], ["password": "!abc"], ["password": "$2$x"],
                ["password": "auto "], ["password": 12], ["password": ["password": "inner", "x": ["plain"]]],
            ],
        ]
        let packed = try json.packed(PackingOptions(hashPassword: { "hash of \($0)" }))
        #expect(
            try JSON(unpacking: packed) == [
                "password": "hash of secret", "user": "secret",
                "list": [
                    ["password": "auto"], ["password": "*"], ["password": ""], ["password": "!abc"],
                    ["password": "$2$x"], ["password": "hash of auto "], ["password": 12],
                    ["password": ["password": "hash of inner", "x": ["plain"]]],
                ],
            ])
        #expect(!packed.contains(Array("inner\0".utf8)) || packed.contains(Array("hash of inner\0".utf8)))
    }

    @Test func `Texts that only look the same keep their bytes`() throws {
        let json: JSON = ["a": "\u{E9}", "b": "e\u{301}"]
        let back = try JSON(unpacking: json.packed())
        #expect(back["a"]?.text.map { Array($0.utf8) } == [0xC3, 0xA9])
        #expect(back["b"]?.text.map { Array($0.utf8) } == [0x65, 0xCC, 0x81])
    }

    @Test func `Denormal numbers become zero`() throws {
        #expect(try JSON(unpacking: (["a": 1e-40] as JSON).packed()) == ["a": 0])
    }

    @Test func `Texts that the original loops on are told`() {
        for text in ["\n", "\"quoted\"", "a\n\nb", "a\\\\b", "a\r\nb"] {
            #expect(!JSON.isSafeForOriginal(text), "\(text.debugDescription)")
        }
        for text in ["", "a", "a\nb\nc", "a\"b\\", "äö/"] {
            #expect(JSON.isSafeForOriginal(text), "\(text.debugDescription)")
        }
        let json: JSON = ["accounts": [["user": "root"], ["user": "\"x"]]]
        #expect(json.originalHazard?.kind == .endlessLoop)
        #expect(json.originalHazard?.path == "accounts[1].user")
        #expect((["a": [1]] as JSON).originalHazard?.kind == .arrayOfPlainValues)
        #expect((["a": [["b": 1]], "c": []] as JSON).isSafeForOriginal)
    }

    @Test func `Texts that the original loops on are packed all the same`() throws {
        let json: JSON = ["a": "\n\n\"\"\\\\", "\n": "x"]
        #expect(try JSON(unpacking: json.packed()) == json)
    }
}
