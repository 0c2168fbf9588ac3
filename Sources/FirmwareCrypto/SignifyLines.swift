/// The two lines that signify(1) makes of keys and signatures: a comment that nobody signed, and base64.
enum SignifyLines {
    /// Longest comment, as signify allows.
    private static let longestComment = 1023

    /// Reads both lines from `at` and moves it behind them. The second one has to hold `count` bytes, the first two of
    /// which say that the scheme is Ed25519.
    static func read<let count: Int>(
        _ text: RawSpan, at: inout Int
    ) throws(ManifestProblem) -> InlineArray<count, UInt8> {
        guard skip("untrusted comment: ", text, &at) else { throw .signature }
        let latest = at + longestComment
        while try byte(text, at) != UInt8(ascii: "\n") {
            guard at < latest else { throw .signature }
            at += 1
        }
        at += 1
        var bytes = InlineArray<count, UInt8>(repeating: 0)
        var span = bytes.mutableSpan
        try base64(text, &at, &span)
        guard bytes[0] == UInt8(ascii: "E"), bytes[1] == UInt8(ascii: "d"), try byte(text, at) == UInt8(ascii: "\n")
        else { throw .signature }
        at += 1
        return bytes
    }

    /// Reads the base64 text of as many bytes as there is room for. There is one such text: padding is complete, spare bits
    /// are zero.
    @inline(never)
    private static func base64(
        _ text: RawSpan, _ at: inout Int, _ bytes: inout MutableSpan<UInt8>
    ) throws(ManifestProblem) {
        var bits: UInt32 = 0
        var held = 0
        for i in bytes.indices {
            while held < 8 {
                guard let digit = digit(try byte(text, at)) else { throw .signature }
                at += 1
                bits = bits << 6 | digit
                held += 6
            }
            held -= 8
            bytes[i] = UInt8(truncatingIfNeeded: bits >> UInt32(held))
            bits &= 1 << UInt32(held) - 1
        }
        guard bits == 0 else { throw .signature }
        for _ in 0..<(held / 2) {
            guard try byte(text, at) == UInt8(ascii: "=") else { throw .signature }
            at += 1
        }
    }

    private static func byte(_ text: RawSpan, _ at: Int) throws(ManifestProblem) -> UInt8 {
        guard at < text.byteCount else { throw .signature }
        return text.unsafeLoad(fromByteOffset: at, as: UInt8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(byte - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(byte - UInt8(ascii: "a") + 26)
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0") + 52)
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}

/// Moves `at` behind `expected` when that stands there.
@inline(never)
func skip(_ expected: StaticString, _ text: RawSpan, _ at: inout Int) -> Bool {
    let count = expected.utf8CodeUnitCount
    guard count <= text.byteCount - at else { return false }
    for i in 0..<count where text.unsafeLoad(fromByteOffset: at + i, as: UInt8.self) != expected.utf8Start[i] {
        return false
    }
    at += count
    return true
}
