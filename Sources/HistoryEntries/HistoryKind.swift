/// What an entry of a server's history is about. The numbers are in files: they never change their meaning.
public enum HistoryKind: Int64, Sendable, CaseIterable {
    /// Somebody was let in.
    case login = 1
    /// The connection of somebody who was let in ended.
    case closed = 2
    /// Somebody was turned away.
    case refused = 3
    /// A device that asked was accepted: it got an account.
    case accepted = 10
    /// The accounts of a network were replaced.
    case accounts = 11
    /// A configuration was written.
    case configuration = 12
    /// A program was written, or an update came to its end.
    case program = 13
    /// A certificate was made or replaced.
    case certificate = 14
    /// Something about the server itself.
    case server = 15

    /// The highest number of an entry about connections; everything above it is a change.
    public static let lastOfConnections: Int64 = 9

    /// True for entries about comings and goings, of which there may be very many; all others tell of changes, which are
    /// never left out.
    public var isAboutConnections: Bool { rawValue <= Self.lastOfConnections }

    /// The name in JSON and on command lines.
    public var name: String {
        switch self {
        case .login: "login"
        case .closed: "closed"
        case .refused: "refused"
        case .accepted: "accepted"
        case .accounts: "accounts"
        case .configuration: "configuration"
        case .program: "program"
        case .certificate: "certificate"
        case .server: "server"
        }
    }

    /// The kind with this name.
    public init?(name: String) {
        guard let kind = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = kind
    }
}
