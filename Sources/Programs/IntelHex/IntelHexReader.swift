/// Consecutive bytes out of an Intel HEX file.
public struct IntelHexRun: Equatable, Sendable {
    /// Address of the first byte.
    public let address: UInt32
    /// The bytes; they never pass the end of the address space.
    public fileprivate(set) var bytes: [UInt8]
    /// Line they start in.
    public let line: Int
    /// True when some of these places had bytes before; only where overlaps are not refused.
    public let overlaps: Bool

    fileprivate var end: UInt64 { UInt64(address) + UInt64(bytes.count) }
}

/// Where a program starts (record types 03 and 05).
public enum IntelHexStart: Equatable, Sendable {
    /// Code segment and instruction pointer of an 8086.
    case segmented(segment: UInt16, pointer: UInt16)
    /// A 32-bit address.
    case linear(UInt32)
}

/// Reads an Intel HEX file as it arrives, in pieces of any size.
///
/// (Intel, Hexadecimal Object File Format Specification, revision A, 1988.) All record types are known: 00 data, 01 end, 02
/// and 04 bases of addresses, 03 and 05 start addresses. Behind a base of type 02 the address of a byte wraps at the end of
/// the segment of 64 KiB; behind one of type 04 it goes on, and wraps at 4 GiB only. Digits may be of either case, lines end
/// with CR, LF or both, blank lines and blanks at the end of a line are passed over.
///
/// Refused, with the number of the line: a wrong checksum or length, unknown types, text outside of records, bytes twice for
/// one address (srec_cat takes them with a warning when they are the same; a reader that hands bytes on and keeps none can't
/// tell; ``IntelHexImage`` can), a second start address, anything behind the end record, and no end record: a file without
/// one may have been cut off. The reader holds one record and the list of areas that it saw.
public struct IntelHexReader: Sendable {
    /// What becomes of bytes for a place that has some.
    public enum Overlaps: Sendable {
        /// They are an error.
        case refused
        /// They are handed on, marked as such.
        case marked
    }

    /// Longest record in bytes: length, address, type, 255 data bytes, checksum.
    static let longestRecord = 260

    private enum Place {
        case lineStart
        case digits
        case blanks
    }

    private enum Base {
        case segment(UInt32)
        case linear(UInt32)
    }

    private let limits: IntelHexLimits
    private let overlaps: Overlaps
    private var place = Place.lineStart
    private var highDigit: UInt8?
    private var record: [UInt8] = []
    private var lastWasCR = false
    private var base = Base.linear(0)
    private var areas = AddressAreas()
    /// Number of the line that is being read, from 1.
    public private(set) var line = 1
    /// Bytes of text so far.
    public private(set) var textCount = 0
    /// Bytes of data so far.
    public private(set) var dataCount = 0
    /// Where the program starts; nil when the file did not say so yet.
    public private(set) var start: IntelHexStart?
    /// True when the end record was read.
    public private(set) var hasEnded = false

    /// A reader at the beginning of a file.
    public init(limits: IntelHexLimits = IntelHexLimits(), overlaps: Overlaps = .refused) {
        self.limits = limits
        self.overlaps = overlaps
        record.reserveCapacity(Self.longestRecord)
    }

    /// Lowest and highest address that has a byte; nil when there is none.
    public var span: ClosedRange<UInt32>? { areas.span }

    /// Takes the next bytes of the text and gives the data in them, joined where it is consecutive. After an error the
    /// reader is of no more use.
    public mutating func feed(_ text: some Sequence<UInt8>) throws(IntelHexError) -> [IntelHexRun] {
        var runs: [IntelHexRun] = []
        for byte in text {
            textCount += 1
            guard textCount <= limits.text else { throw IntelHexError(line, .tooMuchText(limit: limits.text)) }
            if byte == 0x0A || byte == 0x0D {
                // The second half of CR LF.
                if byte == 0x0A && lastWasCR {
                    lastWasCR = false
                    continue
                }
                try endLine(&runs)
                lastWasCR = byte == 0x0D
            } else {
                lastWasCR = false
                try take(byte)
            }
        }
        return runs
    }

    /// Says that the text is complete. A last line without a line end counts.
    public mutating func finish() throws(IntelHexError) -> [IntelHexRun] {
        var runs: [IntelHexRun] = []
        if case .lineStart = place {} else { try endLine(&runs) }
        guard hasEnded else { throw IntelHexError(line, .noEnd) }
        return runs
    }

    private mutating func take(_ byte: UInt8) throws(IntelHexError) {
        let isBlank = byte == 0x20 || byte == 0x09
        switch place {
        case .lineStart:
            guard !isBlank else { return }
            guard !hasEnded else { throw IntelHexError(line, .afterEnd) }
            guard byte == UInt8(ascii: ":") else { throw IntelHexError(line, .notARecord(byte)) }
            place = .digits
        case .digits:
            if isBlank {
                place = .blanks
                return
            }
            guard let digit = Self.value(byte) else { throw IntelHexError(line, .notADigit(byte)) }
            guard let high = highDigit else {
                highDigit = digit
                return
            }
            highDigit = nil
            record.append(high << 4 | digit)
            let says = Int(record[0])
            guard record.count <= says + 5 else { throw IntelHexError(line, .length(says: says, has: says + 1)) }
        case .blanks:
            guard isBlank else { throw IntelHexError(line, .notADigit(byte)) }
        }
    }

