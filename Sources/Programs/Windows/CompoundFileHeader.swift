import ByteTools

/// The first 512 bytes of a compound file (MS-CFB 2.2).
struct CompoundFileHeader: Equatable {
    static let size = 512
    static let signature: [UInt8] = [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1]
    /// Numbers of FAT sectors that lie in the header itself.
    static let ownTableSectors = 109
    /// Streams shorter than this lie in the mini stream.
    static let miniStreamCutoff = 4096
    static let miniSectorSize = 64

    let majorVersion: Int
    let sectorSize: Int
    let directoryStart: UInt32
    let tableSectorCount: Int
    let firstTableSectors: [UInt32]
    let tableListStart: UInt32
    let tableListCount: Int
    let miniTableStart: UInt32
    let miniTableCount: Int

    init(parsing bytes: [UInt8]) throws(CompoundFileFailure) {
        guard bytes.starts(with: Self.signature) else { throw .notACompoundFile }
        guard bytes.count >= Self.size else { throw .header("it ends before byte \(Self.size)") }
        func word(_ offset: Int) -> Int { Int(bytes[offset]) | Int(bytes[offset + 1]) << 8 }
        func number(_ offset: Int) -> UInt32 { UInt32(word(offset)) | UInt32(word(offset + 2)) << 16 }
        guard word(28) == 0xFFFE else { throw .header("byte order \(hexadecimal(word(28)))") }
        majorVersion = word(26)
        switch (majorVersion, word(30)) {
        case (3, 9): sectorSize = 512
        case (4, 12): sectorSize = 4096
        default: throw .header("version \(majorVersion) with sectors of 2^\(word(30)) bytes")
        }
        guard word(32) == 6 else { throw .header("small sectors of 2^\(word(32)) bytes") }
        guard number(56) == Self.miniStreamCutoff else { throw .header("small streams of up to \(number(56)) bytes") }
        tableSectorCount = Int(number(44))
        directoryStart = number(48)
        miniTableStart = number(60)
        miniTableCount = Int(number(64))
        tableListStart = number(68)
        tableListCount = Int(number(72))
        firstTableSectors = (0..<Self.ownTableSectors).map { number(76 + 4 * $0) }
    }
}
