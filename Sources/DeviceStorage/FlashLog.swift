import ByteTools

/// The log behind `FlashPersistentStore` as a value: which sector holds what, and the steps of every change.
///
/// Each version of a value has its own sectors and a sequence number; the sector with role `last` is written at the end
/// and commits it. The newest complete version is the value. Sectors of older versions, of versions that were cut and
/// whatever can't be read are free; a free sector is erased right before it is written, the least worn first. So a value
/// that counts is never touched, and a cut leaves the old or the new one.
///
/// A removal is a version too (`removed`, `erasedAll`). It may go only when nothing older that it hides is left; the
/// same clean-up runs after the removal and when the store is opened.
struct FlashLog {
    struct Value {
        var sequence: UInt32
        var sectors: [Int]
        var size: Int
    }

    /// A value that is being written.
    struct Draft {
        let block: Int
        let sequence: UInt32
        var sectors: [Int] = []
        var size = 0
        /// Bytes not yet in a sector; the last part is held back because its role says so.
        var pending: [UInt8] = []
        /// Bytes already in sectors.
        var stored: Int { size - pending.count }
    }

    private enum Use: Equatable {
        case free
        case used
    }

    let region: FlashRegion
    /// Largest value: a third of the area, so that old, new and other values fit.
    let maximumValueSize: Int
    private(set) var values: [Int: Value] = [:]
    private var uses: [Use]
    /// Headers as they are on the flash, also those of free sectors.
    private var headers: [LogSector?]
    private(set) var eraseCounts: [UInt32]
    private var nextSequence: UInt32 = 1
    private var writing: Set<Int> = []
    /// Where the search for a free sector goes on, so that equally worn sectors take turns.
    private var cursor = 0

    // MARK: Opening

    init(_ region: FlashRegion) throws(FlashError) {
        self.region = region
        let count = region.sectorCount
        maximumValueSize = max(1, count / 3) * LogSector.dataSize
        uses = Array(repeating: .free, count: count)
        headers = Array(repeating: nil, count: count)
        eraseCounts = Array(repeating: 0, count: count)
        try scan()
        try chooseValues()
        try finishRemovals()
    }

    private mutating func scan() throws(FlashError) {
        var unknown: [Int] = []
        for sector in 0..<region.sectorCount {
            let bytes = try region.bytes(at: sector * NORFlash.sectorSize, count: LogSector.headerSize)
            headers[sector] = LogSector(header: bytes)
            if let header = headers[sector] {
                eraseCounts[sector] = header.eraseCount
                nextSequence = max(nextSequence, header.sequence + 1)
            } else {
                unknown.append(sector)
            }
        }
        // A sector that lost its count is taken for an average one.
        let known = headers.compactMap { $0?.eraseCount }
        let average = known.isEmpty ? 0 : UInt32(known.reduce(UInt64(0)) { $0 + UInt64($1) } / UInt64(known.count))
        for sector in unknown { eraseCounts[sector] = average }
    }

    /// Sequence of the newest order to forget everything, 0 when there is none.
    private var horizon: UInt32 {
        headers.reduce(0) { $1?.role == .erasedAll ? max($0, $1?.sequence ?? 0) : $0 }
    }

    private mutating func chooseValues() throws(FlashError) {
        let horizon = horizon
        var removed: [Int: UInt32] = [:]
        for case let header? in headers where header.role == .removed {
            removed[header.block] = max(removed[header.block] ?? 0, header.sequence)
        }
        // block -> sequence -> part -> sectors; more than one when a sector did not keep its bits and was written again
        var versions: [Int: [UInt32: [Int: [Int]]]] = [:]
        for (sector, header) in headers.enumerated() {
            guard let header, header.role == .part || header.role == .last,
                header.sequence > max(horizon, removed[header.block] ?? 0)
            else { continue }
            versions[header.block, default: [:]][header.sequence, default: [:]][header.part, default: []].append(sector)
        }
        for (block, candidates) in versions {
            for sequence in candidates.keys.sorted(by: >) {
                guard let parts = candidates[sequence], let value = try complete(sequence, parts) else { continue }
                values[block] = value
                for sector in value.sectors { uses[sector] = .used }
                break
            }
        }
    }

