internal import IOCOM

extension JSON {
    /// Unpacks a packed document (application-layer.md, section 5); bytes behind its checksum are ignored.
    ///
    /// Safe on any bytes. Texts that are not UTF-8 get replacement characters.
    /// - Throws: why these are not packed JSON, or which of `limits` they exceed.
    public init(unpacking bytes: RawSpan, limits: JSONLimits = .standard) throws(UnpackingError) {
        let container = try PackedContainer(bytes, limits)
        var decoder = PackedDecoder(container, limits)
        self = .object(try decoder.members(bytes, depth: 1))
    }

    /// Unpacks an array; see ``init(unpacking:limits:)-(RawSpan,_)``.
    public init(unpacking bytes: [UInt8], limits: JSONLimits = .standard) throws(UnpackingError) {
        try self.init(unpacking: bytes.span.bytes, limits: limits)
    }
}

/// Where the parts of a packed document lie (application-layer.md 5.1); the checksum has been verified.
struct PackedContainer {
    let dictionary: Range<Int>
    let content: Range<Int>
    /// Bytes of the document with its checksum.
    let byteCount: Int

    init(_ bytes: RawSpan, _ limits: JSONLimits) throws(UnpackingError) {
        var offset = 0
        dictionary = try Self.part(bytes, &offset, limits)
        content = try Self.part(bytes, &offset, limits)
        guard bytes.byteCount - offset >= 2 else { throw .truncated }
        byteCount = offset + 2
        guard byteCount <= limits.bytes else { throw .tooLong(limit: limits.bytes) }
        let stored =
            UInt16(bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self))
            | UInt16(bytes.unsafeLoad(fromByteOffset: offset + 1, as: UInt8.self)) << 8
        let computed = CRC16.of(bytes.extracting(0..<offset))
        guard stored == computed else { throw .checksum(stored: stored, computed: computed) }
    }

    private static func part(
        _ bytes: RawSpan, _ offset: inout Int, _ limits: JSONLimits
    ) throws(UnpackingError) -> Range<Int> {
        let start = offset
        let size: Int64
        do { size = try PackedInteger.decode(bytes, offset: &offset) } catch {
            throw error == .truncated ? .truncated : .badInteger(offset: start)
        }
        guard size >= 0 else { throw .badInteger(offset: start) }
        guard size <= bytes.byteCount - offset else { throw .truncated }
        defer { offset += Int(size) }
        return offset..<offset + Int(size)
    }
}

/// Reads the content of one document. The document's bytes are lent to each step, so that nothing is copied.
private struct PackedDecoder {
    private let container: PackedContainer
    private let limits: JSONLimits
    private var offset: Int
    private var items = 0
    private var textBytes = 0
    private var texts: [Int64: String] = [:]

    init(_ container: PackedContainer, _ limits: JSONLimits) {
        self.container = container
        self.limits = limits
        offset = container.content.lowerBound
    }

    /// Everything up to the end of the enclosing object, or of the content at depth 1.
    mutating func members(_ bytes: RawSpan, depth: Int) throws(UnpackingError) -> [JSON.Member] {
        guard depth <= limits.depth else { throw .tooDeep(limit: limits.depth) }
        var members: [JSON.Member] = []
        while true {
            if offset == container.content.upperBound {
                guard depth == 1 else { throw .unbalanced(offset: place) }
                return members
            }
            let start = place
            let (tag, code) = try item(bytes)
            switch code {
            case .endObject:
                guard depth > 1 else { throw .unbalanced(offset: start) }
                return members
            case .endArray: throw .unbalanced(offset: start)
            default:
                let name = try text(bytes, tag)
                members.append(JSON.Member(name, try value(bytes, code, depth: depth)))
            }
        }
    }

    private mutating func elements(_ bytes: RawSpan, depth: Int) throws(UnpackingError) -> [JSON] {
        guard depth <= limits.depth else { throw .tooDeep(limit: limits.depth) }
        var elements: [JSON] = []
        while true {
            let start = place
            guard offset < container.content.upperBound else { throw .unbalanced(offset: start) }
            let (_, code) = try item(bytes)
            switch code {
            case .endArray: return elements
            case .endObject: throw .unbalanced(offset: start)
            default: elements.append(try value(bytes, code, depth: depth))
            }
        }
    }

