public import Access
public import IOCOM

/// The outcome of one login.
public enum AuthorizationDecision: Equatable, Sendable {
    /// Let in.
    case accepted(Authorization)
    /// Turned away; the refusal is shown to operators. Nil when name or network is empty or malformed: nothing that could
    /// be shown or accepted later.
    case refused(Refusal?)
}

/// What somebody who was let in may do.
public struct Authorization: Equatable, Sendable {
    /// The network whose blocks may pass on the connection.
    public var network: NetworkName
    /// What the peer may do there.
    public var role: Role
    /// The account that gave the role; nil when only the address let it in.
    public var account: MatchedAccount?
    /// Accounts whose stored password matched and should be replaced by ``PasswordHash/protect(password:cost:)``.
    public var upgrades: [AccountUpgrade]
    /// True when only the address let it in, no password.
    public var byAddressOnly: Bool
}

/// An account that somebody was let in by.
public struct MatchedAccount: Equatable, Sendable {
    /// Its name or pattern.
    public var user: String
    /// Network of the document that holds it.
    public var network: NetworkName
}

/// An account whose stored password should get a better form: see ``Accounts/replacePassword(user:old:with:)``.
public struct AccountUpgrade: Equatable, Sendable {
    /// Network of the document.
    public var network: NetworkName
    /// Pattern of the account.
    public var user: String
    /// What is stored now; when it changed meanwhile nothing must be replaced.
    public var stored: String?
}

/// Why somebody was turned away, as operators are told (application-layer.md 7.7).
public struct Refusal: Equatable, Sendable {
    /// The reason.
    public enum Reason: String, Sendable {
        /// No account is for this name.
        case newDevice = "NEW DEVICE"
        /// There is an account, the password is another.
        case wrongPassword = "WRONG PASSWORD"
        /// There is an account, and no password came.
        case noPassword = "NO PASSWORD"
    }

    /// The reason.
    public var reason: Reason
    /// Network whose operators are told: the requested one, or the server's own when that is not published.
    public var network: NetworkName
    /// The name as accounts of that network would have it.
    public var name: String
    /// The original's hash of the presented password, to be stored when the device is accepted; empty for none.
    public var passwordHash: String
}
