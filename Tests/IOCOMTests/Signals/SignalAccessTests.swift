import IOCOM
import Testing

@Suite struct SignalAccessTests {
    private func signal(_ type: SignalType, at address: Int = 0, count: Int = 1) throws -> Signal {
        try #require(Signal(type, at: address, count: count))
    }

    @Test func `Integers are little endian behind their state byte`() throws {
        let block = signalBlock(24)
        let number = try signal(.int, at: 3)
        #expect(number.setInteger(-2, in: block))
        #expect(block.allBytes.prefix(9) == [0, 0, 0, 0x03, 0xFE, 0xFF, 0xFF, 0xFF, 0])
        #expect(number.integer(in: block) == -2)
        #expect(number.setInteger(0, in: block))
        #expect(number.state(in: block) == .connected)
        #expect(number.setInteger(1, in: block, state: [.connected, .orange]))
        #expect(number.state(in: block).rawValue == 0x07)
        #expect(number.bool(in: block))
    }

    @Test(arguments: SignalType.allCases.filter { $0.storedRange != nil })
    func `The ends of every range survive and nothing beyond is written`(_ type: SignalType) throws {
        let block = signalBlock(24)
        let signal = try signal(type, at: 5)
        let range = try #require(type.storedRange)
        for value in [range.lowerBound, range.upperBound] {
            #expect(signal.setStored(value, in: block))
            #expect(signal.stored(in: block) == value)
        }
        let before = block.allBytes
        if range.upperBound < .max { #expect(!signal.setStored(range.upperBound + 1, in: block)) }
        if range.lowerBound > .min { #expect(!signal.setStored(range.lowerBound - 1, in: block)) }
        #expect(block.allBytes == before)
    }

    @Test func `Floats keep their bits and minus zero counts as a value`() throws {
        let block = signalBlock(24)
        let float = try signal(.float)
        #expect(float.setDouble(2.5, in: block))
        #expect(block.allBytes.prefix(5) == [0x03, 0, 0, 0x20, 0x40])
        #expect(float.double(in: block) == 2.5)
        #expect(float.setDouble(-0.0, in: block))
        #expect(float.state(in: block) == [.connected, .value])
        #expect(!float.bool(in: block))
        #expect(float.setDouble(0, in: block))
        #expect(float.state(in: block) == .connected)
        #expect(!float.setDouble(1e300, in: block))
        #expect(float.setDouble(.infinity, in: block))
        #expect(float.integer(in: block) == 0)
        let double = try signal(.double, at: 8)
        #expect(double.setDouble(-0.1, in: block))
        #expect(double.double(in: block) == -0.1)
        #expect(double.setInteger(7, in: block))
        #expect(double.integer(in: block) == 7)
    }

    @Test func `Fixed point counts tenths and hundredths`() throws {
        let block = signalBlock(24)
        let tenths = try signal(.dec01)
        #expect(tenths.setDouble(-12.34, in: block))
        #expect(block.allBytes.prefix(3) == [0x03, 0x85, 0xFF])
        #expect(tenths.double(in: block) == -12.3)
        #expect(tenths.stored(in: block) == -123)
        #expect(tenths.integer(in: block) == -12)
        let hundredths = try signal(.dec001, at: 3)
        #expect(hundredths.setInteger(327, in: block))
        #expect(!hundredths.setInteger(328, in: block))
        #expect(!hundredths.setDouble(.nan, in: block))
        #expect(!hundredths.setInteger(.max, in: block))
        #expect(hundredths.double(in: block) == 327)
    }

    @Test func `A boolean lives in its state byte`() throws {
        let block = signalBlock(24)
        let flag = try signal(.boolean, at: 4)
        #expect(flag.setBool(true, in: block))
        #expect(block.allBytes.prefix(6) == [0, 0, 0, 0, 0x03, 0])
        #expect(flag.bool(in: block))
        #expect(flag.setInteger(0, in: block))
        #expect(!flag.bool(in: block))
        #expect(!flag.setInteger(2, in: block))
    }

    @Test func `Bits of an array start with the lowest of the first byte`() throws {
        let block = signalBlock(24)
        let bits = try signal(.boolean, at: 1, count: 10)
        bits.setState(.connected, in: block)
        for index in [0, 2, 9] { #expect(bits.setBit(true, at: index, in: block)) }
        #expect(block.allBytes.prefix(5) == [0, 0x03, 0b101, 0b10, 0])
        #expect((0..<10).filter { bits.bit(at: $0, in: block) } == [0, 2, 9])
        #expect(bits.setBit(false, at: 0, in: block))
        #expect(block.allBytes.prefix(5) == [0, 0x02, 0b100, 0b10, 0])
        for index in [-1, 10, .max, .min] {
            #expect(!bits.setBit(true, at: index, in: block))
            #expect(!bits.bit(at: index, in: block))
        }
        #expect(!bits.setBool(true, in: block))
    }

    @Test func `Texts end at NUL or at the end of the signal`() throws {
        let block = signalBlock(24)
        let text = try signal(.str, at: 2, count: 5)
        #expect(text.setText("hello", in: block))
        #expect(Array(block.allBytes[2..<8]) == Array("\u{2}hello".utf8))
        #expect(text.text(in: block) == "hello")
        #expect(text.setText("ab", in: block))
        #expect(Array(block.allBytes[2..<8]) == Array("\u{2}ab\0lo".utf8))
        #expect(text.text(in: block) == "ab")
        let before = block.allBytes
        #expect(!text.setText("longer", in: block))
        #expect(!text.setText("a\0b", in: block))
        #expect(block.allBytes == before)
        #expect(text.setText("", in: block))
        #expect(text.text(in: block).isEmpty)
        let name: DeviceName = "candy"
        #expect(text.setText(name, in: block))
        #expect(text.shortText(in: block) == name)
        let short: ShortText<4>? = text.shortText(in: block)
        #expect(short == nil)
    }

    @Test func `Writing the same value again changes nothing`() throws {
        let block = signalBlock(64)
        let number = try signal(.ushort)
        let text = try signal(.str, at: 10, count: 8)
        let float = try signal(.float, at: 20)
        number.setInteger(300, in: block)
        text.setText("same", in: block)
        float.setDouble(1.5, in: block)
        #expect(block.hasUnpublishedChanges)
        block.publish()
        number.setInteger(300, in: block)
        text.setText("same", in: block)
        float.setDouble(1.5, in: block)
        #expect(!block.hasUnpublishedChanges)
    }

    @Test func `Arrays are read and written element by element or as bytes`() throws {
        let block = signalBlock(64)
        let shorts = try signal(.short, at: 1, count: 3)
        for (index, value) in [Int64(-1), 2, 300].enumerated() {
            #expect(shorts.setInteger(value, at: index, in: block))
        }
        #expect(block.allBytes.prefix(8) == [0, 0, 0xFF, 0xFF, 2, 0, 0x2C, 1])
        #expect((0..<3).map { shorts.integer(at: $0, in: block) } == [-1, 2, 300])
        #expect(shorts.integer(at: 3, in: block) == 0)
        #expect(!shorts.setInteger(1, at: 3, in: block))
        #expect(!shorts.setInteger(1, at: -1, in: block))
        #expect(!shorts.setInteger(40000, at: 0, in: block))
        let floats = try signal(.double, at: 10, count: 2)
        #expect(floats.setNumber(0.25, at: 1, in: block))
        #expect(floats.number(at: 1, in: block) == 0.25)
        let bytes = try signal(.uchar, at: 40, count: 4)
        #expect(bytes.setData([7, 8, 9], offset: 1, in: block))
        #expect(!bytes.setData([7, 8, 9], offset: 2, in: block))
        #expect(!bytes.setData([7], offset: -1, in: block))
        #expect(bytes.data(in: block) == [0, 7, 8, 9])
    }

    @Test func `A block that is too small is neither read nor written`() throws {
        let block = signalBlock(24)
        for type in SignalType.allCases {
            let outside = try signal(type, at: 23, count: 100)
            let edge = try signal(type, at: 24)
            for signal in [outside, edge] {
                #expect(!signal.setInteger(1, in: block))
                #expect(!signal.setBool(true, in: block))
                #expect(!signal.setDouble(1, in: block))
                #expect(!signal.setText("x", in: block))
                #expect(!signal.setBit(true, at: 0, in: block))
                #expect(!signal.setInteger(1, at: 0, in: block))
                #expect(!signal.setNumber(1, at: 0, in: block))
                #expect(!signal.setData([1], in: block))
                signal.setState(.connected, in: block)
                #expect(signal.anyValue(in: block) == nil)
                #expect(signal.text(in: block).isEmpty)
                #expect(signal.data(in: block).isEmpty)
            }
        }
        #expect(block.allBytes == [UInt8](repeating: 0, count: 24))
        #expect(!block.hasUnpublishedChanges)
    }
}
