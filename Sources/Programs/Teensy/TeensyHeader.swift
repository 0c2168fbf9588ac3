/// What the boot ROM of an i.MX RT1062 looks at before it starts a program from the flash (reference manual of the i.MX
/// RT1060, chapter System Boot: serial NOR flash boot, program image).
///
/// Offsets from the start of the program: 0 FlexSPI configuration block of 512 bytes with tag `FCFB` and the flash size at
/// 0x50; 0x1000 image vector table: tag 0xD1, length 32 and version, then entry, reserved, device configuration, address of
/// the boot data, its own address; boot data: address of the program and its length.
enum TeensyHeader {
    /// Bytes from the start that hold all of it; the boot data has to lie within them.
    static let size = 0x1400
    static let flashSizeOffset = 0x50
    static let vectorOffset = 0x1000
    static let vectorSize = 32
    static let configurationTag: UInt32 = 0x4246_4346

    static func word(_ bytes: [UInt8], _ offset: Int) -> UInt32 {
        guard offset >= 0, bytes.count >= 4, offset <= bytes.count - 4 else { return 0 }
        return (0..<4).reduce(0) { $0 | UInt32(bytes[offset + $1]) << UInt32(8 * $1) }
    }

    /// Throws unless `head`, the first bytes, is the header of a program of `imageSize` bytes for `board`.
    static func check(_ head: [UInt8], imageSize: UInt32, board: TeensyBoard) throws(TeensyProblem) {
        guard word(head, 0) == configurationTag else { throw .noConfiguration }
        let flashSize = word(head, flashSizeOffset)
        guard flashSize == UInt32(board.flashSize) else {
            throw .flashSize(found: flashSize, expected: board.flashSize)
        }
        let base = TeensyBoard.loadAddress
        let table = word(head, vectorOffset)
        // Tag 0xD1, length 32 with the higher byte first, version 0x40 to 0x43.
        guard table & 0xFC00_00FF == 0x4000_00D1, table >> 8 & 0xFFFF == 0x2000,
            word(head, vectorOffset + 20) == base + UInt32(vectorOffset)
        else { throw .noVectorTable }
        let entry = word(head, vectorOffset + 4) & ~1
        guard entry >= base + UInt32(vectorOffset), entry - base < imageSize else { throw .noVectorTable }
        let bootData = word(head, vectorOffset + 16)
        guard bootData >= base + UInt32(vectorOffset + vectorSize), bootData - base <= UInt32(size - 12),
            bootData % 4 == 0
        else { throw .bootData }
        let length = word(head, Int(bootData - base) + 4)
        // The linker's length counts the place of a signature that hex files leave out, and not the hash behind the program.
        guard word(head, Int(bootData - base)) == base, length > UInt32(vectorOffset),
            length <= UInt32(board.programSize)
        else {
            throw .bootData
        }
    }
}
