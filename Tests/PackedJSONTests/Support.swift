import PackedJSON

/// SplitMix64: the same numbers on every machine.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// The bytes written as hexadecimal digits; spaces, line ends and `|` only help to read.
func hex(_ text: String) -> [UInt8] {
    let digits = text.filter(\.isHexDigit)
    var bytes: [UInt8] = []
    var rest = digits[...]
    while rest.count >= 2 {
        if let byte = UInt8(rest.prefix(2), radix: 16) { bytes.append(byte) }
        rest = rest.dropFirst(2)
    }
    return bytes
}

extension JSON {
    /// A random document; `isPackable` keeps to numbers that a 32 bit float holds.
    static func random(_ generator: inout SeededGenerator, depth: Int = 4, isPackable: Bool) -> JSON {
        switch Int.random(in: 0..<(depth > 0 ? 9 : 7), using: &generator) {
        case 0: return .null
        case 1: return .bool(.random(using: &generator))
        case 2: return .integer(.random(in: 0...1, using: &generator))
        case 3: return .integer(Int64(bitPattern: generator.next() >> UInt64.random(in: 0..<64, using: &generator)))
        case 4:
            let value = Float.random(in: -1000...1000, using: &generator)
            guard isPackable else { return .number(Double.random(in: -1e300...1e300, using: &generator)) }
            return .number(Double(value.description) ?? 0.5)
        case 5, 6: return .string(randomText(&generator))
        case 7:
            let count = Int.random(in: 0...4, using: &generator)
            return .array((0..<count).map { _ in random(&generator, depth: depth - 1, isPackable: isPackable) })
        default: return randomObject(&generator, depth: depth - 1, isPackable: isPackable)
        }
    }

    static func randomObject(_ generator: inout SeededGenerator, depth: Int = 4, isPackable: Bool) -> JSON {
        let count = Int.random(in: 0...5, using: &generator)
        return .object(
            (0..<count).map { _ in
                JSON.Member(randomText(&generator), random(&generator, depth: depth - 1, isPackable: isPackable))
            })
    }

    private static func randomText(_ generator: inout SeededGenerator) -> String {
        let pieces = [
            "name", "signals", "", "-", "*", "\n", "\"", "\\", "ä", "🚀", "a", "b", "x/y", "\u{1}", "password",
        ]
        let count = Int.random(in: 0...3, using: &generator)
        return (0..<count).map { _ in pieces.randomElement(using: &generator) ?? "" }.joined()
    }
}
