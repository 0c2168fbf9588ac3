import FirmwareImages

/// Why a persistent block can't be read or written.
public enum BlockLogProblem: Error, Equatable, Sendable {
    /// The flash failed.
    case flash(FlashFault)
    /// No room is left, even after cleaning up.
    case full
    /// Another value is being written.
    case busy
    /// The value was replaced or moved while it was read.
    case changed
    /// Nothing is being written.
    case notStarted
}

/// The persistent blocks of a microcontroller: values in a log over the erase units of a flash area.
///
/// One unit at a time is in use; values are appended to it in chunks with checksums, the newest complete one of a block
/// counts. When a unit is full what counts is copied to the next one, whose header is written last and makes it the one in
/// use; so all units wear alike, and a cut at any moment leaves the old or the new value. RAM is needed for one chunk.
///
/// A chunk's header has a checksum of its own and is written before its data. So a header that was cut has no data behind it,
/// and a chunk whose data was cut is passed over by its length: what operators store is never taken for a chunk.
public struct BlockLog<Area: FlashArea> {
    /// Most bytes of data in a chunk.
    static var largestChunk: Int { 240 }
    private static var headerSize: Int { 16 }
    private static var unitHeaderSize: Int { 32 }
    private static var unitMagic: UInt32 { 0x4B4C_4249 }  // IBLK
    private static var chunkMark: UInt8 { 0xB7 }
    /// Bytes at the end of a unit that only values without bytes may use: a log that is full can be emptied.
    private static var reserve: Int { 64 }

    private struct Flags {
        static var first: UInt8 { 1 }
        static var last: UInt8 { 2 }
        static var removed: UInt8 { 4 }
    }

    private struct Chunk {
        var block: UInt8
        var flags: UInt8
        var length: Int
        var sequence: UInt32
        var part: UInt16
        /// Of the header's first bytes and the data.
        var checksum: UInt32
        /// Bytes in the flash.
        var stored: Int { BlockLog.headerSize + (length + 15) & ~15 }
    }

    /// Where a value lies.
    public struct Value: Sendable {
        /// Bytes of the value.
        public fileprivate(set) var size: Int
        fileprivate var start: Int
        fileprivate var sequence: UInt32
        fileprivate var generation: UInt32
        // Reading.
        fileprivate var chunk: Int
        fileprivate var taken = 0
    }

    private struct Draft {
        var block: UInt8
        var sequence: UInt32
        /// Where its first chunk lies; -1 before it is written.
        var start: Int
        var part: UInt16 = 0
        var pending = 0
        /// Bytes up to now.
        var size = 0
    }

    private var area: Area
    /// Erase units of the area.
    public let unitCount: Int
    private var unit = FlashUnit(start: 0, size: 0)
    private var generation: UInt32 = 0
    private var end = 0
    private var nextSequence: UInt32 = 1
    private var draft: Draft?
    private var buffer = InlineArray<256, UInt8>(repeating: 0xFF)

    /// Opens the log in `area`, which has two erase units or more; an area without one is made ready.
    public init(_ area: Area) throws(BlockLogProblem) {
        self.area = area
        var count = 0
        var at = 0
        while at < area.size {
            at = area.unit(at: at).end
            count += 1
        }
        unitCount = count
        guard count >= 2 else { throw .flash(.range) }
        try open()
    }

    private mutating func open() throws(BlockLogProblem) {
        var at = 0
        generation = 0
        while at < area.size {
            let candidate = area.unit(at: at)
            if let found = try unitGeneration(candidate), found > generation {
                generation = found
                unit = candidate
            }
            at = candidate.end
        }
        if generation == 0 {
            let first = area.unit(at: 0)
            do { try area.erase(unitAt: 0) } catch { throw .flash(error) }
            try writeUnitHeader(first, 1)
            unit = first
            generation = 1
        }
        end = unit.end
        var scan = unit.start + Self.unitHeaderSize
        while let (place, chunk) = try chunk(from: scan) {
            nextSequence = max(nextSequence, chunk.sequence &+ 1)
            scan = place + chunk.stored
        }
        // The last bytes of a value may look as if they were erased.
        end = max(scan, try findEnd())
    }

