public import FirmwareImages
public import IOCOM

/// A Teensy 4 board: an i.MX RT1062 that runs its program from a serial flash at 0x60000000.
///
/// Programs of ours do not start at the start of the flash, where the boot stage lies (docs/teensy.md), but behind it.
public struct TeensyBoard: Sendable, Equatable {
    /// Name for `--hardware`, hardware as `si_hw` and package names have it, and as program descriptors have it.
    public let name: String
    /// Bytes of the flash, as the FlexSPI configuration block of programs for the board says them.
    public let flashSize: Int
    /// Bytes that a program may have.
    public let programSize: Int

    /// A board.
    public init(name: String, flashSize: Int, programSize: Int) {
        self.name = name
        self.flashSize = flashSize
        self.programSize = programSize
    }

    /// Operating system as `si_os` and package names have it.
    public static let os = "teensy"
    /// Where the flash is in the address space (i.MX RT1060 reference manual, memory map: FlexSPI).
    public static let flashAddress: UInt32 = 0x6000_0000
    /// Bytes of the boot stage at the start of the flash.
    public static let bootStageSize = 0x1_0000
    /// Address of the first byte of every program.
    public static let loadAddress = flashAddress + UInt32(bootStageSize)

    /// Teensy 4.0: 2 MiB (pjrc.com/store/teensy40.html).
    public static let teensy40 = TeensyBoard(name: "teensy40", flashSize: 2 << 20, programSize: 608 << 10)
    /// Teensy 4.1: 8 MiB (pjrc.com/store/teensy41.html).
    public static let teensy41 = TeensyBoard(name: "teensy41", flashSize: 8 << 20, programSize: 2496 << 10)

    /// All boards.
    public static let all = [teensy40, teensy41]

    /// The board with a name; nil when there is none.
    public static func named(_ name: String) -> TeensyBoard? { all.first { $0.name == name } }
}

extension TeensyBoard {
    /// What a program has to be for this board; an empty application takes any.
    public func target(_ application: ShortText<15>) -> ImageTarget {
        ImageTarget(
            application: application, os: ShortText(Self.os) ?? ShortText(), hardware: ShortText(name) ?? ShortText(),
            largest: UInt32(programSize), loadAddress: Self.loadAddress)
    }
}
