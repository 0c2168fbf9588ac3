/// Keeps a ``SlotChoice``: which of two slots starts.
public typealias SlotRecords<Area: FlashArea> = RecordPair<Area, SlotChoice>

extension RecordPair where Content == SlotChoice {
    /// What counts.
    public var choice: SlotChoice { content }
}

extension SlotChoice: FlashRecord {
    /// `SLOT`
    public static var mark: UInt32 { 0x544F_4C53 }
    /// 96
    public static var size: Int { 96 }
    /// Nothing is known.
    public static var initial: SlotChoice { SlotChoice() }

    /// Slot, both statuses, reason, both hashes.
    public func encode(into record: inout InlineArray<128, UInt8>) {
        record[8] = UInt8(truncatingIfNeeded: boot)
        record.put(first, status: 9, digest: 12)
        record.put(second, status: 10, digest: 44)
        record[11] = goneBack.rawValue
    }

    /// Reads the same.
    public init?(decoding record: InlineArray<128, UInt8>) {
        guard record[8] < 2, let first = record.entry(status: 9, digest: 12),
            let second = record.entry(status: 10, digest: 44), let goneBack = GoneBack(rawValue: record[11])
        else { return nil }
        self.init(boot: Int(record[8]), first: first, second: second, goneBack: goneBack)
    }
}
