/// What somebody is in an IO network: the privileges text of an account, as ``AccessTable`` gives it meaning.
public enum Role: String, Sendable, CaseIterable {
    /// Only looks on.
    case viewer
    /// Works with devices: sets signals, reads blocks.
    case `operator`
    /// Takes care of devices: configuration and programs.
    case engineer
    /// Also accounts, new devices, history and the server itself.
    case admin
    /// A device.
    case device
    /// Another IO server, which brings the devices behind it.
    case server

    /// Longest text of privileges that is looked at.
    private static let longestText = 64

    /// Reads the privileges of an account; nil for a text that gives none, which makes a device.
    ///
    /// The original knows only `admin`; other texts have no effect there (application-layer.md 7.6). Only the whole text
    /// counts, upper and lower case differ.
    public init?(privileges text: String) {
        guard text.utf8.count <= Self.longestText, let role = Role(rawValue: text) else { return nil }
        self = role
    }

    /// True for people; false for devices and servers.
    public var isOperator: Bool {
        switch self {
        case .viewer, .operator, .engineer, .admin: true
        case .device, .server: false
        }
    }

    /// Those of two roles that allow more; accounts that match the same name add up (application-layer.md 7.6).
    public func combined(with other: Role) -> Role { rank >= other.rank ? self : other }

    /// Place among the roles: who has several accounts has the role of the highest.
    private var rank: Int {
        switch self {
        case .device: 0
        case .server: 1
        case .viewer: 2
        case .operator: 3
        case .engineer: 4
        case .admin: 5
        }
    }
}
