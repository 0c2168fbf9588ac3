import ByteTools

/// A compound file (MS-CFB): named streams in a file that is organized like a small disk. Versions 3 and 4.
///
/// The file is not held in memory. Opening it walks every chain once: each has to end, to be long enough for its stream,
/// and no sector may belong to two, so that reading later meets nothing that opening did not. Streams of storages below the
/// root are not looked at. Where readers could understand a file in different ways, it is refused.
struct CompoundFile<Source: ByteSource> {
    /// A stream of the root storage.
    struct Stream: Equatable, Sendable {
        /// UTF-16 units of its name.
        let name: [UInt16]
        /// Bytes.
        let size: Int
        fileprivate let start: UInt32
    }

    let source: Source
    let size: Int
    let header: CompoundFileHeader
    /// Class of the root storage, which says what program the file belongs to.
    private(set) var rootClass: [UInt8] = []
    /// Streams of the root in the order of their names.
    private(set) var streams: [Stream] = []

    private let sectorCount: Int
    private var table: SectorTable
    private var miniTable = SectorTable(sectors: [])
    private var miniStream: [UInt32] = []
    private var miniStreamSize = 0

    private var sectorSize: Int { header.sectorSize }
    private var smallSectorCount: Int {
        (miniStreamSize + CompoundFileHeader.miniSectorSize - 1) / CompoundFileHeader.miniSectorSize
    }

    /// Opens and checks a file.
    init(_ source: Source) throws(CompoundFileFailure) {
        self.source = source
        do throws(StorageFailure) { size = try source.byteCount } catch { throw .unreadable(error) }
        guard size <= CompoundFileLimits.largestFile else { throw .limit("bytes", CompoundFileLimits.largestFile) }
        let start: [UInt8]
        do throws(StorageFailure) {
            start = try source.read(at: 0, count: min(size, CompoundFileHeader.size))
        } catch { throw .unreadable(error) }
        header = try CompoundFileHeader(parsing: start)
        // The header takes a whole sector; the last sector may be cut after the last byte that is used.
        sectorCount = (size - 1) / header.sectorSize
        table = SectorTable(sectors: [])
        var seen = SeenSectors(count: sectorCount)
        table = SectorTable(sectors: try tableSectors(&seen))
        let directory = try directory(&seen)
        let miniSectors = try chain(header.miniTableStart, "the table of small sectors", &seen)
        guard miniSectors.count == header.miniTableCount else {
            throw .damaged(
                "the table of small sectors has \(miniSectors.count) sectors instead of \(header.miniTableCount)")
        }
        miniTable = SectorTable(sectors: miniSectors)
        try readDirectory(directory, &seen)
    }

    // MARK: Sectors

    private static func sector(
        _ number: UInt32, of source: Source, size: Int
    ) throws(CompoundFileFailure) -> [UInt8] {
        do throws(StorageFailure) { return try source.read(at: (Int(number) + 1) * size, count: size) } catch {
            throw .unreadable(error)
        }
    }

    private func whole(_ sector: UInt32) throws(CompoundFileFailure) -> [UInt8] {
        try Self.sector(sector, of: source, size: sectorSize)
    }

    /// The sectors of the table: the first in the header, the others listed in sectors of their own.
    private func tableSectors(_ seen: inout SeenSectors) throws(CompoundFileFailure) -> [UInt32] {
        guard header.tableSectorCount <= sectorCount, header.tableListCount <= sectorCount else {
            throw .damaged("its table is larger than the file")
        }
        var sectors: [UInt32] = []
        func add(_ sector: UInt32, _ seen: inout SeenSectors) throws(CompoundFileFailure) {
            guard sector < sectorCount, seen.insert(Int(sector)) else {
                throw .damaged("sector \(sector) can't be one of its table")
            }
            sectors.append(sector)
        }
        for sector in header.firstTableSectors.prefix(header.tableSectorCount) { try add(sector, &seen) }
        var list = header.tableListStart
        var lists = 0
        while sectors.count < header.tableSectorCount {
            guard list < sectorCount, seen.insert(Int(list)) else {
                throw .damaged("sector \(list) can't list sectors of its table")
            }
            lists += 1
            let entries = try whole(list)
            let perList = sectorSize / 4 - 1
            for index in 0..<min(perList, header.tableSectorCount - sectors.count) {
                guard let sector: UInt32 = entries.number(at: 4 * index) else { break }
                try add(sector, &seen)
            }
            list = entries.number(at: 4 * perList) ?? SectorTable.endOfChain
        }
        guard lists == header.tableListCount else {
            throw .damaged("its table is listed in \(lists) sectors instead of \(header.tableListCount)")
        }
        return sectors
    }

    private mutating func next(_ sector: UInt32) throws(CompoundFileFailure) -> UInt32? {
        let (source, sectorSize) = (source, sectorSize)
        return try table.next(sector, sectorSize: sectorSize) { sector throws(CompoundFileFailure) in
            try Self.sector(sector, of: source, size: sectorSize)
        }
    }

