import ByteTools

/// One sector of the log of persistent values: a header of 32 bytes, then data.
///
/// Header, little endian: magic (4), format version (1), role (1), block (2), sequence (4), part (2), data length (2),
/// erase count (4), data CRC-32 (4), zero (4), CRC-32 of the 28 bytes before (4).
package struct LogSector: Equatable {
    static let headerSize = 32
    package static let dataSize = NORFlash.sectorSize - headerSize
    /// Sequence numbers beyond this are not believed, so that hostile contents can't use the numbers up.
    static let lastSequence: UInt32 = 0xFFFF_0000
    private static let magic: UInt32 = 0x4250_4F49
    private static let formatVersion: UInt8 = 1

    package enum Role: UInt8 {
        /// Data that more parts follow.
        case part = 0
        /// The end of a value: it commits all parts.
        case last = 1
        /// The block has no value.
        case removed = 2
        /// Nothing that is older counts.
        case erasedAll = 3
    }

    var role: Role
    var block: Int
    var sequence: UInt32
    var part: Int
    var length: Int
    var eraseCount: UInt32
    var dataCRC: UInt32

    /// A sector that holds `data`, ready to be written.
    package static func encode(
        role: Role, block: Int, sequence: UInt32, part: Int, eraseCount: UInt32, data: [UInt8]
    ) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(headerSize + data.count)
        bytes.appendNumber(magic)
        bytes.append(formatVersion)
        bytes.append(role.rawValue)
        bytes.appendNumber(UInt16(truncatingIfNeeded: block))
        bytes.appendNumber(sequence)
        bytes.appendNumber(UInt16(truncatingIfNeeded: part))
        bytes.appendNumber(UInt16(truncatingIfNeeded: data.count))
        bytes.appendNumber(eraseCount)
        bytes.appendNumber(CRC32.of(data))
        bytes.appendNumber(UInt32(0))
        // The CRC goes over 28 bytes; see the table above.
        bytes.appendNumber(CRC32.of(bytes))
        bytes += data
        return bytes
    }

    /// Reads a header; nil for anything that is not a whole and believable one.
    init?(header: [UInt8]) {
        guard header.count >= Self.headerSize, header.number(at: 0) == Self.magic, header[4] == Self.formatVersion,
            let role = Role(rawValue: header[5]), let block: UInt16 = header.number(at: 6),
            let sequence: UInt32 = header.number(at: 8), let part: UInt16 = header.number(at: 12),
            let length: UInt16 = header.number(at: 14), let eraseCount: UInt32 = header.number(at: 16),
            let dataCRC: UInt32 = header.number(at: 20),
            header.number(at: 28) == CRC32.of(Array(header[..<28])),
            persistentBlockNumbers.contains(Int(block)), length <= Self.dataSize, sequence <= Self.lastSequence
        else { return nil }
        self.role = role
        self.block = Int(block)
        self.sequence = sequence
        self.part = Int(part)
        self.length = Int(length)
        self.eraseCount = eraseCount
        self.dataCRC = dataCRC
    }
}
