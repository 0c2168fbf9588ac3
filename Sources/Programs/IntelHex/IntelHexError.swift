import ByteTools

/// Why a text is no Intel HEX file, and in which line.
public struct IntelHexError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What is wrong.
    public enum Problem: Equatable, Sendable {
        /// A line starts with something else than `:`.
        case notARecord(UInt8)
        /// Something else than a hexadecimal digit inside of a record.
        case notADigit(UInt8)
        /// A record ends within a byte or before its checksum.
        case cutOff
        /// A record has another number of data bytes than it says.
        case length(says: Int, has: Int)
        /// The bytes of a record do not add up to 0.
        case checksum(found: UInt8, expected: UInt8)
        /// No such record type.
        case type(UInt8)
        /// A record of this type has another number of data bytes.
        case sizeOfType(UInt8, Int)
        /// Bytes for a place that has some already.
        case overlap(UInt32)
        /// Other bytes for a place that has some already.
        case contradiction(UInt32, was: UInt8, is: UInt8)
        /// A second start address.
        case secondStart
        /// Something follows the end record.
        case afterEnd
        /// The text ends without an end record.
        case noEnd
        /// More data than `limit` bytes.
        case tooMuchData(limit: Int)
        /// More text than `limit` bytes.
        case tooMuchText(limit: Int)
        /// More separate areas than `limit`.
        case tooManyAreas(limit: Int)
    }

    /// Number of the line, from 1.
    public let line: Int
    /// What is wrong.
    public let problem: Problem

    /// An error in a line.
    public init(_ line: Int, _ problem: Problem) {
        self.line = line
        self.problem = problem
    }

    /// True for what a damaged transfer looks like, false for a file that was made this way.
    public var isDamage: Bool {
        switch problem {
        case .notARecord, .notADigit, .cutOff, .length, .checksum, .noEnd: true
        default: false
        }
    }

    /// The reason for people.
    public var description: String { "line \(line) of the hex file: \(reason)" }

    private var reason: String {
        switch problem {
        case .notARecord(let byte): "a record starts with ':', not with \(hexadecimal(byte))"
        case .notADigit(let byte): "\(hexadecimal(byte)) is not a hexadecimal digit"
        case .cutOff: "the record is cut off"
        case .length(let says, let has): "the record says \(says) data bytes and has \(has)"
        case .checksum(let found, let expected):
            "the checksum is \(hexadecimal(found)), the bytes give \(hexadecimal(expected))"
        case .type(let type): "record type \(hexadecimal(type)) is not known"
        case .sizeOfType(let type, let size): "a record of type \(hexadecimal(type)) can't have \(size) data bytes"
        case .overlap(let address): "there are bytes for address \(hexadecimal(address)) already"
        case .contradiction(let address, let was, let byte):
            "address \(hexadecimal(address)) is \(hexadecimal(was)) already and \(hexadecimal(byte)) here"
        case .secondStart: "there is a start address already"
        case .afterEnd: "something follows the end record"
        case .noEnd: "the file ends without an end record"
        case .tooMuchData(let limit): "more than \(limit) bytes of data"
        case .tooMuchText(let limit): "more than \(limit) bytes of text"
        case .tooManyAreas(let limit): "more than \(limit) areas that are apart"
        }
    }
}

/// How much an Intel HEX file may hold.
public struct IntelHexLimits: Sendable, Equatable {
    /// Bytes of data. 16 MiB is the largest program image.
    public var data: Int
    /// Bytes of text. 96 MiB is what 16 MiB take in lines of 4 bytes.
    public var text: Int
    /// Areas that are apart while the file is read: what a reader has to remember for telling overlaps.
    public var areas: Int

    /// Limits; without arguments those of program packages.
    public init(data: Int = 16 << 20, text: Int = 96 << 20, areas: Int = 4096) {
        self.data = data
        self.text = text
        self.areas = areas
    }
}
