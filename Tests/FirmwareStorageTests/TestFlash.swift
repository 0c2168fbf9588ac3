import FirmwareStorage

/// A flash in memory that can lose its power at any operation.
final class Chip {
    var memory: [UInt8]
    let unitSize: Int
    let writeSize: Int
    /// Operations until the power goes; negative never. Then nothing happens any more, until this is set again.
    var left = -1 { didSet { isOff = false } }
    /// The power went.
    private(set) var isOff = false
    /// What an operation that is cut leaves: 0 nothing done, 1 half, 2 all.
    var cut = 0
    /// A unit in which no write succeeds.
    var badUnit: Int?
    /// Bytes of a write that is cut that are there, where it is not half.
    var tornBytes: Int?
    private(set) var operations = 0
    private(set) var erases: [Int]

    init(units: Int, of unitSize: Int, writeSize: Int = 8) {
        memory = Array(repeating: 0xFF, count: units * unitSize)
        self.unitSize = unitSize
        self.writeSize = writeSize
        erases = Array(repeating: 0, count: units)
    }

    /// True when the operation is to be done in full; false when the power goes in it.
    func begin() throws(FlashFault) -> Bool {
        guard !isOff else { throw .hardware(0xDEAD) }
        operations += 1
        guard left >= 0 else { return true }
        left -= 1
        isOff = left < 0
        return !isOff
    }

    func countErase(_ unit: Int) { erases[unit] += 1 }
}

struct TestArea: FlashArea {
    let chip: Chip

    var size: Int { chip.memory.count }
    var writeSize: Int { chip.writeSize }

    func unit(at offset: Int) -> FlashUnit {
        FlashUnit(start: offset / chip.unitSize * chip.unitSize, size: chip.unitSize)
    }

    func read(at offset: Int, into out: UnsafeMutableRawBufferPointer) throws(FlashFault) {
        try check(offset, out.count)
        out.copyBytes(from: chip.memory[offset..<(offset + out.count)])
    }

    mutating func write(at offset: Int, _ bytes: UnsafeRawBufferPointer) throws(FlashFault) {
        try check(offset, bytes.count)
        guard offset % writeSize == 0, bytes.count % writeSize == 0 else { throw .alignment }
        // Stricter than chips are: no place is written twice.
        guard chip.memory[offset..<(offset + bytes.count)].allSatisfy({ $0 == 0xFF }) else { throw .notErased }
        guard offset / chip.unitSize != chip.badUnit else { throw .hardware(1) }
        let isWhole = try chip.begin()
        let torn = min(bytes.count, chip.tornBytes ?? bytes.count / 2)
        let count = isWhole || chip.cut == 2 ? bytes.count : chip.cut == 1 ? torn : 0
        for i in 0..<count { chip.memory[offset + i] = bytes[i] }
        guard isWhole else { throw .hardware(0xDEAD) }
    }

    mutating func erase(unitAt offset: Int) throws(FlashFault) {
        try check(offset, 1)
        let unit = unit(at: offset)
        let isWhole = try chip.begin()
        let count = isWhole || chip.cut == 2 ? unit.size : chip.cut == 1 ? unit.size / 2 : 0
        for i in 0..<count { chip.memory[unit.start + i] = 0xFF }
        chip.countErase(unit.start / chip.unitSize)
        guard isWhole else { throw .hardware(0xDEAD) }
    }
}