    // MARK: Reading

    /// Largest value: a quarter of the smallest unit, so that old, new and others fit.
    public var largestValue: Int { unit.size / 4 }

    /// The value of a block; nil when it has none.
    public func value(_ block: UInt8) throws(BlockLogProblem) -> Value? {
        var result: Value?
        var candidate: Value?
        var parts: UInt16 = 0
        var scan = unit.start + Self.unitHeaderSize
        while let (place, chunk) = try chunk(from: scan) {
            scan = place + chunk.stored
            guard chunk.block == block, try isWhole(chunk, at: place) else { continue }
            if chunk.flags & Flags.removed != 0 {
                result = nil
                candidate = nil
                continue
            }
            if chunk.flags & Flags.first != 0 {
                candidate = Value(
                    size: 0, start: place, sequence: chunk.sequence, generation: generation, chunk: place)
                parts = 0
            }
            guard var open = candidate, open.sequence == chunk.sequence, chunk.part == parts else {
                candidate = nil
                continue
            }
            open.size += chunk.length
            parts &+= 1
            candidate = open
            if chunk.flags & Flags.last != 0 {
                result = open
                candidate = nil
            }
        }
        return result
    }

    /// Blocks that have a value.
    public func blocks() throws(BlockLogProblem) -> BlockNumbers {
        var blocks = try named()
        for block in UInt8.min...UInt8.max where blocks.contains(block) {
            if try value(block) == nil { blocks.remove(block) }
        }
        return blocks
    }

    /// Blocks that chunks are about: one look at what is there spares one for every number that a block may have.
    private func named() throws(BlockLogProblem) -> BlockNumbers {
        var numbers = BlockNumbers()
        var scan = unit.start + Self.unitHeaderSize
        while let (place, chunk) = try chunk(from: scan) {
            numbers.insert(chunk.block)
            scan = place + chunk.stored
        }
        return numbers
    }

    /// Copies the next bytes of a value into `out`; gives how many, 0 at the end.
    public func read(_ value: inout Value, into out: UnsafeMutableRawBufferPointer) throws(BlockLogProblem) -> Int {
        guard value.generation == generation else { throw .changed }
        var copied = 0
        while copied < out.count, value.chunk >= 0 {
            guard let (place, found) = try chunk(from: value.chunk) else { throw .changed }
            guard found.sequence == value.sequence, try isWhole(found, at: place) else {
                // A chunk that was cut, or of another value, stands in between.
                value.chunk = place + found.stored
                continue
            }
            let part = min(out.count - copied, found.length - value.taken)
            let target = UnsafeMutableRawBufferPointer(rebasing: out[copied..<(copied + part)])
            do { try area.read(at: place + Self.headerSize + value.taken, into: target) } catch { throw .flash(error) }
            copied += part
            value.taken += part
            if value.taken == found.length {
                value.taken = 0
                value.chunk = found.flags & Flags.last != 0 ? -1 : place + found.stored
            }
        }
        return copied
    }

    // MARK: Writing

    /// Begins a new value of a block; the old one counts until ``commit()``.
    public mutating func begin(_ block: UInt8) throws(BlockLogProblem) {
        guard draft == nil else { throw .busy }
        draft = Draft(block: block, sequence: nextSequence, start: -1)
        nextSequence &+= 1
    }

    /// Adds bytes to the value, which may have ``largestValue``.
    public mutating func append(_ bytes: RawSpan) throws(BlockLogProblem) {
        guard var open = draft else { throw .notStarted }
        guard bytes.byteCount <= largestValue - open.size else { throw .full }
        open.size += bytes.byteCount
        for i in 0..<bytes.byteCount {
            if open.pending == Self.largestChunk { try writeChunk(&open, isLast: false) }
            buffer[Self.headerSize + open.pending] = bytes.unsafeLoad(fromByteOffset: i, as: UInt8.self)
            open.pending += 1
        }
        draft = open
    }