    /// Visits the sectors of a chain in order. No sector is visited twice in the life of `seen`: so it ends.
    private mutating func walk(
        _ start: UInt32, _ what: String, _ seen: inout SeenSectors,
        _ visit: (UInt32) throws(CompoundFileFailure) -> Void
    ) throws(CompoundFileFailure) {
        var sector = start
        while sector != SectorTable.endOfChain {
            guard sector < sectorCount else { throw .damaged("\(what) goes on outside of the file") }
            guard seen.insert(Int(sector)) else { throw .damaged("\(what) meets sector \(sector), which is taken") }
            try visit(sector)
            guard let following = try next(sector) else { throw .damaged("\(what) goes on outside of the table") }
            sector = following
        }
    }

    private mutating func chain(
        _ start: UInt32, _ what: String, _ seen: inout SeenSectors, limit: Int = .max
    ) throws(CompoundFileFailure) -> [UInt32] {
        var sectors: [UInt32] = []
        try walk(start, what, &seen) { sector throws(CompoundFileFailure) in
            guard sectors.count < limit else { throw .limit("sectors for \(what)", limit) }
            sectors.append(sector)
        }
        return sectors
    }

    // MARK: Directory

    private static var entrySize: Int { 128 }
    private static var noEntry: UInt32 { 0xFFFF_FFFF }

    private mutating func directory(_ seen: inout SeenSectors) throws(CompoundFileFailure) -> [UInt8] {
        let perSector = sectorSize / Self.entrySize
        let most = CompoundFileLimits.mostEntries / perSector
        let sectors = try chain(header.directoryStart, "the directory", &seen, limit: most)
        guard !sectors.isEmpty else { throw .damaged("it has no directory") }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(sectors.count * sectorSize)
        for sector in sectors { bytes += try whole(sector) }
        return bytes
    }

    private struct Entry {
        let bytes: ArraySlice<UInt8>
        private func word(_ offset: Int) -> UInt16 {
            UInt16(bytes[bytes.startIndex + offset]) | UInt16(bytes[bytes.startIndex + offset + 1]) << 8
        }
        func number(_ offset: Int) -> UInt32 { UInt32(word(offset)) | UInt32(word(offset + 2)) << 16 }
        var type: UInt8 { bytes[bytes.startIndex + 66] }
        /// Nil when its length can't be: it counts bytes with the NUL at the end.
        var name: [UInt16]? {
            let length = Int(word(64))
            guard (2...64).contains(length), length % 2 == 0 else { return nil }
            return (0..<length / 2 - 1).map { word(2 * $0) }
        }
        var classBytes: [UInt8] { Array(bytes[(bytes.startIndex + 80)..<(bytes.startIndex + 96)]) }
        var left: UInt32 { number(68) }
        var right: UInt32 { number(72) }
        var child: UInt32 { number(76) }
        var start: UInt32 { number(116) }
        /// Version 3 leaves the upper half undefined.
        func size(version: Int) -> UInt64 {
            UInt64(number(120)) | (version == 3 ? 0 : UInt64(number(124)) << 32)
        }
    }

    private mutating func readDirectory(
        _ directory: [UInt8], _ seen: inout SeenSectors
    ) throws(CompoundFileFailure) {
        let count = directory.count / Self.entrySize
        func entry(_ index: UInt32) -> Entry {
            Entry(bytes: directory[Int(index) * Self.entrySize..<(Int(index) + 1) * Self.entrySize])
        }
        let root = entry(0)
        guard root.type == 5 else { throw .damaged("its directory does not start with a root") }
        rootClass = root.classBytes
        try readMiniStream(root, &seen)
        var seenMini = SeenSectors(count: smallSectorCount)

        // The entries of the root are a search tree; no entry is met twice.
        var met = SeenSectors(count: count)
        _ = met.insert(0)
        var pending = [root.child]
        var names: Set<[UInt16]> = []
        while let index = pending.popLast() {
            guard index != Self.noEntry else { continue }
            guard index < count, met.insert(Int(index)) else {
                throw .damaged("its directory leads to entry \(index), which can't be")
            }
            let entry = entry(index)
            guard entry.type == 1 || entry.type == 2, let name = entry.name else {
                throw .damaged("entry \(index) of its directory is neither a stream nor a folder")
            }
            // Programs that search the tree could find either one of two.
            guard names.insert(Self.folded(name)).inserted else {
                throw .damaged("two entries of its directory have the same name")
            }
            pending.append(entry.left)
            pending.append(entry.right)
            guard entry.type == 2 else { continue }
            let length = entry.size(version: header.majorVersion)
            guard length <= UInt64(size) else { throw .damaged("a stream of \(length) bytes is larger than the file") }
            let stream = Stream(name: name, size: Int(length), start: entry.start)
            try check(stream, &seen, &seenMini)
            streams.append(stream)
        }
        streams.sort { $0.name.lexicographicallyPrecedes($1.name) }
    }

