#if !hasFeature(Embedded)
/// The value of any signal, for programs that people use.
public enum SignalValue: Sendable, Equatable {
    /// A boolean.
    case bool(Bool)
    /// An integer.
    case integer(Int64)
    /// A float, or fixed point.
    case number(Double)
    /// A text.
    case text(String)
    /// An array; its elements are of one of the first three kinds.
    case array([SignalValue])
}

/// Why a value cannot be written to a signal.
public enum SignalValueError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The text is not a value of the type.
    case notA(SignalType, text: String)
    /// The number is outside what the type holds.
    case outOfRange(text: String, SignalType, ClosedRange<Double>)
    /// Fixed point has fewer decimals.
    case tooManyDecimals(text: String, SignalType, decimals: Int)
    /// The text has more bytes than the signal holds.
    case textTooLong(bytes: Int, limit: Int)
    /// The text contains a NUL character, which ends texts in a block.
    case textWithNUL
    /// An array of another length, or a single value for an array, or the reverse (1).
    case wrongCount(given: Int, expected: Int)
    /// The signal does not lie inside the block that the device has.
    case outsideBlock(end: Int, size: Int)

    /// For people.
    public var description: String {
        switch self {
        case .notA(.boolean, let text): "\"\(text)\" is not a boolean; write true or false"
        case .notA(.str, let text): "\"\(text)\" is not a text"
        case .notA(let type, let text): "\"\(text)\" is not a number, but the signal is of type \(type)"
        case .outOfRange(let text, let type, let range):
            type.isInteger
                ? "\(text) does not fit type \(type), which holds \(type.storedRange.map { "\($0.lowerBound)…\($0.upperBound)" } ?? "")"
                : "\(text) does not fit type \(type), which holds \(range.lowerBound)…\(range.upperBound)"
        case .tooManyDecimals(let text, let type, let decimals):
            "\(text) has too many decimals: type \(type) keeps \(decimals)"
        case .textTooLong(let bytes, let limit): "the text has \(bytes) bytes, but the signal holds \(limit)"
        case .textWithNUL: "the text contains a NUL character"
        case .wrongCount(let given, let expected):
            expected == 1
                ? "\(given) values were given, but the signal is a single one"
                : "\(given) values were given, but the signal is an array of \(expected); write [1,2,…]"
        case .outsideBlock(let end, let size):
            "the signal ends at byte \(end), but the device's block has \(size); its description does not fit"
        }
    }
}

extension SignalValue: CustomStringConvertible {
    /// As an operator would type it: `12`, `true`, `1.5`, `[1,2,3]`, or the text itself.
    public var description: String { formatted() }

    /// As ``description``, with at most `elements` of an array; how many there are follows the dots.
    public func formatted(elements limit: Int = .max) -> String {
        switch self {
        case .bool(let value): value ? "true" : "false"
        case .integer(let value): String(value)
        case .number(let value): String(value)
        case .text(let text): text
        case .array(let values):
            "[" + values.prefix(max(0, limit)).map(\.description).joined(separator: ",")
                + (values.count > limit ? ",… \(values.count) values]" : "]")
        }
    }
}
#endif
