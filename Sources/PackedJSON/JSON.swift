/// A JSON document as the system uses it: objects keep the order of their members and may repeat a key.
///
///     let json = try JSON(parsing: #"{"device_nr": "*", "connect": [{"transport": "tls"}]}"#)
///     json["connect"]?[0]?["transport"]?.text  // "tls"
public enum JSON: Equatable, Sendable {
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
}

// MARK: - Looking into a document

extension JSON {
    /// The first member called `name` of an object; nil for anything else. Setting nil removes every such member,
    /// setting a value replaces the first one or appends; on anything but an object setting does nothing.
    public subscript(name: String) -> JSON? {
        get { members?.first { $0.name == name }?.value }
        set {
            guard case .object(var members) = self else { return }
            if let newValue {
                if let index = members.firstIndex(where: { $0.name == name }) {
                    members[index].value = newValue
                } else {
                    members.append(Member(name, newValue))
                }
            } else {
                members.removeAll { $0.name == name }
            }
            self = .object(members)
        }
    }

    /// The element at `index` of an array; nil past the end and for anything else.
    public subscript(index: Int) -> JSON? {
        guard case .array(let elements) = self, elements.indices.contains(index) else { return nil }
        return elements[index]
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

    /// The members of an object.
    public var members: [Member]? {
        if case .object(let members) = self { return members }
        return nil
    }

    /// The value of an integer.
    public var int: Int64? {
        if case .integer(let value) = self { return value }
        return nil
    }

    /// The value of any number.
    public var double: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }

    /// Truth as the system writes it: `true`/`false`, or an integer where 0 is false (packed form turns booleans into
    /// 0 and 1, application-layer.md 5.5).
    public var flag: Bool? {
        switch self {
        case .bool(let value): value
        case .integer(let value): value != 0
        default: nil
        }
    }
}

// MARK: - Literals

extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByFloatLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
    /// A string.
    public init(stringLiteral value: String) { self = .string(value) }
    /// An integer.
    public init(integerLiteral value: Int64) { self = .integer(value) }
    /// `true` or `false`.
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    /// A number with a fraction.
    public init(floatLiteral value: Double) { self = .number(value) }
    /// A list.
    public init(arrayLiteral elements: JSON...) { self = .array(elements) }
    /// An object; the order of the literal is kept.
    public init(dictionaryLiteral elements: (String, JSON)...) {
        self = .object(elements.map { Member($0.0, $0.1) })
    }
    /// `null`
    public init(nilLiteral: ()) { self = .null }
}
