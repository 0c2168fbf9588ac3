public import DeviceStorage
public import FirmwareImages
public import FirmwareStorage
public import FlashControllerModels
public import FlashControllers

/// A board with an STM32, whatever keeps its programs: what candy and the tests do with it.
public protocol STM32Board: Sendable {
    /// Which board.
    var profile: STM32Profile { get }
    /// Its flash and registers.
    var model: STM32Model { get }
    /// A board around a model, not started yet.
    init(_ profile: STM32Profile, _ model: STM32Model)
    /// The flash of a board as it leaves production, with its first program.
    static func produced(_ profile: STM32Profile, program: [UInt8]) -> FlashContents
    /// Resets the machine and lets the boot check do its work until a program is started.
    func start(powerOn: Bool, cause: GoneBack) throws(STM32BootFailure) -> STM32Boot
    /// The installer of the program that was started; packages must be for `application`.
    func provingInstaller(application: String) throws(FlashFault) -> any ProvingInstaller
    /// The program that was written last for the next start; nil when none is whole.
    func newProgram() -> ProgramDescriptor?
    /// A program that was written and did not stay, as far as it can still be read.
    func leftProgram() -> ProgramDescriptor?
    /// Name of the place that `boot` runs from.
    func placeName(_ boot: STM32Boot) -> String
    /// Place of the persistent blocks.
    var blockArea: BankArea<STM32Driver> { get }
    /// Units of the flash that hold what is known of the programs, for tests.
    var recordUnits: [Int] { get }
    /// Offset in the flash of the program that `boot` started, for tests.
    func programOffset(_ boot: STM32Boot) -> Int
}

extension STM32Board {
    /// The bytes of the program that runs.
    public func program(_ boot: STM32Boot) -> [UInt8] {
        model.contents.bytes(at: programOffset(boot), count: Int(boot.program.imageSize))
    }

    /// The persistent blocks.
    public func openBlocks() throws(PersistentStoreError) -> BlockLogStore<BankArea<STM32Driver>> {
        try BlockLogStore(blockArea)
    }
}

extension STM32DualBankBoard: STM32Board {
    /// The installer into the other bank.
    public func provingInstaller(application: String) throws(FlashFault) -> any ProvingInstaller {
        try installer(application: application)
    }

    /// That of the other bank.
    public func newProgram() -> ProgramDescriptor? {
        (try? banks.image(in: 1 - banks.controller.runningBank))?.descriptor
    }

    /// That of the other bank, if it is marked as one that failed.
    public func leftProgram() -> ProgramDescriptor? {
        let other = 1 - banks.controller.runningBank
        guard let records = try? SlotRecords(banks.recordArea), records.choice[other].status == .invalid else {
            return nil
        }
        return newProgram()
    }

    /// As ST counts them.
    public func placeName(_ boot: STM32Boot) -> String { "bank_\(boot.bank + 1)" }

    /// 32 KiB in each bank.
    public var blockArea: BankArea<STM32Driver> { banks.blockArea }

    /// One in each bank.
    public var recordUnits: [Int] {
        let contents = FlashContents(profile.part)
        return (0..<2).map { contents.place($0 * profile.part.bankSize + DualBank<STM32Driver>.recordsStart).unit }
    }

    /// In its bank.
    public func programOffset(_ boot: STM32Boot) -> Int {
        boot.bank * profile.part.bankSize + DualBank<STM32Driver>.programStart
    }
}
