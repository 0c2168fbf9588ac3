import ByteTools
public import DeviceStorage
public import FirmwareStorage
import IOCOM
public import Programs

/// Where things lie in the flash of a Teensy 4 with the boot stage (docs/teensy.md). All offsets and sizes are multiples of a
/// sector of 4 KiB.
public struct TeensyLayout: Sendable, Equatable {
    /// The board.
    public let board: TeensyBoard
    /// Bytes of the chip.
    public let flashSize: Int
    /// Bytes at the end that stay as they are: what the boards' own software keeps there.
    public let reserved: Int
    /// Bytes of the persistent blocks.
    public let blocksSize: Int

    /// A layout; for tests also on a smaller chip.
    public init(board: TeensyBoard, flashSize: Int, reserved: Int, blocksSize: Int) {
        self.board = board
        self.flashSize = flashSize
        self.reserved = reserved
        self.blocksSize = blocksSize
    }

    /// Teensy 4.0: the top 64 KiB are the emulated EEPROM and the program of the recovery button (Teensyduino,
    /// cores/teensy4/eeprom.c).
    public static let teensy40 = TeensyLayout(
        board: .teensy40, flashSize: 2 << 20, reserved: 64 << 10, blocksSize: 88 << 10)
    /// Teensy 4.1: the top 256 KiB are.
    public static let teensy41 = TeensyLayout(
        board: .teensy41, flashSize: 8 << 20, reserved: 256 << 10, blocksSize: 376 << 10)

    /// All layouts.
    public static let all = [teensy40, teensy41]

    /// The layout of a board; nil for a board that is not known.
    public static func named(_ name: String) -> TeensyLayout? { all.first { $0.board.name == name } }

    /// First byte of the program that runs.
    public var active: Int { TeensyBoard.bootStageSize }
    /// First byte of the area where the next one is gathered.
    public var downloaded: Int { active + board.programSize }
    /// First byte of the area with the program before.
    public var backup: Int { downloaded + board.programSize }
    /// First byte of the persistent blocks.
    public var blocks: Int { backup + board.programSize }
    /// First byte of the two sectors with the records of the copy machine.
    public var records: Int { blocks + blocksSize }
    /// Everything ends before what is reserved.
    public var fits: Bool { records + 2 * NORFlash.sectorSize <= flashSize - reserved }
}

/// Why a flash is not usable.
public enum TeensyFlashError: Error, Equatable, Sendable, CustomStringConvertible {
    /// It has another size than the board's.
    case size(found: Int, expected: Int)
    /// No boot stage for this board stands at its start: it was never provisioned.
    case empty
    /// The boot stage is for another board.
    case otherBoard
    /// The flash failed.
    case flash(FlashError)
    /// The copy machine failed.
    case fault(FlashFault)
    /// The first program is not usable.
    case program(MicrocontrollerImage.Failure)
    /// No area holds a program that can be started.
    case noProgram

    /// The reason for people.
    public var description: String {
        switch self {
        case .size(let found, let expected): "the flash has \(found) bytes, this board has \(expected)"
        case .empty: "the flash holds no boot stage"
        case .otherBoard: "the boot stage in the flash is for another board"
        case .flash(let error): error.description
        case .fault(let fault): "the flash failed: \(fault.text)"
        case .program(let failure): "the first program: \(failure)"
        case .noProgram: "no area of the flash holds a whole program; the button on the board restores it"
        }
    }
}

/// The flash of a board in its areas.
public struct TeensyFlash: Sendable {
    /// The chip.
    public let device: any FlashDevice
    /// Where things lie.
    public let layout: TeensyLayout
    /// The program that runs.
    public let active: FlashRegion
    /// Where the next one is gathered.
    public let downloaded: FlashRegion
    /// The program before.
    public let backup: FlashRegion
    /// Persistent blocks.
    public let blocks: FlashRegion
    /// Records of the copy machine.
    public let records: FlashRegion
    private let remembering: RememberingFlash

    private init(areas chip: any FlashDevice, _ layout: TeensyLayout) throws(TeensyFlashError) {
        guard chip.size == layout.flashSize, layout.fits else {
            throw .size(found: chip.size, expected: layout.flashSize)
        }
        let device = RememberingFlash(chip)
        remembering = device
        func region(_ offset: Int, _ size: Int) throws(FlashError) -> FlashRegion {
            try FlashRegion(device, offset: offset, size: size)
        }
        do throws(FlashError) {
            active = try region(layout.active, layout.board.programSize)
            downloaded = try region(layout.downloaded, layout.board.programSize)
            backup = try region(layout.backup, layout.board.programSize)
            blocks = try region(layout.blocks, layout.blocksSize)
            records = try region(layout.records, 2 * NORFlash.sectorSize)
        } catch { throw .flash(error) }
        self.device = device
        self.layout = layout
    }

    /// The areas of a flash that was provisioned.
    public init(_ device: any FlashDevice, _ layout: TeensyLayout) throws(TeensyFlashError) {
        try self.init(areas: device, layout)
        let start: [UInt8]
        do { start = try device.read(at: 0, count: 512) } catch { throw .flash(error) }
        guard start.starts(with: "FCFB".utf8) else { throw .empty }
        guard start == Self.bootStage(layout.board) else { throw .otherBoard }
    }

    /// What stands at the start of the flash: the configuration block with which the boot ROM reads the chip. The code of the
    /// boot stage behind it is not emulated: ``TeensyBootStage`` is what it does.
    private static func bootStage(_ board: TeensyBoard) -> [UInt8] { TeensyImageBuilder.configuration(board) }

    /// What the factory does: erases all but what is reserved, writes the first program, and the boot stage last, so that a
    /// flash with one is a whole one.
    public static func provision(
        _ device: any FlashDevice, _ layout: TeensyLayout, program: [UInt8]
    ) throws(TeensyFlashError) -> TeensyFlash {
        let flash = try TeensyFlash(areas: device, layout)
        do { _ = try MicrocontrollerImage(checking: ArraySource(program), for: layout.board.target(ShortText())) } catch
        {
            throw .program(error)
        }
        do throws(FlashError) {
            for sector in stride(from: 0, to: layout.flashSize - layout.reserved, by: NORFlash.sectorSize) {
                try device.eraseSector(at: sector)
            }
            try flash.active.write(at: 0, program)
            try device.sync()
            try device.write(at: 0, bootStage(layout.board))
            try device.sync()
        } catch { throw .flash(error) }
        return flash
    }

    /// The copy machine over the areas.
    func copy(_ application: ShortText<15> = ShortText()) throws(FlashFault) -> AreaCopy<FlashRegion> {
        try AreaCopy(
            active: active, downloaded: downloaded, backup: backup, records: records,
            target: layout.board.target(application))
    }

    /// A fault of the copy machine, with what the flash itself said of it.
    func error(_ fault: FlashFault) -> TeensyFlashError {
        if case .hardware = fault, let failure = remembering.failure { return .flash(failure) }
        return .fault(fault)
    }

    /// The program at the start of an area.
    public func image(in area: FlashRegion) throws(MicrocontrollerImage.Failure) -> MicrocontrollerImage {
        try MicrocontrollerImage(checking: area, for: layout.board.target(ShortText()), mayBeFollowed: true)
    }
}
