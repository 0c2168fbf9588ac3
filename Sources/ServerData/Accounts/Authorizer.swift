public import IOCOM

/// The accounts of one published network, as the authorizer needs them.
public struct NetworkAccounts: Sendable {
    /// Network the document belongs to.
    public var network: NetworkName
    /// Its accounts.
    public var accounts: Accounts

    /// Pairs a network with its accounts.
    public init(_ network: NetworkName, _ accounts: Accounts) {
        self.network = network
        self.accounts = accounts
    }
}

/// Decides who is let into which network (application-layer.md 7.6). Pure; slow when slow hashes must be checked, so run
/// it off the event loop.
///
/// Two documents are asked: the one of the requested network for the user, and, when that is not the server's own
/// network, the one of the server's own network for `user.network`. So accounts of the own network may be for other
/// networks as well (a cloud server admits `frank*.cafenet`), and `root*` there is root of all. Rights of all matching
/// accounts add up. As in the original, an address range of either document lets in without password, with no rights.
///
/// What a document does not say costs nothing: a slow hash is only checked when its account could add something, an
/// equal stored text only once, and at most ``mostSlowChecks`` times an attempt.
public struct Authorizer: Sendable {
    /// Most checks of slow hashes in one attempt; matching accounts after that are passed over.
    public static let mostSlowChecks = 4

    /// The server's own network.
    public var ownNetwork: NetworkName
    /// Accounts of the published networks.
    public var documents: [NetworkAccounts]
    /// When true, an account without privileges makes a device and never an operator, whatever the name looks like.
    /// The original lets everybody operate who is let in, so the default is false.
    public var operatorsNeedPrivileges: Bool
    /// Hashes that cost less are reported as to be upgraded.
    public var wantedCost: ScryptCost

    /// Collects what decisions are made from.
    public init(
        ownNetwork: NetworkName, documents: [NetworkAccounts], operatorsNeedPrivileges: Bool = false,
        wantedCost: ScryptCost = .standard
    ) {
        self.ownNetwork = ownNetwork
        self.documents = documents
        self.operatorsNeedPrivileges = operatorsNeedPrivileges
        self.wantedCost = wantedCost
    }

    /// Decides one attempt.
    public func decide(_ attempt: LoginAttempt) -> AuthorizationDecision {
        guard attempt.isWellFormed else { return .refused(nil) }
        var search = Search(attempt: attempt, wanted: wantedCost)
        let user = attempt.user
        for document in documents where document.network == attempt.network {
            search.look(in: document, for: user)
        }
        let foreignName = "\(user).\(attempt.network)"
        if attempt.network != ownNetwork {
            for document in documents where document.network == ownNetwork {
                search.look(in: document, for: foreignName)
            }
        }
        guard search.isAccepted else {
            let isPublished = documents.contains { $0.network == attempt.network }
            return .refused(
                Refusal(
                    reason: search.reason, network: isPublished ? attempt.network : ownNetwork,
                    name: isPublished || attempt.network == ownNetwork ? user : foreignName,
                    passwordHash: OriginalHash.of(attempt.passwordBytes)))
        }
        return .accepted(
            Authorization(
                networks: [attempt.network: search.privileges], role: role(attempt, search.privileges),
                upgrades: search.upgrades, byAddressOnly: !search.isMatched))
    }

    /// Privileges decide when they say something. Otherwise a device is who has a number: at the end of the name, or to
    /// be given by the server, which is when the name comes without number but with a unique id. The rest operates.
    private func role(_ attempt: LoginAttempt, _ privileges: Privileges) -> AuthorizationDecision.Role {
        if !privileges.isDisjoint(with: [.admin, .operator]) { return .operator }
        if privileges.contains(.server) { return .server }
        if privileges.contains(.device) || operatorsNeedPrivileges { return .device }
        let endsInDigit = attempt.user.utf8.last.map { (0x30...0x39).contains($0) } ?? false
        return endsInDigit || attempt.hasUniqueID ? .device : .operator
    }
}

/// The state of one decision.
private struct Search {
    let attempt: LoginAttempt
    let wanted: ScryptCost
    var isMatched = false
    var isListed = false
    var privileges: Privileges = []
    var upgrades: [AccountUpgrade] = []
    private var isKnown = false
    private var slowChecks: [String: PasswordHash.Verdict] = [:]

    init(attempt: LoginAttempt, wanted: ScryptCost) {
        self.attempt = attempt
        self.wanted = wanted
    }

    var isAccepted: Bool { isMatched || isListed }

    var reason: Refusal.Reason {
        guard isKnown else { return .newDevice }
        return attempt.password.isEmpty ? .noPassword : .wrongPassword
    }

    mutating func look(in document: NetworkAccounts, for name: String) {
        for account in document.accounts.users
        where !account.user.isEmpty && Wildcard.matches(pattern: account.user, name: name) {
            isKnown = true
            let granted = Privileges(text: account.privileges)
            let verdict = check(account, adds: !isMatched || !privileges.isSuperset(of: granted))
            guard verdict != .mismatch else { continue }
            isMatched = true
            privileges.formUnion(granted)
            if verdict == .matchToUpgrade {
                upgrades.append(
                    AccountUpgrade(network: document.network, user: account.user, stored: account.password))
            }
        }
        guard !isAccepted, let peer = attempt.peer else { return }
        isListed = document.accounts.whitelist.contains { $0.contains(peer) }
    }

    private mutating func check(_ account: Account, adds: Bool) -> PasswordHash.Verdict {
        let hash = PasswordHash(stored: account.password)
        let password = attempt.passwordBytes
        guard hash.isSlow, let stored = account.password else {
            return hash.verify(presented: password, wanted: wanted)
        }
        if let known = slowChecks[stored] { return known }
        guard adds, slowChecks.count < Authorizer.mostSlowChecks else { return .mismatch }
        let verdict = hash.verify(presented: password, wanted: wanted)
        slowChecks[stored] = verdict
        return verdict
    }
}
