import FirmwareImages

/// What a ``RecordPair`` keeps.
public protocol FlashRecord: Equatable {
    /// Four letters that a record of this kind begins with.
    static var mark: UInt32 { get }
    /// Bytes of a record: a multiple of every ``FlashArea/writeSize``, at most 128.
    static var size: Int { get }
    /// What counts on a flash on which nothing was ever stored.
    static var initial: Self { get }
    /// Writes itself into the bytes from 8 up to four before the end.
    func encode(into record: inout InlineArray<128, UInt8>)
    /// Reads what ``encode(into:)`` wrote; nil for values that there are not.
    init?(decoding record: InlineArray<128, UInt8>)
}

/// Keeps a value in two erase units of flash so that a cut at any moment leaves the value before or after it.
///
/// Records are appended, each with a mark, a number that goes up, and a checksum; the newest whole one counts. When a unit is
/// full the other one is erased and goes on.
public struct RecordPair<Area: FlashArea, Content: FlashRecord> {
    private var area: Area
    private let units: (FlashUnit, FlashUnit)
    private var sequence: UInt32 = 0
    private var unit = 0
    /// Where the next record goes in the unit.
    private var next = 0
    /// The unit with the record that counts.
    private var unitOfContent = 0
    /// What counts.
    public private(set) var content = Content.initial
    /// False when nothing was ever stored.
    public private(set) var isStored = false

    /// Reads the records in the first two erase units of `area`.
    public init(_ area: Area) throws(FlashFault) {
        self.area = area
        let first = area.unit(at: 0)
        guard first.end < area.size else { throw .range }
        units = (first, area.unit(at: first.end))
        var newest: UInt32 = 0
        for index in 0..<2 {
            let (unit, places) = place(index)
            var end = 0
            for record in 0..<places {
                let offset = unit.start + record * Content.size
                if let (found, number) = try read(at: offset) {
                    end = record + 1
                    guard number > newest else { continue }
                    newest = number
                    content = found
                    isStored = true
                    self.unit = index
                    unitOfContent = index
                } else if try !isBlank(offset) {
                    end = record + 1
                }
            }
            if self.unit == index { next = end }
        }
        sequence = newest
    }

    /// Makes `content` what counts; when this throws, what counted before still does.
    ///
    /// A place that does not take it is left for the next one, once: after a loss of power a place may read as erased and not
    /// be so.
    public mutating func store(_ content: Content) throws(FlashFault) {
        do throws(FlashFault) { try storeOnce(content) } catch { try storeOnce(content) }
    }

    private mutating func storeOnce(_ content: Content) throws(FlashFault) {
        var index = unit
        var record = next
        if record >= place(index).1 {
            index = 1 - index
            record = 0
            // The record that counts may be there still, when this unit took none.
            guard !isStored || index != unitOfContent else { throw .notErased }
            try area.erase(unitAt: place(index).0.start)
        }
        let offset = place(index).0.start + record * Content.size
        // Counted first: a write that fails leaves bits that no second write may meet.
        unit = index
        next = record + 1
        guard sequence < .max else { throw .range }
        sequence += 1
        try write(content, sequence, at: offset)
        guard let (found, number) = try read(at: offset), found == content, number == sequence else {
            throw .notErased
        }
        self.content = content
        unitOfContent = index
        isStored = true
    }

    private func isBlank(_ offset: Int) throws(FlashFault) -> Bool {
        do { return try area.isErased(offset, count: Content.size) } catch {
            guard case .hardware = error else { throw error }
            return false
        }
    }

    private func place(_ index: Int) -> (FlashUnit, Int) {
        let unit = index == 0 ? units.0 : units.1
        return (unit, unit.size / Content.size)
    }

    private mutating func write(_ content: Content, _ sequence: UInt32, at offset: Int) throws(FlashFault) {
        var record = InlineArray<128, UInt8>(repeating: 0)
        record.put(Content.mark, at: 0)
        record.put(sequence, at: 4)
        content.encode(into: &record)
        let end = Content.size - 4
        record.put(record.checksum(first: end), at: end)
        try area.write(at: offset, record, count: Content.size)
    }

    /// A place that can't be read is one without a record.
    private func read(at offset: Int) throws(FlashFault) -> (Content, UInt32)? {
        var record = InlineArray<128, UInt8>(repeating: 0)
        guard try area.readIfPossible(at: offset, into: &record, count: Content.size) else { return nil }
        let end = Content.size - 4
        // Most places are blank.
        guard record.word(0) == Content.mark, record.word(end) == record.checksum(first: end),
            let content = Content(decoding: record)
        else { return nil }
        return (content, record.word(4))
    }
}

extension InlineArray where Element == UInt8 {
    /// A slot's status at one place of a record and its hash at another.
    func entry(status: Int, digest: Int) -> SlotEntry? {
        guard let status = SlotStatus(rawValue: self[status]), let digest = ImageDigest(span.bytes, at: digest) else {
            return nil
        }
        return SlotEntry(status, digest)
    }

    /// Writes what ``entry(status:digest:)`` reads.
    mutating func put(_ entry: SlotEntry, status: Int, digest: Int) {
        self[status] = entry.status.rawValue
        for i in 0..<ImageDigest.size { self[digest + i] = entry.digest[i] }
    }
}
