import IOCOM
import Testing

@Suite struct SignalValueTests {
    private func parse(_ text: String, _ type: SignalType, count: Int = 1) throws -> SignalValue {
        try SignalValue(parsing: text, for: #require(Signal(type, at: 0, count: count)))
    }

    @Test func `What an operator types becomes a value of the signal's type`() throws {
        #expect(try parse("12", .uchar) == .integer(12))
        #expect(try parse(" -128 ", .char) == .integer(-128))
        #expect(try parse("0xFF", .uchar) == .integer(255))
        #expect(try parse("1e3", .ushort) == .integer(1000))
        #expect(try parse("true", .boolean) == .bool(true))
        #expect(try parse("OFF", .boolean) == .bool(false))
        #expect(try parse("1.5", .float) == .number(1.5))
        #expect(try parse("12.3", .dec01) == .number(12.3))
        #expect(try parse(" text ", .str, count: 16) == .text(" text "))
        #expect(try parse("[1, 2,3]", .ushort, count: 3) == .array([.integer(1), .integer(2), .integer(3)]))
        #expect(try parse("[1,0]", .boolean, count: 2) == .array([.bool(true), .bool(false)]))
    }

    @Test func `What does not fit is refused with the reason`() {
        #expect(throws: SignalValueError.outOfRange(text: "256", .uchar, 0...255)) { try parse("256", .uchar) }
        #expect(throws: SignalValueError.outOfRange(text: "-1", .uint, 0...4294967295)) { try parse("-1", .uint) }
        #expect(throws: SignalValueError.notA(.int, text: "two")) { try parse("two", .int) }
        #expect(throws: SignalValueError.notA(.int, text: "")) { try parse("", .int) }
        #expect(throws: SignalValueError.notA(.int, text: "0x-5")) { try parse("0x-5", .int) }
        #expect(throws: SignalValueError.notA(.boolean, text: "2")) { try parse("2", .boolean) }
        #expect(throws: SignalValueError.notA(.float, text: "nan")) { try parse("nan", .float) }
        #expect(throws: SignalValueError.tooManyDecimals(text: "1.5", .int, decimals: 0)) { try parse("1.5", .int) }
        #expect(throws: SignalValueError.tooManyDecimals(text: "1.25", .dec01, decimals: 1)) {
            try parse("1.25", .dec01)
        }
        #expect(throws: SignalValueError.outOfRange(text: "327.68", .dec001, -327.68...327.67)) {
            try parse("327.68", .dec001)
        }
        #expect(throws: SignalValueError.self) { try parse("1e39", .float) }
        #expect(throws: SignalValueError.self) { try parse("9223372036854775808", .long) }
        #expect(throws: SignalValueError.textTooLong(bytes: 6, limit: 5)) { try parse("ääa\u{20}", .str, count: 5) }
        #expect(throws: SignalValueError.textWithNUL) { try parse("a\0", .str, count: 5) }
        #expect(throws: SignalValueError.wrongCount(given: 2, expected: 3)) { try parse("[1,2]", .char, count: 3) }
        #expect(throws: SignalValueError.wrongCount(given: 0, expected: 3)) { try parse("[]", .char, count: 3) }
        #expect(throws: SignalValueError.wrongCount(given: 1, expected: 3)) { try parse("1", .char, count: 3) }
        #expect(throws: SignalValueError.self) { try parse("[1,,2]", .char, count: 3) }
        #expect(throws: SignalValueError.self) { try parse("[1]", .char) }
        #expect(throws: SignalValueError.self) { try parse("[", .char, count: 2) }
    }

    @Test func `Errors speak to people`() {
        let error = #expect(throws: SignalValueError.self) { try parse("256", .uchar) }
        #expect(error?.description == "256 does not fit type uchar, which holds 0…255")
        let long = #expect(throws: SignalValueError.self) { try parse("9223372036854775808", .long) }
        #expect(long?.description.hasSuffix("-9223372036854775808…9223372036854775807") == true)
        let fixed = #expect(throws: SignalValueError.self) { try parse("9999", .dec01) }
        #expect(fixed?.description == "9999.0 does not fit type dec01, which holds -3276.8…3276.7")
    }

    @Test(arguments: SignalType.allCases, [1, 5, 9])
    func `Every value that is written is read back`(_ type: SignalType, _ count: Int) throws {
        let block = signalBlock(128)
        let signal = try #require(Signal(type, at: 7, count: count))
        #expect(signal.value(in: block) == nil)
        let single: SignalValue =
            switch type {
            case .boolean: .bool(true)
            case .float, .double, .dec01, .dec001: .number(-3.1)
            case .str: .text("abcdefghi")
            default: .integer(type.isSigned ? -7 : 7)
            }
        let value: SignalValue =
            if case .text(let text) = single {
                .text(String(text.prefix(count)))
            } else {
                count == 1 ? single : .array([SignalValue](repeating: single, count: count))
            }
        try signal.setValue(value, in: block)
        #expect(signal.value(in: block) == value)
        #expect(block.allBytes[signal.range.end...].allSatisfy { $0 == 0 })
        let typed = value.description
        #expect(try SignalValue(parsing: typed, for: signal) == value)
    }

    @Test func `A refused value changes nothing`() throws {
        let block = signalBlock(24)
        let signal = try #require(Signal(.uchar, at: 0, count: 3))
        #expect(throws: SignalValueError.self) {
            try signal.setValue(.array([.integer(1), .integer(2), .integer(256)]), in: block)
        }
        #expect(throws: SignalValueError.self) { try signal.setValue(.text("abc"), in: block) }
        let large = try #require(Signal(.uchar, at: 0, count: 24))
        #expect(throws: SignalValueError.outsideBlock(end: 25, size: 24)) {
            try large.setValue(.array([SignalValue](repeating: .integer(1), count: 24)), in: block)
        }
        #expect(!block.hasUnpublishedChanges)
    }

    @Test func `Long arrays are shown in part`() {
        let value = SignalValue.array((0..<5).map { .integer($0) })
        #expect(value.description == "[0,1,2,3,4]")
        #expect(value.formatted(elements: 2) == "[0,1,… 5 values]")
        #expect(SignalValue.array([]).description == "[]")
    }
}
