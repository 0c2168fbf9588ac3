/// Why a document cannot be packed.
public enum PackingError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The outermost value is not an object, which packed form takes for granted (application-layer.md 5.4).
    case notAnObject
    /// A name or text holds a NUL character; packed texts end at the first one. Which one is not told: it may be secret.
    case textWithNUL
    /// A number is too large for a 32 bit float.
    case numberOutOfRange(Double)
    /// More nesting than ``JSONLimits/depth``.
    case tooDeep(limit: Int)
    /// The packed document would be larger than ``JSONLimits/bytes``.
    case tooLong(limit: Int)

    /// For people.
    public var description: String {
        switch self {
        case .notAnObject: "only an object {…} can be packed"
        case .textWithNUL: "a name or text contains a NUL character; remove it"
        case .numberOutOfRange(let value): "the number \(value) does not fit a 32 bit float"
        case .tooDeep(let limit): "more than \(limit) objects and arrays inside each other"
        case .tooLong(let limit): "the packed document is larger than \(limit) bytes"
        }
    }
}

/// Why bytes are not packed JSON.
public enum UnpackingError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The bytes end before the document does, or a size field says more than there is.
    case truncated
    /// The checksum does not match: the bytes were damaged, or are no packed JSON at all.
    case checksum(stored: UInt16, computed: UInt16)
    /// An integer at this offset of the content is longer than 64 bits.
    case badInteger(offset: Int)
    /// A code that does not exist, at this offset of the content.
    case badItem(offset: Int)
    /// A name or text that is not the start of an entry of the dictionary.
    case badReference(Int64)
    /// An object or array is closed that was not opened, or opened and not closed.
    case unbalanced(offset: Int)
    /// A float whose exponent is beyond 32 bit floats.
    case badFloat(offset: Int)
    /// More bytes than ``JSONLimits/bytes``.
    case tooLong(limit: Int)
    /// More nesting than ``JSONLimits/depth``.
    case tooDeep(limit: Int)
    /// More values than ``JSONLimits/items``.
    case tooManyItems(limit: Int)
    /// Names and texts unpack to more than ``JSONLimits/textBytes``.
    case tooMuchText(limit: Int)

    /// For people.
    public var description: String {
        switch self {
        case .truncated: "packed JSON is cut off"
        case .checksum(let stored, let computed):
            "packed JSON is damaged: checksum \(String(stored, radix: 16)) instead of \(String(computed, radix: 16))"
        case .badInteger(let offset): "packed JSON has an impossible integer at byte \(offset)"
        case .badItem(let offset): "packed JSON has an unknown item at byte \(offset)"
        case .badReference(let reference): "packed JSON refers to text \(reference), which does not exist"
        case .unbalanced(let offset): "packed JSON closes what it did not open, at byte \(offset)"
        case .badFloat(let offset): "packed JSON has an impossible number at byte \(offset)"
        case .tooLong(let limit): "packed JSON is larger than the \(limit) bytes accepted"
        case .tooDeep(let limit): "packed JSON has more than \(limit) objects and arrays inside each other"
        case .tooManyItems(let limit): "packed JSON has more than \(limit) values"
        case .tooMuchText(let limit): "packed JSON holds more than \(limit) bytes of text"
        }
    }
}
