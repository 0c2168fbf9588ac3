/// A JSON document as the system uses it: objects keep the order of their members and may repeat a key.
public indirect enum JSON: Equatable, Sendable {
    /// `null`
    case null
    /// `true` or `false`
    case bool(Bool)
    /// A number written without fraction or exponent.
    case integer(Int64)
    /// Any other number. Packed form keeps the precision of a 32 bit float (application-layer.md 5.4).
    case number(Double)
    /// A text.
    case string(String)
    /// A list.
    case array([JSON])
    /// Members in document order.
    case object([Member])

    /// One member of an object.
    public struct Member: Equatable, Sendable {
        /// The tag.
        public var name: String
        /// What it holds.
        public var value: JSON

        /// Pairs a name with a value.
        public init(_ name: String, _ value: JSON) {
            self.name = name
            self.value = value
        }
    }

    /// The first member called `name` of an object; nil for anything else.
    public subscript(name: String) -> JSON? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name == name }?.value
    }

    /// The text of a string.
    public var text: String? {
        if case .string(let text) = self { return text }
        return nil
    }

    /// The elements of an array.
    public var elements: [JSON]? {
        if case .array(let elements) = self { return elements }
        return nil
    }

    /// The value of an integer.
    public var int: Int64? {
        if case .integer(let value) = self { return value }
        return nil
    }
}
