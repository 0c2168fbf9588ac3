import IOCOM

/// A device number as it is configured.
public enum NumberSetting: Equatable, Sendable {
    /// The server gives one.
    case automatic
    /// This one, 1 to 8998.
    case number(UInt32)

    /// Largest number that can be configured: those above are for automatic ones (wire-protocol.md 3.6).
    public static let largest = AutomaticNumber.reply - 1

    /// Reads a number as the original does: what is not a number above 0 is automatic, and so are numbers that are reserved.
    public init(reading number: Int64) {
        self = (1...Int64(Self.largest)).contains(number) ? .number(UInt32(number)) : .automatic
    }

    /// Reads a text as the original does.
    public init(reading text: String) { self.init(reading: Int64(text) ?? 0) }

    /// The number to log in with.
    public var loginNumber: UInt32 {
        switch self {
        case .automatic: AutomaticNumber.request
        case .number(let number): number
        }
    }
}

extension NumberSetting: CustomStringConvertible {
    /// `*` or the number.
    public var description: String {
        switch self {
        case .automatic: "*"
        case .number(let number): String(number)
        }
    }
}
