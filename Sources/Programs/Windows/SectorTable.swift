import ByteTools

/// A table of sector numbers that lies in sectors of a file: for each sector the one that follows it in its chain. One
/// sector of the table is held at a time.
struct SectorTable {
    static let endOfChain: UInt32 = 0xFFFF_FFFE

    /// Where the table lies.
    let sectors: [UInt32]
    private var heldIndex = -1
    private var held: [UInt8] = []

    init(sectors: [UInt32]) { self.sectors = sectors }

    /// The sector after `sector`; nil when the table does not reach so far.
    mutating func next(
        _ sector: UInt32, sectorSize: Int, read: (UInt32) throws(CompoundFileFailure) -> [UInt8]
    ) throws(CompoundFileFailure) -> UInt32? {
        let perSector = sectorSize / 4
        let index = Int(sector) / perSector
        guard index < sectors.count else { return nil }
        if index != heldIndex {
            held = try read(sectors[index])
            heldIndex = index
        }
        return held.number(at: Int(sector) % perSector * 4)
    }
}

/// Numbers that were seen, one bit each.
struct SeenSectors {
    private var words: [UInt64]
    let count: Int

    init(count: Int) {
        self.count = count
        words = [UInt64](repeating: 0, count: (count + 63) / 64)
    }

    /// Notes a number below `count`; false when it was seen before.
    mutating func insert(_ number: Int) -> Bool {
        let bit: UInt64 = 1 << UInt64(number & 63)
        guard words[number >> 6] & bit == 0 else { return false }
        words[number >> 6] |= bit
        return true
    }
}
