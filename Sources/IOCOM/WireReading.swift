extension RawSpan {
    /// The byte at `offset`, which then points behind it.
    func takeByte(_ offset: inout Int) throws(ProtocolViolation) -> UInt8 {
        guard offset >= 0, offset < byteCount else { throw .truncatedMessage }
        defer { offset += 1 }
        return unsafeLoad(fromByteOffset: offset, as: UInt8.self)
    }

    /// A little endian integer of 1, 2 or 4 bytes.
    func takeUnsigned(_ offset: inout Int, width: Int) throws(ProtocolViolation) -> UInt32 {
        guard offset >= 0, width <= byteCount - offset else { throw .truncatedMessage }
        var value: UInt32 = 0
        for i in 0..<width { value |= UInt32(unsafeLoad(fromByteOffset: offset + i, as: UInt8.self)) << UInt32(8 * i) }
        offset += width
        return value
    }

    /// A string: one length byte, then that many bytes, no NUL (wire-protocol.md 3.1).
    func takeText<let limit: Int>(
        _ offset: inout Int, as type: ShortText<limit>.Type
    ) throws(ProtocolViolation) -> ShortText<limit> {
        let length = Int(try takeByte(&offset))
        guard length <= limit else { throw .nameTooLong }
        guard let text = ShortText<limit>(self, offset: offset, length: length) else { throw .truncatedMessage }
        offset += length
        return text
    }
}

/// Writes wire primitives into lent memory and remembers when it did not fit.
struct WireWriter {
    private let buffer: UnsafeMutableRawBufferPointer
    /// Bytes written.
    private(set) var count = 0
    /// True once something did not fit; what was written then is of no use.
    private(set) var overflowed = false

    init(_ buffer: UnsafeMutableRawBufferPointer) { self.buffer = buffer }

    mutating func put(_ byte: UInt8) {
        guard count < buffer.count else {
            overflowed = true
            return
        }
        buffer[count] = byte
        count += 1
    }

    /// A little endian integer of `width` bytes.
    mutating func put(_ value: UInt32, width: Int) {
        for i in 0..<width { put(UInt8(truncatingIfNeeded: value >> UInt32(8 * i))) }
    }

    /// A length byte and the text.
    mutating func put<let limit: Int>(_ text: ShortText<limit>) {
        put(UInt8(text.count))
        for i in 0..<text.count { put(text[i]) }
    }
}

/// Bytes needed for a value by the field width rule (wire-protocol.md 2.2): 1, 2 or 4.
func fieldWidth(_ value: UInt32) -> Int { value <= 0xFF ? 1 : value <= 0xFFFF ? 2 : 4 }
