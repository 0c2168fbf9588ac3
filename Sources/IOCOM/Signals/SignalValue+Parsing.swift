#if !hasFeature(Embedded)
extension SignalValue {
    /// Reads what an operator typed as a value for `signal`.
    ///
    /// Booleans: `true`, `false`, `on`, `off`, `yes`, `no`, `1`, `0`. Integers: decimal, or hexadecimal as `0x1F`.
    /// Arrays: `[1,2,3]` with exactly the signal's number of elements. Texts are taken as they are.
    public init(parsing text: String, for signal: Signal) throws(SignalValueError) {
        if signal.type == .str {
            self = .text(text)
        } else if signal.isArray {
            let list = text.trimmed
            guard list.first == "[", list.last == "]", list.utf8.count >= 2 else {
                throw .wrongCount(given: 1, expected: signal.count)
            }
            let inner = list.dropFirst().dropLast()
            // Counted first: a list of a million commas shall not become a million strings.
            let given = inner.trimmed.isEmpty ? 0 : 1 + inner.utf8.count { $0 == UInt8(ascii: ",") }
            guard given == signal.count else { throw .wrongCount(given: given, expected: signal.count) }
            var values: [SignalValue] = []
            for part in inner.split(separator: ",", omittingEmptySubsequences: false) {
                values.append(try SignalValue(parsing: part.trimmed, as: signal.type))
            }
            self = .array(values)
        } else {
            try self.init(parsing: text.trimmed, as: signal.type)
        }
        try check(for: signal)
    }

    private init(parsing text: String, as type: SignalType) throws(SignalValueError) {
        switch type {
        case .boolean:
            switch text.lowercased() {
            case "true", "on", "yes", "1": self = .bool(true)
            case "false", "off", "no", "0": self = .bool(false)
            default: throw .notA(type, text: text)
            }
        case .float, .double, .dec01, .dec001:
            guard let value = Double(text), value.isFinite else { throw .notA(type, text: text) }
            self = .number(value)
        default:
            guard let value = Int64(text) ?? Self.hexadecimal(text) else {
                guard let value = Double(text), value.isFinite else { throw .notA(type, text: text) }
                guard value.rounded() == value else { throw .tooManyDecimals(text: text, type, decimals: 0) }
                guard let whole = Int64(exactly: value) else { throw type.outOfRange(text) }
                self = .integer(whole)
                return
            }
            self = .integer(value)
        }
    }

    private static func hexadecimal(_ text: String) -> Int64? {
        guard text.hasPrefix("0x") || text.hasPrefix("0X"), text.utf8.count > 2,
            text.utf8.dropFirst(2).first.map({ $0 != UInt8(ascii: "-") && $0 != UInt8(ascii: "+") }) == true
        else { return nil }
        return Int64(text.dropFirst(2), radix: 16)
    }

    /// Throws when this value cannot be stored in `signal`.
    public func check(for signal: Signal) throws(SignalValueError) {
        if case .array(let values) = self {
            guard signal.type != .str else { throw .notA(.str, text: formatted(elements: 8)) }
            guard values.count == signal.count else {
                throw .wrongCount(given: values.count, expected: signal.count)
            }
            for value in values { try value.check(as: signal.type) }
        } else {
            guard !signal.isArray else { throw .wrongCount(given: 1, expected: signal.count) }
            try check(as: signal.type)
            guard case .text(let text) = self else { return }
            guard text.utf8.count <= signal.count else {
                throw .textTooLong(bytes: text.utf8.count, limit: signal.count)
            }
            guard !text.utf8.contains(0) else { throw .textWithNUL }
        }
    }

    private func check(as type: SignalType) throws(SignalValueError) {
        switch (self, type) {
        case (.text, .str): return
        case (.bool, _) where type != .str: return
        case (.integer, .float), (.integer, .double): return
        case (.number(let value), .float):
            guard Float(value).isFinite || !value.isFinite else { throw type.outOfRange(description) }
        case (.number, .double): return
        case (.integer, _) where type != .str, (.number, _) where type != .str: _ = try storedInteger(type)
        default: throw .notA(type, text: formatted(elements: 8))
        }
    }

