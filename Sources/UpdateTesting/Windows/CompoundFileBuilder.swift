import ByteTools

/// Writes compound files (MS-CFB) for tests: streams of the root, of any number and size, in version 3 or 4.
public struct CompoundFileBuilder: Sendable {
    /// Sectors of 512 bytes with 3, of 4096 with 4.
    public var version: Int
    /// UTF-16 units of the name and the bytes of each stream.
    public var streams: [(name: [UInt16], bytes: [UInt8])]
    /// Class of the root; that of a Windows Installer package unless told otherwise.
    public var rootClass: [UInt8] = [0x84, 0x10, 0x0C, 0, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46]

    private static let none: UInt32 = 0xFFFF_FFFF
    private static let end: UInt32 = 0xFFFF_FFFE
    private static let tableSector: UInt32 = 0xFFFF_FFFD
    private static let listSector: UInt32 = 0xFFFF_FFFC

    /// A file of some streams.
    public init(version: Int = 3, streams: [(name: [UInt16], bytes: [UInt8])]) {
        self.version = version
        self.streams = streams
    }

    /// The file.
    public var bytes: [UInt8] {
        let sectorSize = version == 4 ? 4096 : 512
        var content: [UInt8] = []
        var table: [UInt32] = []
        /// Appends a chain of sectors and gives its first.
        func add(_ bytes: [UInt8], fill: UInt8 = 0) -> UInt32 {
            guard !bytes.isEmpty else { return Self.end }
            let first = UInt32(table.count)
            let count = (bytes.count + sectorSize - 1) / sectorSize
            for index in 0..<count { table.append(index == count - 1 ? Self.end : first + UInt32(index) + 1) }
            content += bytes
            content += [UInt8](repeating: fill, count: count * sectorSize - bytes.count)
            return first
        }
        var mini: [UInt8] = []
        var miniTable: [UInt32] = []
        let sorted = streams.sorted { a, b in
            a.name.count == b.name.count ? a.name.lexicographicallyPrecedes(b.name) : a.name.count < b.name.count
        }
        let starts = sorted.map { stream -> UInt32 in
            guard stream.bytes.count < 4096 else { return add(stream.bytes) }
            guard !stream.bytes.isEmpty else { return Self.end }
            let first = UInt32(miniTable.count)
            let count = (stream.bytes.count + 63) / 64
            for index in 0..<count { miniTable.append(index == count - 1 ? Self.end : first + UInt32(index) + 1) }
            mini += stream.bytes
            mini += [UInt8](repeating: 0, count: count * 64 - stream.bytes.count)
            return first
        }
        let miniStart = add(mini)
        let miniTableStart = add(Self.numbers(miniTable), fill: 0xFF)
        let miniTableCount = (miniTable.count * 4 + sectorSize - 1) / sectorSize
        let directory = directory(sorted, starts, miniStart: miniStart, miniSize: mini.count)
        let directoryStart = add(directory)
        let directoryCount = (directory.count + sectorSize - 1) / sectorSize

        // The table tells of its own sectors and of those that list them.
        let perSector = sectorSize / 4
        var (tableCount, listCount) = (0, 0)
        while true {
            let needed = (table.count + tableCount + listCount + perSector - 1) / perSector
            let lists = max(0, needed - 109 + perSector - 2) / (perSector - 1)
            if needed == tableCount, lists == listCount { break }
            (tableCount, listCount) = (needed, lists)
        }
        let firstTable = UInt32(table.count)
        let firstList = firstTable + UInt32(tableCount)
        table += [UInt32](repeating: Self.tableSector, count: tableCount)
        table += [UInt32](repeating: Self.listSector, count: listCount)
        table += [UInt32](repeating: Self.none, count: tableCount * perSector - table.count)
        content += Self.numbers(table)
        var listed = min(109, tableCount)
        for index in 0..<listCount {
            let count = min(perSector - 1, tableCount - listed)
            var list = (0..<count).map { firstTable + UInt32(listed + $0) }
            list += [UInt32](repeating: Self.none, count: perSector - 1 - count)
            list.append(index == listCount - 1 ? Self.end : firstList + UInt32(index) + 1)
            content += Self.numbers(list)
            listed += count
        }

        var header: [UInt8] = [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1] + [UInt8](repeating: 0, count: 16)
        for word: UInt16 in [0x3E, UInt16(version), 0xFFFE, version == 4 ? 12 : 9, 6, 0, 0, 0] {
            header.appendNumber(word)
        }
        for number: UInt32 in [
            version == 4 ? UInt32(directoryCount) : 0, UInt32(tableCount), directoryStart, 0, 4096, miniTableStart,
            UInt32(miniTableCount), listCount > 0 ? firstList : Self.end, UInt32(listCount),
        ] { header.appendNumber(number) }
        header += Self.numbers(
            (0..<109).map { $0 < tableCount ? firstTable + UInt32($0) : Self.none })
        header += [UInt8](repeating: 0, count: sectorSize - header.count)
        return header + content
    }

    private static func numbers(_ numbers: [UInt32]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(numbers.count * 4)
        for number in numbers { bytes.appendNumber(number) }
        return bytes
    }

    private func directory(
        _ sorted: [(name: [UInt16], bytes: [UInt8])], _ starts: [UInt32], miniStart: UInt32, miniSize: Int
    ) -> [UInt8] {
        var left = [UInt32](repeating: Self.none, count: sorted.count)
        var right = left
        /// Makes a balanced tree of a part of the entries and gives its root.
        func tree(_ range: Range<Int>) -> UInt32 {
            guard !range.isEmpty else { return Self.none }
            let middle = range.lowerBound + range.count / 2
            left[middle] = tree(range.lowerBound..<middle)
            right[middle] = tree(middle + 1..<range.upperBound)
            return UInt32(middle + 1)
        }
        let child = tree(sorted.indices)
        func entry(
            _ name: [UInt16], type: UInt8, left: UInt32, right: UInt32, child: UInt32, start: UInt32, size: Int,
            classBytes: [UInt8]
        ) -> [UInt8] {
            var bytes: [UInt8] = []
            for unit in name.prefix(31) { bytes.appendNumber(unit) }
            let length = bytes.count + 2
            bytes += [UInt8](repeating: 0, count: 64 - bytes.count)
            bytes.appendNumber(UInt16(length))
            bytes += [type, 1]
            for number in [left, right, child] { bytes.appendNumber(number) }
            bytes += classBytes + [UInt8](repeating: 0, count: 20)
            bytes.appendNumber(start)
            bytes.appendNumber(UInt64(size))
            return bytes
        }
        let noClass = [UInt8](repeating: 0, count: 16)
        var bytes = entry(
            Array("Root Entry".utf16), type: 5, left: Self.none, right: Self.none, child: child, start: miniStart,
            size: miniSize, classBytes: rootClass)
        for (index, stream) in sorted.enumerated() {
            bytes += entry(
                stream.name, type: 2, left: left[index], right: right[index], child: Self.none, start: starts[index],
                size: stream.bytes.count, classBytes: noClass)
        }
        while bytes.count % (version == 4 ? 4096 : 512) != 0 {
            bytes += entry(
                [], type: 0, left: Self.none, right: Self.none, child: Self.none, start: 0, size: 0, classBytes: noClass
            )
        }
        return bytes
    }
}
