/// A finished piece of JSON text (RFC 8259): members stand in the order they were given, everything on one line.
///
/// ```swift
/// let result: JSONText = ["device": .string(path), "bytes": .number(count), "reason": .string(nil)]
/// print(result.text)      // {"device":"candy1.cafenet","bytes":1024,"reason":null}
/// ```
public struct JSONText: Sendable, Hashable {
    /// The text, without line end.
    public let text: String

    private init(raw text: String) { self.text = text }

    /// `null`
    public static let null = JSONText(raw: "null")

    /// `true` or `false`
    public static func bool(_ value: Bool) -> JSONText { JSONText(raw: value ? "true" : "false") }

    /// A text; `null` when there is none. Control characters are escaped, so the result is safe on a terminal.
    public static func string(_ value: String?) -> JSONText {
        guard let value else { return .null }
        return JSONText(raw: quoted(value))
    }

    /// A whole number, `null` when there is none. JavaScript reads numbers beyond ±2^53 inexactly.
    public static func number<Number: BinaryInteger>(_ value: Number?) -> JSONText {
        guard let value else { return .null }
        return JSONText(raw: String(value))
    }

    /// A number; `null` when there is none or JSON cannot express it (infinite, not a number).
    public static func number(_ value: Double?) -> JSONText {
        guard let value, value.isFinite else { return .null }
        // 2.0 would be legal as well, "2" is what people expect.
        if let whole = Int64(exactly: value), whole.magnitude < 1 << 53 { return JSONText(raw: String(whole)) }
        return JSONText(raw: value.description)
    }

    /// Seconds with three decimals at most.
    public static func seconds(_ value: Duration) -> JSONText {
        let (seconds, attoseconds) = value.components
        let milliseconds = (Double(seconds) * 1000 + Double(attoseconds) / 1e15).rounded()
        return .number(milliseconds / 1000)
    }

    /// A list on one line.
    public static func array(_ elements: [JSONText]) -> JSONText {
        JSONText(raw: "[" + elements.map(\.text).joined(separator: ",") + "]")
    }

    /// A list with one element a line, for results that people look at too.
    public static func lines(_ elements: [JSONText]) -> JSONText {
        guard !elements.isEmpty else { return array([]) }
        return JSONText(raw: "[\n  " + elements.map(\.text).joined(separator: ",\n  ") + "\n]")
    }

    /// An object with its members in the order given.
    public static func object(_ members: [(String, JSONText)]) -> JSONText {
        JSONText(raw: "{" + members.map { quoted($0.0) + ":" + $0.1.text }.joined(separator: ",") + "}")
    }

    private static func quoted(_ value: String) -> String {
        var result = "\""
        result.reserveCapacity(value.utf8.count + 2)
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case "\u{0}"..<" ", "\u{7F}"..."\u{9F}", "\u{2028}", "\u{2029}":
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}

extension JSONText: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral {
    /// A text.
    public init(stringLiteral value: String) { self = .string(value) }
    /// A whole number.
    public init(integerLiteral value: Int64) { self = .number(value) }
    /// `true` or `false`
    public init(booleanLiteral value: Bool) { self = .bool(value) }
}

extension JSONText: ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral {
    /// A list on one line.
    public init(arrayLiteral elements: JSONText...) { self = .array(elements) }
    /// An object with its members in the order written.
    public init(dictionaryLiteral members: (String, JSONText)...) { self = .object(members) }
}
