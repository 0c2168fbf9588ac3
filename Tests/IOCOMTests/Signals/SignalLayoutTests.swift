import IOCOM
import Testing

@Suite struct SignalLayoutTests {
    @Test func `Types have the ids, names and sizes of the specification`() {
        let table: [(UInt8, String, Int)] = [
            (1, "boolean", 0), (2, "char", 1), (3, "uchar", 1), (4, "short", 2), (5, "ushort", 2), (6, "int", 4),
            (7, "uint", 4), (8, "int64", 8), (9, "long", 8), (10, "float", 4), (11, "double", 8), (12, "dec01", 2),
            (13, "dec001", 2), (14, "str", 1),
        ]
        #expect(SignalType.allCases.count == table.count)
        for (id, name, size) in table {
            let type = SignalType(rawValue: id)
            #expect(type?.name == name)
            #expect(type?.size == size)
            #expect(SignalType(name: name) == type)
        }
        #expect(SignalType(name: "str16") == nil)
        #expect(SignalType(rawValue: 0) == nil)
    }

    @Test func `Integers hold what their bits hold`() {
        #expect(SignalType.char.storedRange == -128...127)
        #expect(SignalType.uchar.storedRange == 0...255)
        #expect(SignalType.short.storedRange == -32768...32767)
        #expect(SignalType.uint.storedRange == 0...4_294_967_295)
        #expect(SignalType.long.storedRange == Int64.min...Int64.max)
        #expect(SignalType.dec001.storedRange == -32768...32767)
        #expect(SignalType.str.storedRange == nil)
    }

    @Test func `Lengths count the state byte`() {
        #expect(Signal(.boolean, at: 0)?.byteLength == 1)
        #expect(Signal(.boolean, at: 0, count: 2)?.byteLength == 2)
        #expect(Signal(.boolean, at: 0, count: 8)?.byteLength == 2)
        #expect(Signal(.boolean, at: 0, count: 9)?.byteLength == 3)
        #expect(Signal(.uchar, at: 21, count: 257)?.range == ByteRange(21, 279))
        #expect(Signal(.double, at: 0, count: 3)?.byteLength == 25)
        #expect(Signal(.str, at: 0, count: 16)?.byteLength == 17)
    }

    @Test func `Impossible places are refused`() {
        #expect(Signal(.char, at: -1) == nil)
        #expect(Signal(.char, at: 0, count: 0) == nil)
        #expect(Signal(.char, at: .max) == nil)
        #expect(Signal(.double, at: 0, count: .max) == nil)
        #expect(Signal(.double, at: 0, count: Limit.largestBlock) == nil)
        #expect(Signal(.char, at: Limit.largestBlock - 2)?.range.end == Limit.largestBlock)
        #expect(Signal(.char, at: Limit.largestBlock - 1) == nil)
    }

    @Test func `A change touches the signals whose bytes it covers`() throws {
        let signal = try #require(Signal(.int, at: 10))
        #expect(!signal.isTouched(by: ByteRange(0, 10)))
        #expect(signal.isTouched(by: ByteRange(0, 11)))
        #expect(signal.isTouched(by: ByteRange(14, 20)))
        #expect(!signal.isTouched(by: ByteRange(15, 20)))
        #expect(!signal.isTouched(by: ByteRange(12, 12)))
    }
}