    /// Names are the same when they differ in the case of letters only; beyond ASCII no name of a package has letters.
    private static func folded(_ name: [UInt16]) -> [UInt16] {
        name.map { (0x61...0x7A).contains($0) ? $0 - 0x20 : $0 }
    }

    private mutating func readMiniStream(_ root: Entry, _ seen: inout SeenSectors) throws(CompoundFileFailure) {
        let length = root.size(version: header.majorVersion)
        guard length <= UInt64(CompoundFileLimits.largestMiniStream) else {
            throw .limit("bytes of small streams", CompoundFileLimits.largestMiniStream)
        }
        guard length > 0 else { return }
        miniStreamSize = Int(length)
        miniStream = try chain(
            root.start, "the stream of small streams", &seen,
            limit: CompoundFileLimits.largestMiniStream / sectorSize + 1)
        guard miniStream.count * sectorSize >= miniStreamSize else {
            throw .damaged("the stream of small streams has less than its \(miniStreamSize) bytes")
        }
        let whole = (miniStreamSize - 1) / sectorSize
        guard (Int(miniStream[whole]) + 1) * sectorSize + miniStreamSize - whole * sectorSize <= size else {
            throw .damaged("the file ends inside the stream of small streams")
        }
    }

    private mutating func check(
        _ stream: Stream, _ seen: inout SeenSectors, _ seenMini: inout SeenSectors
    ) throws(CompoundFileFailure) {
        guard stream.size > 0 else { return }
        guard stream.size >= CompoundFileHeader.miniStreamCutoff else {
            try checkSmall(stream, &seenMini)
            return
        }
        var found = 0
        var last: UInt32 = 0
        let needed = (stream.size + sectorSize - 1) / sectorSize
        try walk(stream.start, "a stream", &seen) { sector throws(CompoundFileFailure) in
            found += 1
            if found == needed { last = sector }
        }
        guard found >= needed else { throw .damaged("a stream of \(stream.size) bytes has only \(found) sectors") }
        let end = (Int(last) + 1) * sectorSize + stream.size - (needed - 1) * sectorSize
        guard end <= size else { throw .damaged("the file ends inside a stream") }
    }

    private mutating func checkSmall(
        _ stream: Stream, _ seenMini: inout SeenSectors
    ) throws(CompoundFileFailure) {
        let needed = (stream.size + CompoundFileHeader.miniSectorSize - 1) / CompoundFileHeader.miniSectorSize
        var found = 0
        var sector = stream.start
        while sector != SectorTable.endOfChain {
            guard sector < seenMini.count, seenMini.insert(Int(sector)) else {
                throw .damaged("a small stream meets sector \(sector), which can't be")
            }
            found += 1
            sector = try nextSmall(sector)
        }
        guard found >= needed else {
            throw .damaged("a stream of \(stream.size) bytes has only \(found) small sectors")
        }
    }

    private mutating func nextSmall(_ sector: UInt32) throws(CompoundFileFailure) -> UInt32 {
        let (source, sectorSize) = (source, sectorSize)
        let next = try miniTable.next(sector, sectorSize: sectorSize) { sector throws(CompoundFileFailure) in
            try Self.sector(sector, of: source, size: sectorSize)
        }
        guard let next else { throw .damaged("a small stream goes on outside of the table") }
        return next
    }

    // MARK: Streams

    /// The stream of a name; nil when there is none.
    func stream(_ name: [UInt16]) -> Stream? { streams.first { $0.name == name } }

    /// All bytes of a stream, which may have up to `limit`.
    mutating func read(_ stream: Stream, limit: Int) throws(CompoundFileFailure) -> [UInt8] {
        guard stream.size <= limit else { throw .limit("bytes of one stream", limit) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(stream.size)
        var sector = stream.start
        let isSmall = stream.size < CompoundFileHeader.miniStreamCutoff
        let step = isSmall ? CompoundFileHeader.miniSectorSize : sectorSize
        while bytes.count < stream.size {
            let count = min(step, stream.size - bytes.count)
            let place = isSmall ? try place(ofSmall: sector) : (Int(sector) + 1) * sectorSize
            do throws(StorageFailure) { bytes += try source.read(at: place, count: count) } catch {
                throw .unreadable(error)
            }
            guard bytes.count < stream.size else { break }
            guard let following = isSmall ? try nextSmall(sector) : try next(sector), following < sectorLimit(isSmall)
            else { throw .damaged("a stream ends early") }
            sector = following
        }
        return bytes
    }

    private func sectorLimit(_ isSmall: Bool) -> UInt32 {
        UInt32(isSmall ? smallSectorCount : sectorCount)
    }

    private func place(ofSmall sector: UInt32) throws(CompoundFileFailure) -> Int {
        let offset = Int(sector) * CompoundFileHeader.miniSectorSize
        guard offset / sectorSize < miniStream.count else { throw .damaged("a small stream lies outside") }
        return (Int(miniStream[offset / sectorSize]) + 1) * sectorSize + offset % sectorSize
    }
}