    /// Makes the new value the one that counts.
    public mutating func commit() throws(BlockLogProblem) {
        guard var open = draft else { throw .notStarted }
        do throws(BlockLogProblem) { try writeChunk(&open, isLast: true) } catch {
            draft = nil
            throw error
        }
        draft = nil
    }

    /// Forgets the new value; the old one stays.
    public mutating func abort() { draft = nil }

    /// Makes a block one without a value.
    public mutating func remove(_ block: UInt8) throws(BlockLogProblem) {
        guard draft == nil else { throw .busy }
        guard try value(block) != nil else { return }
        var removal = Draft(block: block, sequence: nextSequence, start: -1)
        nextSequence &+= 1
        try writeChunk(&removal, isLast: true, flags: Flags.removed)
    }

    /// Erases everything; what was secret is gone from the flash afterwards.
    public mutating func eraseAll() throws(BlockLogProblem) {
        guard draft == nil else { throw .busy }
        var at = 0
        do throws(FlashFault) {
            // The unit in use goes last: a cut before leaves all values, not some older ones.
            while at < area.size {
                let other = area.unit(at: at)
                if other != unit { try area.erase(unitAt: at) }
                at = other.end
            }
            try area.erase(unitAt: unit.start)
        } catch { throw .flash(error) }
        try open()
    }

    // MARK: Chunks

    private mutating func writeChunk(
        _ open: inout Draft, isLast: Bool, flags: UInt8 = 0
    ) throws(BlockLogProblem) {
        let size = Self.headerSize + (open.pending + 15) & ~15
        let needed = open.size == 0 ? size : size + Self.reserve
        if end + needed > unit.end {
            try cleanUp(keeping: &open)
            guard end + needed <= unit.end else { throw .full }
        }
        let length = open.pending
        buffer[0] = Self.chunkMark
        buffer[1] = open.block
        buffer[2] = flags | (open.part == 0 ? Flags.first : 0) | (isLast ? Flags.last : 0)
        buffer[3] = UInt8(truncatingIfNeeded: length)
        buffer.put(open.sequence, at: 4)
        buffer.put16(UInt32(open.part), at: 8)
        buffer.put16(buffer.checksum(first: 10), at: 10)
        for i in length..<(size - Self.headerSize) { buffer[Self.headerSize + i] = 0xFF }
        var crc = ImageCRC()
        for i in 0..<12 { crc.add(buffer[i]) }
        for i in 0..<length { crc.add(buffer[Self.headerSize + i]) }
        buffer.put(crc.value, at: 12)
        let place = end
        // Counted first: a write that fails leaves bits that no second write may meet.
        end += size
        do throws(FlashFault) {
            try area.write(at: place, buffer, count: Self.headerSize)
            if length > 0 {
                try area.write(
                    at: place + Self.headerSize, buffer, from: Self.headerSize, count: size - Self.headerSize)
            }
        } catch { throw .flash(error) }
        guard let chunk = try chunk(at: place), chunk.sequence == open.sequence, try isWhole(chunk, at: place) else {
            throw .flash(.notErased)
        }
        if open.start < 0 { open.start = place }
        open.part &+= 1
        open.pending = 0
    }

    /// The next chunk at or behind `place` of the unit in use, whole or cut in its data; nil when there is none.
    private func chunk(from place: Int) throws(BlockLogProblem) -> (Int, Chunk)? {
        var at = place
        while at + Self.headerSize <= end {
            if let chunk = try chunk(at: at) { return (at, chunk) }
            // Erased, or a header that was cut: there is no data behind it.
            at += Self.headerSize
        }
        return nil
    }

    /// What the header at `place` tells; nil when it is not a whole one.
    private func chunk(at place: Int) throws(BlockLogProblem) -> Chunk? {
        var header = InlineArray<16, UInt8>(repeating: 0)
        guard try load(&header, at: place), header[0] == Self.chunkMark, header[3] <= UInt8(Self.largestChunk),
            header.half(10) == UInt16(truncatingIfNeeded: header.checksum(first: 10))
        else { return nil }
        let chunk = Chunk(
            block: header[1], flags: header[2], length: Int(header[3]), sequence: header.word(4), part: header.half(8),
            checksum: header.word(12))
        return place + chunk.stored <= end ? chunk : nil
    }

