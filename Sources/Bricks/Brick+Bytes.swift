internal import IOCOM

/// Where the fields of the header are; numbers are little endian.
private enum Field {
    static let format = 0
    static let compression = 1
    static let checksum = 2
    static let width = 4
    static let height = 6
    static let byteCount = 8
    static let uncompressed = 12
    static let timestamp = 16
}

extension Brick {
    /// Header and data.
    public var encoded: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(byteCount)
        bytes += [format.rawValue, compression.headerByte, 0, 0]
        bytes.append(width, bytes: 2)
        bytes.append(height, bytes: 2)
        bytes.append(byteCount, bytes: 4)
        bytes.append(BrickLimit.header + uncompressedDataCount, bytes: 4)
        for i in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: timestamp >> UInt64(8 * i))) }
        bytes += data
        let checksum = CRC16.of(bytes)
        bytes[Field.checksum] = UInt8(truncatingIfNeeded: checksum)
        bytes[Field.checksum + 1] = UInt8(truncatingIfNeeded: checksum >> 8)
        return bytes
    }

    /// Reads a brick; safe on any bytes. All of `bytes` must belong to it.
    public init(decoding bytes: [UInt8]) throws(BrickError) {
        guard bytes.count >= BrickLimit.header else { throw .truncated(bytes: bytes.count) }
        guard bytes.count <= BrickLimit.brick else { throw .tooLarge(bytes: bytes.count) }
        let announced = Int(truncatingIfNeeded: bytes.number(at: Field.byteCount, bytes: 4))
        guard announced == bytes.count else { throw .wrongSize(announced: announced, bytes: bytes.count) }
        guard Self.checksum(of: bytes) == UInt16(truncatingIfNeeded: bytes.number(at: Field.checksum, bytes: 2)) else {
            throw .checksum
        }
        guard let format = PixelFormat(rawValue: bytes[Field.format]) else {
            throw .unknownFormat(bytes[Field.format])
        }
        guard let compression = PictureCompression(header: bytes[Field.compression]) else {
            throw .unknownCompression(bytes[Field.compression])
        }
        // How much memory the sender set aside for it without compression does not matter here.
        try self.init(
            format, compression, width: Int(truncatingIfNeeded: bytes.number(at: Field.width, bytes: 2)),
            height: Int(truncatingIfNeeded: bytes.number(at: Field.height, bytes: 2)),
            timestamp: bytes.number(at: Field.timestamp, bytes: 8), data: Array(bytes[BrickLimit.header...]))
    }

    /// The checksum of a brick: its own two bytes count as zeros.
    private static func checksum(of bytes: [UInt8]) -> UInt16 {
        let span = bytes.span.bytes
        var crc = CRC16()
        crc.add(span.extracting(0..<Field.checksum))
        for _ in 0..<2 { crc.add(0 as UInt8) }
        crc.add(span.extracting(Field.width..<bytes.count))
        return crc.value
    }

    /// The checksum in the header of an encoded brick.
    static func storedChecksum(_ encoded: [UInt8]) -> UInt16 {
        UInt16(truncatingIfNeeded: encoded.number(at: Field.checksum, bytes: 2))
    }
}

extension [UInt8] {
    fileprivate mutating func append(_ number: Int, bytes: Int) {
        for i in 0..<bytes { append(UInt8(truncatingIfNeeded: number >> (8 * i))) }
    }

    /// The little-endian number at `offset`, all of which must be there.
    fileprivate func number(at offset: Int, bytes: Int) -> UInt64 {
        var number: UInt64 = 0
        for i in 0..<bytes { number |= UInt64(self[offset + i]) << UInt64(8 * i) }
        return number
    }
}