    private static func value(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        default: nil
        }
    }

    private mutating func endLine(_ runs: inout [IntelHexRun]) throws(IntelHexError) {
        if case .lineStart = place {
            line += 1
            return
        }
        guard highDigit == nil, record.count >= 5 else { throw IntelHexError(line, .cutOff) }
        guard record.count == Int(record[0]) + 5 else {
            throw IntelHexError(line, .length(says: Int(record[0]), has: record.count - 5))
        }
        let sum = record.dropLast().reduce(0, &+)
        guard record[record.count - 1] == 0 &- sum else {
            throw IntelHexError(line, .checksum(found: record[record.count - 1], expected: 0 &- sum))
        }
        try interpret(&runs)
        record.removeAll(keepingCapacity: true)
        place = .lineStart
        line += 1
    }

    private mutating func interpret(_ runs: inout [IntelHexRun]) throws(IntelHexError) {
        let type = record[3]
        let size = Int(record[0])
        let wanted: Int? =
            switch type {
            case 0: nil
            case 1: 0
            case 2, 4: 2
            case 3, 5: 4
            default: throw IntelHexError(line, .type(type))
            }
        if let wanted, wanted != size { throw IntelHexError(line, .sizeOfType(type, size)) }
        func half(_ place: Int) -> UInt16 { UInt16(record[place]) << 8 | UInt16(record[place + 1]) }
        switch type {
        case 0: try data(half(1), size, &runs)
        case 1: hasEnded = true
        case 2: base = .segment(UInt32(half(4)) << 4)
        case 4: base = .linear(UInt32(half(4)) << 16)
        default:
            guard start == nil else { throw IntelHexError(line, .secondStart) }
            start =
                type == 3
                ? .segmented(segment: half(4), pointer: half(6)) : .linear(UInt32(half(4)) << 16 | UInt32(half(6)))
        }
    }

    /// The bytes of a data record; those behind a wrap are an area of their own.
    private mutating func data(_ offset: UInt16, _ size: Int, _ runs: inout [IntelHexRun]) throws(IntelHexError) {
        dataCount += size
        guard dataCount <= limits.data else { throw IntelHexError(line, .tooMuchData(limit: limits.data)) }
        let first: UInt32
        let second: UInt32
        let room: Int
        switch base {
        case .segment(let base):
            first = base + UInt32(offset)
            second = base
            room = 0x10000 - Int(offset)
        case .linear(let base):
            first = base + UInt32(offset)
            second = 0
            room = Int(min(UInt64(1) << 32 - UInt64(first), 256))
        }
        let fitting = min(size, room)
        try add(first, record[4..<4 + fitting], &runs)
        try add(second, record[(4 + fitting)..<(4 + size)], &runs)
    }

    private mutating func add(
        _ address: UInt32, _ bytes: ArraySlice<UInt8>, _ runs: inout [IntelHexRun]
    ) throws(IntelHexError) {
        guard !bytes.isEmpty else { return }
        let hit = areas.insert(address, bytes.count)
        if let hit, overlaps == .refused { throw IntelHexError(line, .overlap(hit)) }
        guard areas.count <= limits.areas else { throw IntelHexError(line, .tooManyAreas(limit: limits.areas)) }
        if let last = runs.last, last.end == UInt64(address), last.overlaps == (hit != nil) {
            runs[runs.count - 1].bytes += bytes
        } else {
            runs.append(IntelHexRun(address: address, bytes: Array(bytes), line: line, overlaps: hit != nil))
        }
    }
}

/// The addresses that have bytes: areas that do not touch each other, in order.
struct AddressAreas: Sendable {
    /// From the first byte up to behind the last one.
    private var areas: [Range<UInt64>] = []

    var count: Int { areas.count }

    var span: ClosedRange<UInt32>? {
        guard let first = areas.first, let last = areas.last else { return nil }
        return UInt32(first.lowerBound)...UInt32(last.upperBound - 1)
    }

    /// Adds `count` bytes, at least one, that end within the address space; gives the first address that was there already.
    mutating func insert(_ address: UInt32, _ count: Int) -> UInt32? {
        let new = UInt64(address)..<UInt64(address) + UInt64(count)
        // Files in order only ever lengthen the last area.
        if let last = areas.last, last.upperBound == new.lowerBound {
            areas[areas.count - 1] = last.lowerBound..<new.upperBound
            return nil
        }
        // The first area that ends at or behind the new one's start.
        var low = 0
        var high = areas.count
        while low < high {
            let middle = (low + high) / 2
            if areas[middle].upperBound < new.lowerBound { low = middle + 1 } else { high = middle }
        }
        var joined = new
        var hit: UInt64?
        var end = low
        while end < areas.count, areas[end].lowerBound <= new.upperBound {
            let area = areas[end]
            if area.overlaps(new) { hit = hit ?? max(area.lowerBound, new.lowerBound) }
            joined = min(joined.lowerBound, area.lowerBound)..<max(joined.upperBound, area.upperBound)
            end += 1
        }
        areas.replaceSubrange(low..<end, with: CollectionOfOne(joined))
        return hit.map { UInt32($0) }
    }
}