    /// The value when all its parts up to the last are there and whole.
    private func complete(_ sequence: UInt32, _ parts: [Int: [Int]]) throws(FlashError) -> Value? {
        var value = Value(sequence: sequence, sectors: [], size: 0)
        while let (sector, header) = try firstWhole(of: parts[value.sectors.count] ?? []) {
            value.sectors.append(sector)
            value.size += header.length
            if header.role == .last { return value }
            guard header.length == LogSector.dataSize else { return nil }
        }
        return nil
    }

    /// A `last` counts before a `part` of the same place: this log writes no such pair, and what stands there must not be
    /// another value once one of the two is used again.
    private func firstWhole(of sectors: [Int]) throws(FlashError) -> (Int, LogSector)? {
        let isLast = { (sector: Int) in headers[sector]?.role == .last }
        for sector in sectors.filter(isLast) + sectors.filter({ !isLast($0) }) {
            if let header = headers[sector], try data(of: sector, header) != nil { return (sector, header) }
        }
        return nil
    }

    /// The data of a sector; nil when it does not match its checksum.
    private func data(of sector: Int, _ header: LogSector) throws(FlashError) -> [UInt8]? {
        let bytes = try region.bytes(
            at: sector * NORFlash.sectorSize + LogSector.headerSize, count: header.length)
        return CRC32.of(bytes) == header.dataCRC ? bytes : nil
    }

    // MARK: Reading

    /// Bytes of one part of a value that was looked up before; `changed` when it is no longer the value.
    func part(_ index: Int, of block: Int, sequence: UInt32) throws(PersistentStoreError) -> [UInt8] {
        guard let value = values[block], value.sequence == sequence, value.sectors.indices.contains(index),
            let header = headers[value.sectors[index]]
        else { throw .changed(block) }
        let bytes: [UInt8]?
        do { bytes = try data(of: value.sectors[index], header) } catch { throw PersistentStoreError(error) }
        guard let bytes else { throw .damaged(block) }
        return bytes
    }

    // MARK: Writing

    mutating func begin(_ block: Int) throws(PersistentStoreError) -> Draft {
        guard persistentBlockNumbers.contains(block) else { throw .invalidBlock(block) }
        guard writing.insert(block).inserted else { throw .busy(block) }
        do { return Draft(block: block, sequence: try takeSequence()) } catch {
            writing.remove(block)
            throw error
        }
    }

    mutating func append(_ bytes: [UInt8], to draft: inout Draft) throws(PersistentStoreError) {
        guard bytes.count <= maximumValueSize - draft.size else { throw .tooLarge(limit: maximumValueSize) }
        draft.pending += bytes
        draft.size += bytes.count
        var taken = 0
        while draft.pending.count - taken > LogSector.dataSize {
            let data = Array(draft.pending[taken..<taken + LogSector.dataSize])
            let sector = try store(
                .part, draft.block, draft.sequence, part: draft.sectors.count, data, keepingFree: 1)
            draft.sectors.append(sector)
            taken += LogSector.dataSize
        }
        draft.pending.removeFirst(taken)
    }

    mutating func commit(_ draft: Draft) throws(PersistentStoreError) {
        let last: Int
        do {
            // The parts must be safe before the sector that makes them count.
            try sync()
            last = try store(
                .last, draft.block, draft.sequence, part: draft.sectors.count, draft.pending, keepingFree: 1)
            try sync()
        } catch {
            abort(draft)
            throw error
        }
        for sector in values[draft.block]?.sectors ?? [] { uses[sector] = .free }
        values[draft.block] = Value(sequence: draft.sequence, sectors: draft.sectors + [last], size: draft.size)
        writing.remove(draft.block)
    }

    mutating func abort(_ draft: Draft) {
        for sector in draft.sectors { uses[sector] = .free }
        writing.remove(draft.block)
    }

    // MARK: Removing

    mutating func remove(_ block: Int) throws(PersistentStoreError) {
        guard persistentBlockNumbers.contains(block) else { throw .invalidBlock(block) }
        guard !writing.contains(block) else { throw .busy(block) }
        guard headers.contains(where: { $0?.block == block && $0?.role != .erasedAll }) else { return }
        try removing(.removed, block)
        values[block] = nil
        do { try finishRemovals() } catch { throw PersistentStoreError(error) }
    }

