import FirmwareStorage

/// The record of the boot check of two banks: the ``FirmwareStorage/SlotChoice`` of ``FirmwareStorage/SlotRecords``, and in a
/// byte that those leave zero how often the banks were exchanged for it.
///
/// What a program stores through `SlotRecords` begins again at zero.
struct BankChoice: FlashRecord {
    /// Which program is due.
    var choice: SlotChoice
    /// How often in a row the boot check had the option bytes changed for ``choice`` since its program was started last.
    var exchanges: UInt8 = 0

    static var mark: UInt32 { SlotChoice.mark }
    static var size: Int { SlotChoice.size }
    static var initial: BankChoice { BankChoice(choice: .initial) }
    /// Behind both hashes.
    private static var place: Int { 76 }

    init(choice: SlotChoice, exchanges: UInt8 = 0) {
        self.choice = choice
        self.exchanges = exchanges
    }

    func encode(into record: inout InlineArray<128, UInt8>) {
        choice.encode(into: &record)
        record[Self.place] = exchanges
    }

    init?(decoding record: InlineArray<128, UInt8>) {
        guard let choice = SlotChoice(decoding: record) else { return nil }
        self.init(choice: choice, exchanges: record[Self.place])
    }
}
