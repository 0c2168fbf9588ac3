/// Why bytes are not a packed integer.
public enum PackedIntegerError: Error, Equatable, Sendable {
    /// The bytes end inside the number.
    case truncated
    /// The number needs more than 64 bits.
    case tooLarge
}

/// The packed form of one integer (application-layer.md 5.2, wire-protocol.md 7.1).
///
/// The first byte is `NNNN S xxx`: number of bytes that follow, sign, the three lowest bits of the magnitude. The bytes
/// that follow hold the rest of the magnitude, lowest first. "Minus zero" (0x08) stands for `Int64.min`.
public struct PackedInteger: Sendable {
    /// Bytes of the longest packed form.
    public static let longest = 9

    /// Number of bytes in use, 1…``longest``.
    public let count: Int
    private var bytes: InlineArray<9, UInt8>

    /// The shortest packed form of `value`.
    public init(_ value: Int64) {
        bytes = InlineArray(repeating: 0)
        guard value != .min else {
            bytes[0] = 0x08
            count = 1
            return
        }
        var rest = value.magnitude >> 3
        var following = 0
        while rest != 0 {
            following += 1
            bytes[following] = UInt8(truncatingIfNeeded: rest)
            rest >>= 8
        }
        let low = UInt8(truncatingIfNeeded: value.magnitude & 7)
        bytes[0] = UInt8(truncatingIfNeeded: following << 4) | (value < 0 ? 8 : 0) | low
        count = following + 1
    }

    /// The byte at `index`, which must be below ``count``.
    public subscript(index: Int) -> UInt8 {
        precondition(index >= 0 && index < count, "index past the end of a PackedInteger")
        return bytes[index]
    }

    /// Copies the bytes to `target` at `offset` and moves `offset` behind them.
    ///
    /// Returns false and changes nothing when they do not fit.
    public func store(in target: inout MutableRawSpan, at offset: inout Int) -> Bool {
        guard offset >= 0, offset <= target.byteCount, count <= target.byteCount - offset else { return false }
        for i in 0..<count { target.storeBytes(of: bytes[i], toByteOffset: offset + i, as: UInt8.self) }
        offset += count
        return true
    }

    /// Reads the number at `offset` and moves `offset` behind it; on an error `offset` stays.
    ///
    /// Forms longer than needed are accepted as long as the value fits 64 bits.
    public static func decode(_ span: RawSpan, offset: inout Int) throws(PackedIntegerError) -> Int64 {
        guard offset >= 0, offset < span.byteCount else { throw .truncated }
        let first = span.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
        let following = Int(first >> 4)
        guard following <= span.byteCount - offset - 1 else { throw .truncated }
        let isNegative = first & 8 != 0
        guard first != 0x08 else {
            offset += 1
            return .min
        }
        var magnitude = UInt64(first & 7)
        for i in 0..<following {
            let byte = UInt64(span.unsafeLoad(fromByteOffset: offset + 1 + i, as: UInt8.self))
            guard byte != 0 else { continue }
            let shift = UInt64(3 + 8 * i)
            guard shift < 64, byte <= UInt64.max >> shift else { throw .tooLarge }
            magnitude |= byte << shift
        }
        let value: Int64
        if magnitude <= Int64.max.magnitude {
            value = isNegative ? 0 - Int64(magnitude) : Int64(magnitude)
        } else if isNegative && magnitude == Int64.min.magnitude {
            value = .min
        } else {
            throw .tooLarge
        }
        offset += 1 + following
        return value
    }
}

#if !hasFeature(Embedded)
extension PackedInteger {
    /// The bytes as an array.
    public var array: [UInt8] { (0..<count).map { bytes[$0] } }
}
#endif