    mutating func eraseAll() throws(PersistentStoreError) {
        if let block = writing.first { throw .busy(block) }
        try removing(.erasedAll, 0)
        values = [:]
        do { try finishRemovals() } catch { throw PersistentStoreError(error) }
    }

    private mutating func removing(_ role: LogSector.Role, _ block: Int) throws(PersistentStoreError) {
        let sequence = try takeSequence()
        _ = try store(role, block, sequence, part: 0, [], keepingFree: 0)
        try sync()
    }

    /// Erases what removals hide, then the removals.
    private mutating func finishRemovals() throws(FlashError) {
        let horizon = horizon
        if horizon > 0 {
            for (sector, header) in headers.enumerated() {
                if let header, header.sequence < horizon { try erase(sector) }
            }
            // Sectors without a readable header may still hold parts of secrets.
            for sector in headers.indices where headers[sector] == nil && uses[sector] == .free {
                try eraseUnlessBlank(sector)
            }
        }
        let removals = headers.compactMap { $0?.role == .removed ? $0 : nil }
        for removal in removals {
            for (sector, header) in headers.enumerated() {
                guard let header, header.block == removal.block, header.role != .erasedAll,
                    header.sequence < removal.sequence
                else { continue }
                try erase(sector)
            }
        }
        try region.device.sync()
        for (sector, header) in headers.enumerated() where header?.role == .removed || header?.role == .erasedAll {
            try erase(sector)
        }
    }

    // MARK: Sectors

    private mutating func takeSequence() throws(PersistentStoreError) -> UInt32 {
        guard nextSequence <= LogSector.lastSequence else {
            throw .device("the sequence numbers of the persistent store are used up; erase its flash area")
        }
        defer { nextSequence += 1 }
        return nextSequence
    }

    private mutating func erase(_ sector: Int) throws(FlashError) {
        try region.eraseSector(at: sector * NORFlash.sectorSize)
        eraseCounts[sector] += eraseCounts[sector] < .max ? 1 : 0
        headers[sector] = nil
        uses[sector] = .free
    }

    private mutating func eraseUnlessBlank(_ sector: Int) throws(FlashError) {
        let bytes = try region.bytes(at: sector * NORFlash.sectorSize, count: NORFlash.sectorSize)
        if bytes.contains(where: { $0 != 0xFF }) { try erase(sector) }
    }

    /// The least worn free sector; one is always kept for a removal, so that a full store can be emptied.
    private mutating func takeFree(keeping reserve: Int) -> Int? {
        var best: Int?
        var free = 0
        for step in uses.indices {
            let sector = (cursor + step) % uses.count
            guard uses[sector] == .free else { continue }
            free += 1
            if best.map({ eraseCounts[sector] < eraseCounts[$0] }) ?? true { best = sector }
        }
        guard let best, free > reserve else { return nil }
        cursor = (best + 1) % uses.count
        return best
    }

    /// Erases a free sector and writes it; tries others when a sector does not hold what was written.
    private mutating func store(
        _ role: LogSector.Role, _ block: Int, _ sequence: UInt32, part: Int, _ data: [UInt8], keepingFree reserve: Int
    ) throws(PersistentStoreError) -> Int {
        for _ in 0..<4 {
            guard let sector = takeFree(keeping: reserve) else { throw .full }
            do {
                try erase(sector)
                let bytes = LogSector.encode(
                    role: role, block: block, sequence: sequence, part: part, eraseCount: eraseCounts[sector],
                    data: data)
                try region.write(at: sector * NORFlash.sectorSize, bytes)
                // A sector that does not keep its bits stays marked as used until the next start.
                uses[sector] = .used
                let written = try region.bytes(at: sector * NORFlash.sectorSize, count: bytes.count)
                guard written == bytes else { continue }
                headers[sector] = LogSector(header: bytes)
                return sector
            } catch {
                throw PersistentStoreError(error)
            }
        }
        throw .device("the flash does not keep what is written to it")
    }

    private func sync() throws(PersistentStoreError) {
        do { try region.device.sync() } catch { throw PersistentStoreError(error) }
    }
}
