/// A text of at most `limit` bytes held in place: names on the wire without allocation.
///
/// The protocol's names are byte strings with small fixed limits (wire-protocol.md, section 0). They are compared byte
/// by byte, so this type needs neither `String` nor Unicode tables and works on microcontrollers.
public struct ShortText<let limit: Int>: Sendable {
    /// Number of bytes in use, 0…`limit`.
    public private(set) var count: Int
    private var bytes: InlineArray<limit, UInt8>

    /// The empty text.
    public init() {
        count = 0
        bytes = InlineArray(repeating: 0)
    }

    /// Copies `length` bytes of `span` from `offset`; nil when they are more than `limit` or not inside `span`.
    public init?(_ span: RawSpan, offset: Int, length: Int) {
        guard length >= 0, length <= limit, offset >= 0, offset <= span.byteCount, length <= span.byteCount - offset
        else { return nil }
        self.init()
        for i in 0..<length { bytes[i] = span.unsafeLoad(fromByteOffset: offset + i, as: UInt8.self) }
        count = length
    }

    /// Copies a sequence of bytes; nil when there are more than `limit`.
    public init?(utf8 text: some Sequence<UInt8>) {
        self.init()
        for byte in text {
            guard count < limit else { return nil }
            bytes[count] = byte
            count += 1
        }
    }

    /// True when there is no byte.
    public var isEmpty: Bool { count == 0 }

    /// The byte at `index`, which must be below `count`.
    public subscript(index: Int) -> UInt8 {
        precondition(index >= 0 && index < count, "index past the end of a ShortText")
        return bytes[index]
    }

    /// The first `length` bytes (all when there are fewer).
    public func prefix(_ length: Int) -> Self {
        var result = self
        result.count = max(0, min(length, count))
        for i in result.count..<limit { result.bytes[i] = 0 }
        return result
    }
}

extension ShortText: Equatable, Hashable {
    /// Byte for byte equality.
    public static func == (a: Self, b: Self) -> Bool {
        guard a.count == b.count else { return false }
        for i in 0..<a.count where a.bytes[i] != b.bytes[i] { return false }
        return true
    }

    /// Feeds the bytes into `hasher`.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(count)
        for i in 0..<count { hasher.combine(bytes[i]) }
    }
}

/// Name of a memory block: at most 15 bytes.
public typealias BlockName = ShortText<15>
/// Name of a device without its number: at most 15 bytes.
public typealias DeviceName = ShortText<15>
/// Name of an IO network: at most 23 bytes.
public typealias NetworkName = ShortText<23>
/// User or device name in an authentication, without the number: at most 25 bytes.
public typealias UserName = ShortText<25>
/// Password in an authentication: at most 45 bytes.
public typealias PasswordText = ShortText<45>

extension ShortText: ExpressibleByStringLiteral {
    /// A literal that is longer than `limit` is a programmer's error.
    public init(stringLiteral value: StaticString) {
        self.init()
        value.withUTF8Buffer { buffer in
            precondition(buffer.count <= limit, "literal longer than this text may be")
            for byte in buffer {
                bytes[count] = byte
                count += 1
            }
        }
    }
}

#if !hasFeature(Embedded)
extension ShortText: CustomStringConvertible {
    /// The text of a string; nil when its UTF-8 form is longer than `limit`.
    public init?(_ string: String) { self.init(utf8: string.utf8) }

    /// The bytes as text; bytes that are not UTF-8 show as replacement characters.
    public var description: String { String(decoding: (0..<count).map { bytes[$0] }, as: UTF8.self) }
}
#endif
