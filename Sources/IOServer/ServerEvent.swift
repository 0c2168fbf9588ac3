public import DeviceDescription
public import IOCOM
public import IOCOMTransport
public import ServerData

/// What happens at a server, for its log. No event holds a password.
public enum ServerEvent: Sendable, Equatable {
    /// It listens there; a port 0 has become a number.
    case listening(ConnectionAddress)
    /// Somebody was let in.
    case login(Visitor)
    /// Somebody was turned away.
    case refused(Visitor, reason: String)
    /// The connection of somebody who was let in ended.
    case closed(Visitor, reason: String)
    /// A connection ended before anybody was let in on it.
    case abandoned(address: String, reason: String)
    /// A peer broke a rule of the protocol; its connection was closed.
    case violation(Visitor?, address: String, rule: String)
    /// A device can be reached.
    case deviceAppeared(DevicePath, by: Visitor)
    /// A device can't be reached any more.
    case deviceLeft(DevicePath, reason: String)
    /// Somebody tells of a device that another connection has, or that is the server's own; it was ignored.
    case deviceIgnored(DevicePath, by: Visitor, reason: String)
    /// The accounts of a network were replaced.
    case accountsReplaced(NetworkName, accounts: Int, administrators: Int)
    /// An update of the server's own program came to this phase; the reason is empty where there is nothing to explain.
    case update(UpdatePhase, reason: String)
    /// Something that somebody should look after.
    case problem(String)
    /// The server stops.
    case stopping(String)
}

extension ServerEvent {
    /// These accounts of a network are in force now.
    static func accountsReplaced(_ accounts: Accounts, of network: NetworkName) -> ServerEvent {
        .accountsReplaced(
            network, accounts: accounts.users.count,
            administrators: accounts.users.count { $0.privileges == "admin" })
    }
}

/// Who is at the other end of a connection.
public struct Visitor: Sendable, Equatable {
    /// Name with number and network: `root.cafenet`, `candy7.cafenet`.
    public var user: String
    /// Its address.
    public var address: String
    /// TLS is below, so it was authorized.
    public var isSecure: Bool
    /// What it is; nil on plain connections, where everything is allowed, and for who was turned away.
    public var role: AuthorizationDecision.Role?
    /// The network it named; nobody may have checked that it exists.
    public var network: String

    /// Composes a visitor.
    public init(
        user: String, network: String = "", address: String, isSecure: Bool, role: AuthorizationDecision.Role? = nil
    ) {
        self.user = user
        self.network = network
        self.address = address
        self.isSecure = isSecure
        self.role = role
    }
}