    /// True when the data of a chunk is as its checksum says.
    private func isWhole(_ chunk: Chunk, at place: Int) throws(BlockLogProblem) -> Bool {
        var data = InlineArray<16, UInt8>(repeating: 0)
        guard try load(&data, at: place) else { return false }
        var crc = ImageCRC()
        for i in 0..<12 { crc.add(data[i]) }
        var at = 0
        while at < chunk.length {
            guard try load(&data, at: place + Self.headerSize + at) else { return false }
            for i in 0..<min(16, chunk.length - at) { crc.add(data[i]) }
            at += 16
        }
        return crc.value == chunk.checksum
    }

    /// False when the flash can't read the place: a word that was cut, with ECC.
    private func load(_ out: inout InlineArray<16, UInt8>, at place: Int) throws(BlockLogProblem) -> Bool {
        do { return try area.readIfPossible(at: place, into: &out, count: 16) } catch { throw .flash(error) }
    }

    /// Behind the last place that is not erased.
    private func findEnd() throws(BlockLogProblem) -> Int {
        var at = unit.end
        var data = InlineArray<16, UInt8>(repeating: 0)
        while at > unit.start + Self.unitHeaderSize {
            var isBlank = try load(&data, at: at - 16)
            for i in 0..<16 where data[i] != 0xFF { isBlank = false }
            guard isBlank else { return at }
            at -= 16
        }
        return at
    }

    // MARK: Units

    private func unitGeneration(_ unit: FlashUnit) throws(BlockLogProblem) -> UInt32? {
        var header = InlineArray<16, UInt8>(repeating: 0)
        guard try load(&header, at: unit.start) else { return nil }
        guard header.word(0) == Self.unitMagic, header.word(12) == header.checksum(first: 12) else { return nil }
        return header.word(4)
    }

    private mutating func writeUnitHeader(_ unit: FlashUnit, _ generation: UInt32) throws(BlockLogProblem) {
        var header = InlineArray<16, UInt8>(repeating: 0)
        header.put(Self.unitMagic, at: 0)
        header.put(generation, at: 4)
        header.put(header.checksum(first: 12), at: 12)
        do { try area.write(at: unit.start, header, count: 16) } catch { throw .flash(error) }
    }

    /// Copies what counts, and the value that is being written, to the next unit.
    private mutating func cleanUp(keeping open: inout Draft) throws(BlockLogProblem) {
        let next = area.unit(at: unit.end < area.size ? unit.end : 0)
        do { try area.erase(unitAt: next.start) } catch { throw .flash(error) }
        var target = next.start + Self.unitHeaderSize
        let named = try named()
        for block in UInt8.min...UInt8.max where named.contains(block) {
            guard let value = try value(block) else { continue }
            _ = try copy(value.start, value.sequence, untilLast: true, to: &target, limit: next.end)
        }
        var draftStart = -1
        if open.start >= 0 {
            draftStart = try copy(open.start, open.sequence, untilLast: false, to: &target, limit: next.end)
        }
        try writeUnitHeader(next, generation &+ 1)
        open.start = draftStart
        unit = next
        generation &+= 1
        end = target
    }

    /// Copies the chunks of one value; gives where its first one went.
    private mutating func copy(
        _ start: Int, _ sequence: UInt32, untilLast: Bool, to target: inout Int, limit: Int
    ) throws(BlockLogProblem) -> Int {
        var from = start
        let first = target
        while let (place, chunk) = try chunk(from: from) {
            from = place + chunk.stored
            guard chunk.sequence == sequence, try isWhole(chunk, at: place) else { continue }
            guard target + chunk.stored <= limit else { throw .full }
            var at = 0
            var data = InlineArray<16, UInt8>(repeating: 0)
            while at < chunk.stored {
                guard try load(&data, at: place + at) else { throw .flash(.notErased) }
                do { try area.write(at: target + at, data, count: 16) } catch { throw .flash(error) }
                at += 16
            }
            target += chunk.stored
            if untilLast && chunk.flags & Flags.last != 0 { break }
        }
        return first
    }
}
