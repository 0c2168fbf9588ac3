public import Access
public import DeviceDescription
public import IOCOM
public import IOCOMTransport
import ServerData

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
    /// What changed is said with names only. Nil when it was changed at the machine of the server.
    case accountsReplaced(NetworkName, accounts: Int, administrators: Int, change: String, by: Visitor?)
    /// Somebody wrote a block of a device, and how that ended.
    case transfer(TransferReport)
    /// A device that was accepted got the server's certificates and restarts with them.
    case paired(DevicePath, by: Visitor)
    /// Somebody gave a device a command or a network setting: the signal's name.
    case command(DevicePath, signal: String, by: Visitor)
    /// Somebody wanted what the account does not allow; nothing was changed.
    case denied(DevicePath, by: Visitor, reason: String)
    /// An update of the server's own program came to this phase; the reason is empty where there is nothing to explain.
    case update(UpdatePhase, reason: String)
    /// The server renewed its certificate by itself; its names, its last moment and why.
    case certificateRenewed(names: [String], until: String, reason: String)
    /// Another certificate is in force for connections that come from now on; its fingerprint and its last moment.
    case certificateServed(fingerprint: String, until: String)
    /// Something that somebody should look after.
    case problem(String)
    /// The server stops.
    case stopping(String)
}

extension ServerEvent {
    /// These accounts of a network are in force now.
    static func accountsReplaced(
        _ accounts: Accounts, of network: NetworkName, change: String, by visitor: Visitor?
    ) -> ServerEvent {
        .accountsReplaced(
            network, accounts: accounts.users.count,
            administrators: accounts.users.count { $0.role == .admin }, change: change, by: visitor)
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
    public var role: Role?
    /// The network it named; nobody may have checked that it exists.
    public var network: String

    /// Composes a visitor.
    public init(
        user: String, network: String = "", address: String, isSecure: Bool, role: Role? = nil
    ) {
        self.user = user
        self.network = network
        self.address = address
        self.isSecure = isSecure
        self.role = role
    }
}