    private mutating func value(_ bytes: RawSpan, _ code: ItemCode, depth: Int) throws(UnpackingError) -> JSON {
        items += 1
        guard items <= limits.items else { throw .tooManyItems(limit: limits.items) }
        return switch code {
        case .startObject: .object(try members(bytes, depth: depth + 1))
        case .startArray: .array(try elements(bytes, depth: depth + 1))
        case .emptyString: .string("")
        case .string: .string(try text(bytes, try integer(bytes)))
        case .zero: .integer(0)
        case .one: .integer(1)
        case .integer: .integer(try integer(bytes))
        case .float: .number(try float(bytes))
        case .null: .null
        case .true: .bool(true)
        case .false: .bool(false)
        case .endObject, .endArray: throw .unbalanced(offset: place)
        }
    }

    // MARK: Pieces

    /// Offset in the content, for errors.
    private var place: Int { offset - container.content.lowerBound }

    private mutating func item(_ bytes: RawSpan) throws(UnpackingError) -> (tag: Int64, code: ItemCode) {
        let start = place
        let value = try integer(bytes)
        guard value >= 0, let code = ItemCode(rawValue: value & 15) else { throw .badItem(offset: start) }
        return (value >> 4, code)
    }

    private mutating func integer(_ bytes: RawSpan) throws(UnpackingError) -> Int64 {
        let start = place
        do {
            // Cut off behind the content, so that a number cannot reach into the checksum.
            return try PackedInteger.decode(bytes.extracting(first: container.content.upperBound), offset: &offset)
        } catch {
            throw error == .truncated ? .truncated : .badInteger(offset: start)
        }
    }

    private mutating func float(_ bytes: RawSpan) throws(UnpackingError) -> Double {
        let start = place
        let mantissa = try integer(bytes)
        guard mantissa != 0 else { return 0 }
        let exponent = try integer(bytes)
        guard exponent <= 127 else { throw .badFloat(offset: start) }
        // The original writes denormal values, which have no normalised form, with exponent -127.
        guard exponent >= -126 else { return 0 }
        let magnitude = mantissa.magnitude
        let highest = UInt64(63 - magnitude.leadingZeroBitCount)
        let significand = highest > 23 ? magnitude >> (highest - 23) : magnitude << (23 - highest)
        let value = Float(
            sign: mantissa < 0 ? .minus : .plus, exponentBitPattern: UInt(exponent + 127),
            significandBitPattern: UInt32(truncatingIfNeeded: significand) & 0x7F_FFFF)
        return Self.shortest(value)
    }

    /// The 64 bit number that people would write for a 32 bit one: 0.1 and not 0.10000000149011612.
    private static func shortest(_ value: Float) -> Double {
        guard let short = Double(value.description), Float(short) == value else { return Double(value) }
        return short
    }

    private mutating func text(_ bytes: RawSpan, _ reference: Int64) throws(UnpackingError) -> String {
        let text = try lookUp(bytes, reference)
        let (sum, overflow) = textBytes.addingReportingOverflow(text.utf8.count)
        guard !overflow, sum <= limits.textBytes else { throw .tooMuchText(limit: limits.textBytes) }
        textBytes = sum
        return text
    }

    private mutating func lookUp(_ bytes: RawSpan, _ reference: Int64) throws(UnpackingError) -> String {
        if reference >= 0, reference < Int64(StaticDictionary.texts.count) {
            return StaticDictionary.texts[Int(reference)]
        }
        if let known = texts[reference] { return known }
        guard reference >= Int64(StaticDictionary.base),
            reference - Int64(StaticDictionary.base) < Int64(container.dictionary.count)
        else { throw .badReference(reference) }
        let offset = Int(reference) - StaticDictionary.base
        // Only starts of entries: otherwise every suffix of a long text would become a string of its own.
        guard offset == 0 || byte(bytes, offset - 1) == 0 else { throw .badReference(reference) }
        var end = offset
        while end < container.dictionary.count, byte(bytes, end) != 0 { end += 1 }
        guard end < container.dictionary.count else { throw .badReference(reference) }
        let start = container.dictionary.lowerBound + offset
        let text = bytes.extracting(start..<container.dictionary.lowerBound + end).withUnsafeBytes {
            String(decoding: $0, as: UTF8.self)
        }
        texts[reference] = text
        return text
    }

    private func byte(_ bytes: RawSpan, _ offset: Int) -> UInt8 {
        bytes.unsafeLoad(fromByteOffset: container.dictionary.lowerBound + offset, as: UInt8.self)
    }
}
