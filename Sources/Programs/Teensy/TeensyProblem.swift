import ByteTools
public import FirmwareImages

/// Why a hex file is no program for a Teensy, or not one for this board.
public enum TeensyProblem: Error, Equatable, Sendable, CustomStringConvertible {
    /// It is no hex file.
    case hex(IntelHexError)
    /// Bytes before the place of programs.
    case before(UInt32)
    /// Bytes behind the place of programs.
    case behind(UInt32, limit: Int)
    /// The file does not begin with the start of the program.
    case noStart
    /// No FlexSPI configuration block at the start.
    case noConfiguration
    /// The configuration block is for another flash.
    case flashSize(found: UInt32, expected: Int)
    /// No image vector table 4 KiB behind the start, or one that points outside.
    case noVectorTable
    /// The boot data is for another place or size.
    case bootData
    /// The descriptor says more or fewer bytes than the file has.
    case size(says: Int, has: Int)
    /// What is wrong with descriptor or hash.
    case image(ImageProblem)

    /// True for damage on the way, false for a whole file that is not for this place.
    public var isDamage: Bool {
        switch self {
        case .hex(let error): error.isDamage
        case .image(let problem): problem.isDamage
        case .size: true
        default: false
        }
    }

    /// True for a program that is larger than its place.
    public var isTooLarge: Bool {
        switch self {
        case .behind, .image(.tooLarge): true
        case .hex(let error):
            switch error.problem {
            case .tooMuchData, .tooMuchText: true
            default: false
            }
        default: false
        }
    }

    /// The reason for people.
    public var description: String {
        switch self {
        case .hex(let error): error.description
        case .before(let address):
            "the program has bytes at \(hexadecimal(address)); here programs start at"
                + " \(hexadecimal(TeensyBoard.loadAddress)), behind the boot stage"
        case .behind(let address, let limit):
            "the program reaches \(hexadecimal(address)) and beyond; its place has \(limit) bytes"
        case .noStart: "the file does not begin with the start of the program"
        case .noConfiguration: "no FlexSPI configuration block ('FCFB') stands at the start of the program"
        case .flashSize(let found, let expected):
            "the program is for a board with \(found) bytes of flash, this one has \(expected)"
        case .noVectorTable: "no image vector table of this program stands 4096 bytes behind its start"
        case .bootData: "the boot data does not say where this program lies and how long it is"
        case .size(let says, let has): "the program descriptor says \(says) bytes, the file has \(has)"
        case .image(let problem): problem.text
        }
    }

    /// What whoever builds the program can do about it; nil where the reason says enough.
    public var remedy: String? {
        let start = hexadecimal(TeensyBoard.loadAddress)
        switch self {
        case .before, .noVectorTable, .image(.loadAddress):
            return
                "move the origin of the flash in the linker script of the boards' library to \(start), and give that as"
                + " the load address"
        case .bootData:
            return
                "the boards' library has \(hexadecimal(TeensyBoard.flashAddress)) as a number in BootData"
                + " (cores/teensy4/bootdata.c), which the linker script does not move; write \(start) there as well"
        case .image(.hardware):
            return "the boards are called " + TeensyBoard.all.map { "'\($0.name)'" }.joined(separator: " and ")
        case .flashSize: return "build it for the board that --hardware names"
        default: return nil
        }
    }
}
