/// Reads JSON text (RFC 8259, strictly).
struct JSONTextReader {
    private let bytes: [UInt8]
    private let limits: JSONLimits
    private var position = 0
    private var items = 0

    init(_ bytes: [UInt8], _ limits: JSONLimits) {
        self.bytes = bytes
        self.limits = limits
    }

    mutating func document() throws(JSONTextError) -> JSON {
        guard bytes.count <= limits.bytes else { throw error(.tooLong(limit: limits.bytes)) }
        // RFC 8259 section 8.1 lets a reader ignore the mark that some editors put in front.
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
        skipSpace()
        let json = try value(depth: 1)
        skipSpace()
        guard position == bytes.count else { throw error(.textAfterDocument) }
        return json
    }

    // MARK: Values

    private mutating func value(depth: Int) throws(JSONTextError) -> JSON {
        items += 1
        guard items <= limits.items else { throw error(.tooManyItems(limit: limits.items)) }
        guard let byte = peek else { throw error(.unexpectedEnd) }
        switch byte {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "+"), UInt8(ascii: "."): throw error(.badNumber)
        default: throw error(.expected("a value"))
        }
    }

    private mutating func object(depth: Int) throws(JSONTextError) -> JSON {
        guard depth <= limits.depth else { throw error(.tooDeep(limit: limits.depth)) }
        position += 1
        skipSpace()
        var members: [JSON.Member] = []
        if take("}") { return .object(members) }
        while true {
            guard let byte = peek else { throw error(.unexpectedEnd) }
            guard byte == UInt8(ascii: "\"") else { throw error(.expected("a name in quotes")) }
            let name = try string()
            skipSpace()
            try require(":", "':'")
            skipSpace()
            members.append(JSON.Member(name, try value(depth: depth + 1)))
            skipSpace()
            if take("}") { return .object(members) }
            try require(",", "',' or '}'")
            skipSpace()
        }
    }

    private mutating func array(depth: Int) throws(JSONTextError) -> JSON {
        guard depth <= limits.depth else { throw error(.tooDeep(limit: limits.depth)) }
        position += 1
        skipSpace()
        var elements: [JSON] = []
        if take("]") { return .array(elements) }
        while true {
            elements.append(try value(depth: depth + 1))
            skipSpace()
            if take("]") { return .array(elements) }
            try require(",", "',' or ']'")
            skipSpace()
        }
    }

    private mutating func word(_ word: String, _ json: JSON) throws(JSONTextError) -> JSON {
        guard bytes[position...].starts(with: word.utf8) else { throw error(.expected("a value")) }
        position += word.utf8.count
        return json
    }

    // MARK: Numbers

    private mutating func number() throws(JSONTextError) -> JSON {
        let start = position
        _ = take("-")
        let whole = digits()
        guard whole > 0, whole == 1 || bytes[position - whole] != UInt8(ascii: "0") else {
            throw error(.badNumber, at: start)
        }
        var isInteger = true
        if take(".") {
            isInteger = false
            guard digits() > 0 else { throw error(.badNumber, at: start) }
        }
        if take("e") || take("E") {
            isInteger = false
            if !take("+") { _ = take("-") }
            guard digits() > 0 else { throw error(.badNumber, at: start) }
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isInteger, let value = Int64(text) { return .integer(value) }
        guard let value = Double(text), value.isFinite else { throw error(.numberOutOfRange, at: start) }
        return .number(value)
    }

    private mutating func digits() -> Int {
        let start = position
        while let byte = peek, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { position += 1 }
        return position - start
    }

    // MARK: Strings

    private mutating func string() throws(JSONTextError) -> String {
        position += 1
        var text: [UInt8] = []
        var runStart = position
        while let byte = peek {
            switch byte {
            case UInt8(ascii: "\""):
                text.append(contentsOf: bytes[runStart..<position])
                guard let string = String(validating: text, as: UTF8.self) else {
                    throw error(.notUTF8, at: runStart)
                }
                position += 1
                return string
            case UInt8(ascii: "\\"):
                text.append(contentsOf: bytes[runStart..<position])
                try escape(into: &text)
                runStart = position
            case 0..<0x20:
                throw error(.controlCharacter)
            default:
                position += 1
            }
        }
        throw error(.unexpectedEnd)
    }

    private mutating func escape(into text: inout [UInt8]) throws(JSONTextError) {
        let start = position
        position += 1
        guard let byte = peek else { throw error(.unexpectedEnd) }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"): text.append(contentsOf: try codePoint(start).utf8)
        default: throw error(.badEscape, at: start)
        }
    }

    private mutating func codePoint(_ start: Int) throws(JSONTextError) -> String {
        let first = try hexadecimal(start)
        if let scalar = Unicode.Scalar(first) { return String(Character(scalar)) }
        guard first < 0xDC00, take("\\") else { throw error(.loneSurrogate, at: start) }
        guard take("u") else { throw error(.loneSurrogate, at: start) }
        let second = try hexadecimal(start)
        guard second >= 0xDC00, second <= 0xDFFF,
            let scalar = Unicode.Scalar(0x10000 + ((UInt32(first) & 0x3FF) << 10) + (UInt32(second) & 0x3FF))
        else { throw error(.loneSurrogate, at: start) }
        return String(Character(scalar))
    }

    private mutating func hexadecimal(_ start: Int) throws(JSONTextError) -> UInt16 {
        guard bytes.count - position >= 4 else { throw error(.badEscape, at: start) }
        var value: UInt16 = 0
        for byte in bytes[position..<position + 4] {
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
            default: throw error(.badEscape, at: start)
            }
            value = value << 4 | UInt16(digit)
        }
        position += 4
        return value
    }

    // MARK: Bytes

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = peek, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { position += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard peek == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func require(_ character: Unicode.Scalar, _ name: String) throws(JSONTextError) {
        guard position < bytes.count else { throw error(.unexpectedEnd) }
        guard take(character) else { throw error(.expected(name)) }
    }

    private func error(_ reason: JSONTextError.Reason, at place: Int? = nil) -> JSONTextError {
        let before = bytes[..<min(place ?? position, bytes.count)]
        let line = 1 + before.reduce(0) { $1 == 0x0A ? $0 + 1 : $0 }
        let lineStart = before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
        return JSONTextError(reason, line: line, column: before.count - lineStart + 1)
    }
}

extension JSON {
    /// Reads one JSON document (RFC 8259, strictly; a byte order mark in front is skipped).
    ///
    /// Integers that fit 64 bits become ``integer(_:)``, all other numbers ``number(_:)``. Repeated keys are kept.
    /// - Throws: what is wrong and where; also when the document is larger than `limits` allow.
    public init(parsing bytes: some Sequence<UInt8>, limits: JSONLimits = .standard) throws(JSONTextError) {
        var reader = JSONTextReader(Array(bytes), limits)
        self = try reader.document()
    }

    /// Reads one JSON document from a string; see ``init(parsing:limits:)-(Sequence<UInt8>,_)``.
    public init(parsing text: String, limits: JSONLimits = .standard) throws(JSONTextError) {
        try self.init(parsing: text.utf8, limits: limits)
    }
}
