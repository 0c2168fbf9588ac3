extension [UInt8] {
    /// The little-endian number at `offset`; nil when it does not lie inside the array.
    public func number<Number: FixedWidthInteger>(at offset: Int, as type: Number.Type = Number.self) -> Number? {
        let width = MemoryLayout<Number>.size
        guard offset >= 0, offset <= count - width else { return nil }
        return withUnsafeBytes { Number(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: Number.self)) }
    }

    /// Appends a number, least significant byte first.
    public mutating func appendNumber(_ number: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: number.littleEndian) { append(contentsOf: $0) }
    }

    /// Appends `text`, cut to `length` bytes and filled with NUL up to them.
    public mutating func appendText(_ text: String, length: Int) {
        let bytes = text.utf8.prefix(length)
        append(contentsOf: bytes)
        append(contentsOf: repeatElement(0, count: length - bytes.count))
    }

    /// The text at `offset`: up to the first NUL, at most `length` bytes; nil when it is not inside the array or holds
    /// anything but printable ASCII, so that it can be shown on a terminal without harm.
    public func text(at offset: Int, length: Int) -> String? {
        guard offset >= 0, length >= 0, offset <= count - length else { return nil }
        let bytes = self[offset..<offset + length].prefix { $0 != 0 }
        guard bytes.allSatisfy({ (0x20...0x7E).contains($0) }) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// Lower-case hexadecimal text of some bytes.
public func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for byte in bytes {
        text.append(digits[Int(byte >> 4)])
        text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
}

/// A number as `0x…` for messages.
public func hexadecimal(_ number: some BinaryInteger) -> String { "0x" + String(number, radix: 16) }
