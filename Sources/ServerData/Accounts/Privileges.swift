/// What an account may do beyond being let in: the text of the accounts document and what we read from it.
///
/// The original knows only `admin`; other texts have no effect there (application-layer.md 7.6). Only the whole text
/// counts, upper and lower case differ.
public struct Privileges: OptionSet, Sendable, Hashable {
    /// Bits; they are not stored anywhere.
    public let rawValue: UInt8

    /// A set from bits.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// `admin`: administrator of the network; an operator.
    public static let admin = Privileges(rawValue: 1)
    /// `operator`: an operator even when the name ends in digits.
    public static let `operator` = Privileges(rawValue: 2)
    /// `server`: another IO server, which brings the blocks of its devices.
    public static let server = Privileges(rawValue: 4)
    /// `device`: a device even when the name has no number.
    public static let device = Privileges(rawValue: 8)

    /// Reads the text of an account; a text we do not know gives nothing.
    public init(text: String?) {
        switch text {
        case "admin": self = .admin
        case "operator": self = .operator
        case "server": self = .server
        case "device": self = .device
        default: self = []
        }
    }
}
