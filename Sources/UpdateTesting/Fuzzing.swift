import ByteTools
import DeviceStorage
import Installers
import Programs

// Entries for a fuzzer: each feeds bytes to one decoder and checks what must hold for any bytes. A trap is a find.

/// Image scanner: the same verdict whether the bytes come at once or in small pieces.
public func fuzzESPImage(_ bytes: [UInt8]) {
    let whole = Result { try ESPImage(checking: ArraySource(bytes)) }
    var scanner = ESPImageScanner()
    var taken = 0
    do throws(ESPImageError) {
        while taken < bytes.count, !scanner.isComplete {
            let step = 1 + taken % 7
            taken += try scanner.feed(Array(bytes[taken..<min(bytes.count, taken + step)]))
        }
        let image = try scanner.finish()
        guard taken == bytes.count else { return }
        precondition((try? whole.get()) == image, "pieces give another image than the whole")
        _ = ProgramBehaviour(record: image.record)
    } catch {
        precondition((try? whole.get()) == nil, "pieces are refused, the whole is not: \(error)")
    }
}

/// Partition table: what is accepted is written back and read as the same.
public func fuzzPartitionTable(_ bytes: [UInt8]) {
    guard let table = try? PartitionTable(parsing: bytes, flashSize: 4 << 20) else { return }
    let again = try? PartitionTable(parsing: table.encoded(), flashSize: 4 << 20)
    precondition(again == table, "a table changes when it is written and read")
}

/// Otadata: entries are read and written the same, and the choice is always a slot.
public func fuzzOTAData(_ bytes: [UInt8]) {
    guard let flash = try? NORFlash(size: 2 * NORFlash.sectorSize),
        let region = try? FlashRegion(flash, offset: 0, size: flash.size)
    else { return }
    try? flash.write(at: 0, Array(bytes.prefix(32)))
    try? flash.write(at: NORFlash.sectorSize, Array(bytes.dropFirst(32).prefix(32)))
    for count in [1, 2, 16] {
        guard var data = try? OTAData(region, slotCount: count) else { continue }
        for entry in data.entries {
            precondition(OTAEntry(parsing: entry.encoded) == entry, "an entry changes when it is written and read")
        }
        if let slot = data.activeSlot { precondition((0..<count).contains(slot), "no such slot") }
        guard let active = data.active else { continue }
        let next = data.sequence(for: 0, above: data.entries[active].sequence)
        guard let next else { continue }
        try? data.replace(1 - active, with: OTAEntry(sequence: next, state: .new), in: region)
        precondition(data.activeSlot == 0, "a newly selected slot is not chosen")
    }
}

/// Mounting a persistent store on any flash contents: what can be read is stable, and a write works when there is room.
///
/// With a first byte that is even the rest is the flash; with an odd one each 12 bytes make a sector with right checksums,
/// so that the rules behind them are reached.
public func fuzzFlashPersistentStore(_ bytes: [UInt8]) {
    let sectors = 8
    guard let first = bytes.first, let flash = try? NORFlash(size: sectors * NORFlash.sectorSize),
        let region = try? FlashRegion(flash, offset: 0, size: flash.size)
    else { return }
    if first % 2 == 0 {
        try? flash.write(at: 0, Array(bytes.dropFirst().prefix(flash.size)))
    } else {
        for index in 0..<min(sectors, (bytes.count - 1) / 12) {
            let field = Array(bytes[(1 + index * 12)..<(13 + index * 12)])
            guard let role = LogSector.Role(rawValue: field[0] % 4), let sequence: UInt32 = field.number(at: 4) else {
                continue
            }
            let length = field[3] % 3 == 0 ? Int(field[8]) : LogSector.dataSize
            let sector = LogSector.encode(
                role: role, block: Int(field[1] % 4), sequence: field[2] % 4 == 0 ? sequence : UInt32(field[4] % 8),
                part: Int(field[3] % 4), eraseCount: UInt32(field[9]) << 24 | UInt32(field[10]),
                data: [UInt8](repeating: field[11], count: length))
            try? flash.write(at: index * NORFlash.sectorSize, sector)
        }
    }
    guard let store = try? FlashPersistentStore(region) else { return }
    let blocks = (try? store.blocks()) ?? []
    for block in blocks { precondition((try? store.read(block)) != nil, "a mounted value can't be read") }
    let value = Array("value".utf8)
    if (try? store.write(3, value)) != nil {
        precondition((try? store.read(3)) == value, "a written value reads as another")
        guard let again = try? FlashPersistentStore(region) else {
            preconditionFailure("the store can't be opened again")
        }
        precondition((try? again.read(3)) == value, "a written value is lost")
        for block in blocks where block != 3 {
            precondition((try? again.read(block)) == (try? store.read(block)), "another value changed")
        }
    }
    if (try? store.eraseAll()) != nil {
        let again = try? FlashPersistentStore(region)
        precondition((try? again?.blocks()) == [], "a value survives the erase")
    }
}

/// Package names: what is accepted is formatted to the same text.
public func fuzzPackageName(_ bytes: [UInt8]) {
    let text = String(decoding: bytes, as: UTF8.self)
    if let name = try? PackageName(parsing: text) {
        precondition(name.description == text, "a package name changes when it is formatted")
    }
    if let version = try? ProgramVersion(text) {
        precondition(version.description == text, "a version changes when it is formatted")
    }
}

/// Debian packages: every member that is found lies inside the bytes.
public func fuzzDebianPackage(_ bytes: [UInt8]) {
    guard let members = try? DebianPackage.members(of: ArraySource(bytes)) else { return }
    for member in members {
        precondition(member.size >= 0 && member.offset + member.size <= bytes.count, "a member lies outside")
    }
}
