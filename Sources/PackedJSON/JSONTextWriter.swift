extension JSON {
    /// The document as text on one line without spaces.
    ///
    /// Numbers that JSON cannot express (infinity, not a number) are written as `null`.
    public var compactText: String { text(indent: nil) }

    /// The document as text for people: one member a line, two spaces a level, a newline at the end.
    public var prettyText: String { text(indent: 2) + "\n" }

    private func text(indent: Int?) -> String {
        var writer = JSONTextWriter(indent: indent)
        writer.write(self, level: 0)
        return String(decoding: writer.output, as: UTF8.self)
    }
}

/// Appends JSON text to a buffer of UTF-8.
private struct JSONTextWriter {
    let indent: Int?
    var output: [UInt8] = []

    init(indent: Int?) { self.indent = indent }

    mutating func write(_ json: JSON, level: Int) {
        switch json {
        case .null: append("null")
        case .bool(let value): append(value ? "true" : "false")
        case .integer(let value): append(String(value))
        case .number(let value): append(value.isFinite ? String(value) : "null")
        case .string(let text): quote(text)
        case .array(let elements):
            list(elements, "[", "]", level) { writer, element in writer.write(element, level: level + 1) }
        case .object(let members):
            list(members, "{", "}", level) { writer, member in
                writer.quote(member.name)
                writer.append(writer.indent == nil ? ":" : ": ")
                writer.write(member.value, level: level + 1)
            }
        }
    }

    private mutating func list<Item>(
        _ items: [Item], _ open: String, _ close: String, _ level: Int, _ item: (inout Self, Item) -> Void
    ) {
        append(open)
        for (index, element) in items.enumerated() {
            if index > 0 { append(",") }
            newLine(level + 1)
            item(&self, element)
        }
        if !items.isEmpty { newLine(level) }
        append(close)
    }

    private mutating func newLine(_ level: Int) {
        guard let indent else { return }
        append("\n")
        output.append(contentsOf: repeatElement(UInt8(ascii: " "), count: indent * level))
    }

    private mutating func append(_ text: String) { output.append(contentsOf: text.utf8) }

    private mutating func quote(_ text: String) {
        append("\"")
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""): append("\\\"")
            case UInt8(ascii: "\\"): append("\\\\")
            case 0x08: append("\\b")
            case 0x09: append("\\t")
            case 0x0A: append("\\n")
            case 0x0C: append("\\f")
            case 0x0D: append("\\r")
            case 0..<0x20: append(byte < 16 ? "\\u000" : "\\u00"); append(String(byte, radix: 16))
            default: output.append(byte)
            }
        }
        append("\"")
    }
}
