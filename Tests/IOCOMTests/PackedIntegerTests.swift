import IOCOM
import Testing

@Suite struct PackedIntegerTests {
    /// application-layer.md 5.2 and wire-protocol.md 7.1.
    static let vectors: [(Int64, [UInt8])] = [
        (0, [0x00]), (1, [0x01]), (7, [0x07]), (8, [0x10, 0x01]), (9, [0x11, 0x01]), (-1, [0x09]), (-7, [0x0F]),
        (-8, [0x18, 0x01]), (-9, [0x19, 0x01]), (-65536, [0x28, 0x00, 0x20]), (100, [0x14, 0x0C]),
        (-100, [0x1C, 0x0C]), (127, [0x17, 0x0F]), (255, [0x17, 0x1F]), (300, [0x14, 0x25]), (1000, [0x10, 0x7D]),
        (2047, [0x17, 0xFF]), (2048, [0x20, 0x00, 0x01]), (6368, [0x20, 0x1C, 0x03]), (32767, [0x27, 0xFF, 0x0F]),
        (65535, [0x27, 0xFF, 0x1F]), (123_456_789, [0x35, 0xA2, 0x79, 0xEB]),
        (4_294_967_296, [0x40, 0x00, 0x00, 0x00, 0x20]), (.min, [0x08]),
        (.max, [0x87, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F]),
    ]

    private func decode(_ bytes: [UInt8], from start: Int = 0) throws(PackedIntegerError) -> (Int64, end: Int) {
        var offset = start
        let value = try PackedInteger.decode(bytes.span.bytes, offset: &offset)
        return (value, offset)
    }

    @Test(arguments: vectors)
    func `The specification's numbers have the specification's bytes`(_ value: Int64, _ bytes: [UInt8]) throws {
        #expect(PackedInteger(value).array == bytes)
        #expect(try decode(bytes) == (value, bytes.count))
        #expect(try decode([0xAA] + bytes + [0xFF], from: 1) == (value, bytes.count + 1))
        for end in 0..<bytes.count {
            #expect(throws: PackedIntegerError.truncated) { try decode(Array(bytes[..<end])) }
        }
    }

    @Test func `Every number of bits survives`() throws {
        for shift in 0..<64 {
            for step: Int64 in -1...1 {
                let value = Int64(truncatingIfNeeded: UInt64(1) << UInt64(shift)) &+ step
                let packed = PackedInteger(value).array
                #expect(packed.count <= PackedInteger.longest)
                #expect(try decode(packed) == (value, packed.count))
            }
        }
    }

    @Test func `Overlong forms are read when the value fits`() throws {
        #expect(try decode([0x21, 0x01, 0x00]).0 == 9)
        #expect(try decode([0x18, 0x00]).0 == 0)
        #expect(try decode([0xF1] + [UInt8](repeating: 0, count: 15)) == (1, 16))
        #expect(try decode([0x88] + [0, 0, 0, 0, 0, 0, 0, 0x10]).0 == .min)
        let tooLarge: [[UInt8]] = [
            [0x80, 0, 0, 0, 0, 0, 0, 0, 0x10], [0x80, 0, 0, 0, 0, 0, 0, 0, 0x20], [0x89, 0, 0, 0, 0, 0, 0, 0, 0x10],
            [0x90, 0, 0, 0, 0, 0, 0, 0, 0, 1], [0xF0] + [UInt8](repeating: 0xFF, count: 15),
        ]
        for bytes in tooLarge { #expect(throws: PackedIntegerError.tooLarge) { try decode(bytes) } }
    }

    @Test func `An error leaves the offset`() {
        let bytes: [UInt8] = [0x00, 0x20, 0x01]
        for start in [-1, 1, 3, 4, .max, .min] {
            var offset = start
            #expect(throws: PackedIntegerError.truncated) {
                try PackedInteger.decode(bytes.span.bytes, offset: &offset)
            }
            #expect(offset == start)
        }
    }

    @Test func `Bytes are stored only when all fit`() {
        var bytes = [UInt8](repeating: 0xEE, count: 4)
        var span = bytes.mutableSpan
        var raw = span.mutableBytes
        var offset = 1
        #expect(PackedInteger(2048).store(in: &raw, at: &offset))
        #expect(offset == 4)
        offset = 2
        #expect(!PackedInteger(2048).store(in: &raw, at: &offset))
        #expect(offset == 2)
        #expect(bytes == [0xEE, 0x20, 0x00, 0x01])
    }
}
