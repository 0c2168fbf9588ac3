internal import Access
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
/// networks as well (a cloud server admits `frank*.cafenet`), and `root*` there is root of all. Of all matching accounts
/// the role counts that allows most. As in the original, an address range of either document lets in without password,
/// as a device.
///
/// A device is bound to its name: where a document has an account for exactly this name that is a device's, patterns with
/// wildcards and address ranges of that document let nobody else in under the name.
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
    /// Hashes that cost less are reported as to be upgraded.
    public var wantedCost: ScryptCost

    /// Collects what decisions are made from.
    public init(ownNetwork: NetworkName, documents: [NetworkAccounts], wantedCost: ScryptCost = .standard) {
        self.ownNetwork = ownNetwork
        self.documents = documents
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
                network: attempt.network, role: search.role ?? .device, account: search.account,
                upgrades: search.upgrades, byAddressOnly: !search.isMatched))
    }
}

/// The state of one decision.
private struct Search {
    let attempt: LoginAttempt
    let wanted: ScryptCost
    var isMatched = false
    var isListed = false
    var role: Role?
    var account: MatchedAccount?
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
        let isBound = document.accounts.users.contains { $0.user == name && $0.isOfDevice }
        for account in document.accounts.users
        where !account.user.isEmpty && Wildcard.matches(pattern: account.user, name: name) {
            isKnown = true
            guard !isBound || account.user == name else { continue }
            let granted = account.role
            let adds = !isMatched || role.map { $0.combined(with: granted) != $0 } ?? true
            let verdict = check(account, adds: adds)
            guard verdict != .mismatch else { continue }
            if !isMatched || adds { self.account = MatchedAccount(user: account.user, network: document.network) }
            isMatched = true
            role = role?.combined(with: granted) ?? granted
            if verdict == .matchToUpgrade {
                upgrades.append(
                    AccountUpgrade(network: document.network, user: account.user, stored: account.password))
            }
        }
        guard !isAccepted, !isBound, let peer = attempt.peer else { return }
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
