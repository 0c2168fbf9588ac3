public import FirmwareImages
public import FirmwareStorage
public import FlashControllers

/// Installs programs on parts with two banks: into the bank that does not run, then the option bytes select it.
public typealias STM32DualBankInstaller<Controller: DualBankController & Sendable> =
    ImageInstaller<DualBankPlaces<Controller>>

/// The banks of a part as places of programs.
///
/// A new program is written down in the records before the option bytes are touched. Should the power go in between, the
/// boot check of either bank sees that and sets them (``FlashControllers/DualBank/start(cause:)``).
public struct DualBankPlaces<Controller: DualBankController & Sendable>: ProgramPlaces {
    private let banks: DualBank<Controller>
    private var records: SlotRecords<BankArea<Controller>>
    private let running: Int
    /// The place of the program in the other bank.
    public var newArea: BankArea<Controller>
    /// What a new program has to be.
    public let target: ImageTarget

    /// The banks of a machine whose program runs, started by the boot check.
    public init(_ banks: DualBank<Controller>) throws(FlashFault) {
        self.banks = banks
        running = banks.controller.runningBank
        records = try SlotRecords(banks.recordArea)
        newArea = banks.slot(1 - running)
        target = banks.imageTarget
    }

    /// True when the program that runs has proved itself.
    public var isReady: Bool { records.choice.boot == running && records.choice[running].status == .valid }

    /// Forgets the program that was in the other bank.
    public mutating func beginWriting() throws(FlashFault) {
        var choice = records.choice
        choice.beginWriting(1 - running)
        if choice != records.choice { try records.store(choice) }
    }

    /// Writes it down, then sets the option bytes.
    public mutating func select(_ digest: ImageDigest) throws(FlashFault) {
        var choice = records.choice
        choice.select(1 - running, digest)
        try exchange(choice)
    }

    /// Stores a choice for the other bank and sets the option bytes. When these fail the choice before it counts again, for
    /// the caller says that nothing changed, and the boot check would try once more.
    private mutating func exchange(_ choice: SlotChoice) throws(FlashFault) {
        let before = records.choice
        try records.store(choice)
        do throws(FlashFault) { try banks.controller.select(bank: 1 - running) } catch {
            // Should that fail as well the records say so, and the boot check tries to get there.
            try? records.store(before)
            throw (error.controller ?? []).union(.options).fault
        }
    }

    /// Ends the trial.
    public mutating func confirm() throws(FlashFault) {
        guard records.choice.boot == running, records.choice[running].status != .valid else { return }
        var choice = records.choice
        choice.confirm()
        try records.store(choice)
    }

    /// Goes back to the program of the other bank, if that one proved itself and is whole.
    public mutating func giveUp(_ reason: GoneBack) throws(FlashFault) -> Bool {
        guard previous != nil else { return false }
        var choice = records.choice
        guard choice.boot == running, choice.giveUp(reason) else { return false }
        try exchange(choice)
        return true
    }

    /// The program in the other bank, if it proved itself and is whole.
    public var previous: ProgramDescriptor? {
        let entry = records.choice[1 - running]
        guard entry.status == .valid, let image = try? banks.image(in: 1 - running), image.digest == entry.digest else {
            return nil
        }
        return image.descriptor
    }
}
