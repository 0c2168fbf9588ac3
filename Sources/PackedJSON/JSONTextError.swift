/// Why a text is not JSON, and where.
public struct JSONTextError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What is wrong.
    public enum Reason: Equatable, Sendable {
        /// The text ends before the document does.
        case unexpectedEnd
        /// Something else was expected here.
        case expected(String)
        /// A number that is not written by the rules of RFC 8259, such as `01`, `+1` or `.5`.
        case badNumber
        /// A number beyond the range of a 64 bit float.
        case numberOutOfRange
        /// A backslash that is followed by none of `"\/bfnrtu`, or `\u` without four hexadecimal digits.
        case badEscape
        /// Half of a surrogate pair.
        case loneSurrogate
        /// A control character inside a string that has to be written as an escape.
        case controlCharacter
        /// Bytes that are not UTF-8.
        case notUTF8
        /// Something follows the document.
        case textAfterDocument
        /// More bytes than ``JSONLimits/bytes``.
        case tooLong(limit: Int)
        /// More nesting than ``JSONLimits/depth``.
        case tooDeep(limit: Int)
        /// More values than ``JSONLimits/items``.
        case tooManyItems(limit: Int)
    }

    /// What is wrong.
    public let reason: Reason
    /// Line, counted from 1.
    public let line: Int
    /// Column in bytes, counted from 1.
    public let column: Int

    init(_ reason: Reason, line: Int, column: Int) {
        self.reason = reason
        self.line = line
        self.column = column
    }

    /// For people: `line 3, column 14: expected ',' or '}'`.
    public var description: String { "line \(line), column \(column): \(reason.explanation)" }
}

extension JSONTextError.Reason {
    var explanation: String {
        switch self {
        case .unexpectedEnd: "the text ends before the document does"
        case .expected(let what): "expected \(what)"
        case .badNumber: "not a JSON number (no leading zeros or '+', digits on both sides of the point)"
        case .numberOutOfRange: "this number is too large for a 64 bit float"
        case .badEscape: "unknown escape; JSON knows \\\" \\\\ \\/ \\b \\f \\n \\r \\t and \\uXXXX"
        case .loneSurrogate: "half of a surrogate pair; characters above U+FFFF need both \\u escapes"
        case .controlCharacter: "control characters inside a string must be written as escapes, such as \\n"
        case .notUTF8: "the text is not UTF-8"
        case .textAfterDocument: "something follows the end of the document"
        case .tooLong(let limit): "the text is longer than the \(limit) bytes accepted"
        case .tooDeep(let limit): "more than \(limit) objects and arrays inside each other"
        case .tooManyItems(let limit): "more than \(limit) values"
        }
    }
}