    /// The integer to store in signals that hold one.
    func storedInteger(_ type: SignalType) throws(SignalValueError) -> Int64 {
        guard let range = type.storedRange else { throw .notA(type, text: formatted(elements: 8)) }
        switch self {
        case .bool(let value): return value ? type.scale : 0
        case .integer(let value):
            let (stored, overflow) = value.multipliedReportingOverflow(by: type.scale)
            guard !overflow, range.contains(stored) else { throw type.outOfRange(description) }
            return stored
        case .number(let value):
            let scaled = value * Double(type.scale)
            guard let stored = Int64(exactly: scaled.rounded()), range.contains(stored) else {
                throw type.outOfRange(description)
            }
            // 12.3 * 10 is not exactly 123; a further decimal makes a difference of a hundredth or more.
            guard (scaled - Double(stored)).magnitude < 1e-6 else {
                throw .tooManyDecimals(text: description, type, decimals: type.decimals)
            }
            return stored
        case .text, .array: throw .notA(type, text: formatted(elements: 8))
        }
    }
}

extension SignalType {
    fileprivate var decimals: Int {
        switch self {
        case .dec01: 1
        case .dec001: 2
        default: 0
        }
    }

    fileprivate func outOfRange(_ text: String) -> SignalValueError {
        guard let range = storedRange else {
            let limit = self == .float ? Double(Float.greatestFiniteMagnitude) : Double.greatestFiniteMagnitude
            return .outOfRange(text: text, self, -limit...limit)
        }
        let unit = Double(scale)
        return .outOfRange(text: text, self, Double(range.lowerBound) / unit...Double(range.upperBound) / unit)
    }
}

extension StringProtocol {
    fileprivate var trimmed: String {
        var rest = self[...]
        while let first = rest.first, first.isWhitespace { rest.removeFirst() }
        while let last = rest.last, last.isWhitespace { rest.removeLast() }
        return String(rest)
    }
}

// MARK: - Blocks

extension Signal {
    /// The value in `block`; nil when it is not valid (``StateBits/connected`` is missing) or lies outside.
    public func value(in block: MemoryBlock) -> SignalValue? {
        isConnected(in: block) ? anyValue(in: block) : nil
    }

    /// The value in `block` whatever its state; nil when the signal lies outside the block.
    public func anyValue(in block: MemoryBlock) -> SignalValue? {
        guard fits(in: block.size) else { return nil }
        guard type != .str else { return .text(text(in: block)) }
        guard isArray else { return element(0, in: block) }
        return .array((0..<count).map { element($0, in: block) })
    }

    private func element(_ index: Int, in block: MemoryBlock) -> SignalValue {
        switch type {
        case .boolean: .bool(bit(at: index, in: block))
        case .float:
            // The short form of a 32 bit float: 0.1 and not 0.10000000149011612.
            .number(Self.shortest(Float(double(at: index, in: block))))
        case .double, .dec01, .dec001: .number(double(at: index, in: block))
        default: .integer(stored(at: index, in: block))
        }
    }

    private static func shortest(_ value: Float) -> Double {
        guard let short = Double(value.description), Float(short) == value else { return Double(value) }
        return short
    }

    /// Writes any value to `block`.
    /// - Throws: why it does not fit; nothing has changed then.
    public func setValue(
        _ value: SignalValue, in block: MemoryBlock, state: StateBits = .connected
    ) throws(SignalValueError) {
        guard fits(in: block.size) else { throw .outsideBlock(end: range.end, size: block.size) }
        try value.check(for: self)
        switch value {
        case .text(let text): setText(text, in: block, state: state)
        case .array(let values) where isArray:
            setState(state, in: block)
            for (index, value) in values.enumerated() { try setElement(value, at: index, in: block) }
        case .array(let values):
            for value in values { try setValue(value, in: block, state: state) }
        case .number(let number) where type == .float || type == .double:
            setDouble(number, in: block, state: state)
        case .integer(let number) where type == .float || type == .double:
            setDouble(Double(number), in: block, state: state)
        case .bool(let value): setBool(value, in: block, state: state)
        case .integer, .number: setStored(try value.storedInteger(type), in: block, state: state)
        }
    }

    private func setElement(_ value: SignalValue, at index: Int, in block: MemoryBlock) throws(SignalValueError) {
        switch (type, value) {
        case (.float, .number(let number)), (.double, .number(let number)):
            setNumber(number, at: index, in: block)
        case (.float, .integer(let number)), (.double, .integer(let number)):
            setNumber(Double(number), at: index, in: block)
        case (.float, .bool(let flag)), (.double, .bool(let flag)):
            setNumber(flag ? 1 : 0, at: index, in: block)
        default: setInteger(try value.storedInteger(type), at: index, in: block)
        }
    }
}
#endif
