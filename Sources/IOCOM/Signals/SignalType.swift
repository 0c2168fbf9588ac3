/// Type of a signal; the raw values are the protocol's type ids (application-layer.md 1.3, wire-protocol.md 6.2).
public enum SignalType: UInt8, Sendable, Hashable, CaseIterable {
    /// One bit, kept in the state byte; arrays are packed bits behind it.
    case boolean = 1
    /// Signed 8 bit.
    case char = 2
    /// Unsigned 8 bit.
    case uchar = 3
    /// Signed 16 bit.
    case short = 4
    /// Unsigned 16 bit; the type of a signal that names none.
    case ushort = 5
    /// Signed 32 bit.
    case int = 6
    /// Unsigned 32 bit.
    case uint = 7
    /// Signed 64 bit.
    case int64 = 8
    /// Signed 64 bit, the older name.
    case long = 9
    /// IEEE 754, 32 bit.
    case float = 10
    /// IEEE 754, 64 bit.
    case double = 11
    /// Fixed point, signed 16 bit, tenths. Accessors of the original lose the high byte of it.
    case dec01 = 12
    /// Fixed point, signed 16 bit, hundredths. Accessors of the original lose the high byte of it.
    case dec001 = 13
    /// UTF-8 text; its array count is the number of bytes.
    case str = 14

    /// Bytes of one element behind the state byte; 0 for booleans, which take bits.
    public var size: Int {
        switch self {
        case .boolean: 0
        case .char, .uchar, .str: 1
        case .short, .ushort, .dec01, .dec001: 2
        case .int, .uint, .float: 4
        case .int64, .long, .double: 8
        }
    }

    /// True for whole numbers; fixed point is not among them.
    public var isInteger: Bool {
        switch self {
        case .char, .uchar, .short, .ushort, .int, .uint, .int64, .long: true
        case .boolean, .float, .double, .dec01, .dec001, .str: false
        }
    }

    /// True when the highest stored bit is a sign.
    public var isSigned: Bool {
        switch self {
        case .char, .short, .int, .int64, .long, .dec01, .dec001: true
        case .boolean, .uchar, .ushort, .uint, .float, .double, .str: false
        }
    }

    /// Units of the stored integer that make one: 10 or 100 for fixed point, else 1.
    public var scale: Int64 {
        switch self {
        case .dec01: 10
        case .dec001: 100
        default: 1
        }
    }

    /// Smallest and largest stored integer of integers, fixed point and booleans; nil for floats and texts.
    public var storedRange: ClosedRange<Int64>? {
        switch self {
        case .boolean: 0...1
        case .float, .double, .str: nil
        default: isSigned ? Int64.min >> Int64(64 - 8 * size)...Int64.max >> Int64(64 - 8 * size) : 0...unsignedMaximum
        }
    }

    /// Unsigned types have at most 32 bits.
    private var unsignedMaximum: Int64 { (1 << Int64(8 * size)) - 1 }
}

#if !hasFeature(Embedded)
extension SignalType: CustomStringConvertible {
    /// The name used in signal descriptions, such as `ushort`.
    public var name: String {
        switch self {
        case .boolean: "boolean"
        case .char: "char"
        case .uchar: "uchar"
        case .short: "short"
        case .ushort: "ushort"
        case .int: "int"
        case .uint: "uint"
        case .int64: "int64"
        case .long: "long"
        case .float: "float"
        case .double: "double"
        case .dec01: "dec01"
        case .dec001: "dec001"
        case .str: "str"
        }
    }

    /// The type of that name; nil when there is none.
    public init?(name: String) {
        guard let type = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = type
    }

    /// The name.
    public var description: String { name }
}
#endif
