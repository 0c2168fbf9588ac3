public import FirmwareImages
public import FirmwareStorage

/// What lies where in a part with one bank and the sectors of an STM32F405 with 1 MiB (docs/stm32.md): boot check, records,
/// data, and three areas for programs of 256 KiB each.
public struct FiveAreas<Controller: FlashController> {
    /// Bytes of the boot check at the start: two sectors. It is written once, in production, and never again.
    public static var bootCheckSize: Int { 32 << 10 }
    /// Where records begin: two sectors of 16 KiB.
    public static var recordsStart: Int { 32 << 10 }
    /// Where persistent blocks begin: a sector of 64 KiB, and as much of one of 128.
    public static var blocksStart: Int { 64 << 10 }
    /// Where the program that runs begins; then come the downloaded one and the backup.
    public static var programStart: Int { 256 << 10 }
    /// Bytes of each area for a program: two sectors.
    public static var programSize: Int { 256 << 10 }
    /// The address that programs are linked for.
    public static var loadAddress: UInt32 { 0x0800_0000 + UInt32(truncatingIfNeeded: programStart) }

    /// The flash controller.
    public let controller: Controller
    private let target: ImageTarget

    /// The areas behind a controller; `target` is what a program has to be to run here. Its place is filled in.
    public init(_ controller: Controller, for target: ImageTarget) {
        self.controller = controller
        var target = target
        target.loadAddress = Self.loadAddress
        target.largest = UInt32(truncatingIfNeeded: Self.programSize)
        self.target = target
    }

    /// What a program has to be.
    public var imageTarget: ImageTarget { target }

    private func area(_ start: Int, _ length: Int) -> BankArea<Controller> {
        BankArea(controller, bank: 0, start: start, length: length)
    }

    /// Place of the program that runs.
    public var active: BankArea<Controller> { area(Self.programStart, Self.programSize) }
    /// Place of the program that ran before.
    public var backup: BankArea<Controller> { area(Self.programStart + 2 * Self.programSize, Self.programSize) }
    /// Place of the persistent blocks.
    public var blockArea: BankArea<Controller> { area(Self.blocksStart, 128 << 10) }

    /// The machine that copies between the areas: what the boot check calls after each reset, and what a program installs
    /// through.
    public func copy() throws(FlashFault) -> AreaCopy<BankArea<Controller>> {
        try AreaCopy(
            active: active, downloaded: area(Self.programStart + Self.programSize, Self.programSize), backup: backup,
            records: area(Self.recordsStart, Self.blocksStart - Self.recordsStart), target: target)
    }
}

extension FiveAreas: Sendable where Controller: Sendable {}
