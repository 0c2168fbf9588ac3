import Access
import ServerData

/// Who is logged in, and how logins went. Pure.
struct Census {
    /// What a connection counts as.
    enum Kind: String, CaseIterable {
        case device, server, viewer, `operator`, engineer, admin
        /// Plain connections, where everything is allowed.
        case plain
    }

    private let limits: ServerLimits
    private var byAccount: [Account: Int] = [:]
    /// Connections of each kind.
    private(set) var kinds: [Kind: Int] = [:]
    /// Logins let in so far.
    private(set) var accepted: UInt64 = 0
    /// Logins turned away so far.
    var refused: UInt64 = 0
    /// How often a limit was the reason.
    var refusals: [ServerLimits.Name: UInt64] = [:]

    private struct Account: Hashable {
        var user: String
        var isOperator: Bool
    }

    init(_ limits: ServerLimits) { self.limits = limits }

    private static func account(_ visitor: Visitor) -> Account? {
        visitor.role.map { Account(user: visitor.user, isOperator: $0.isOperator) }
    }

    private static func kind(_ visitor: Visitor) -> Kind {
        visitor.role.flatMap { Kind(rawValue: $0.rawValue) } ?? .plain
    }

    /// Takes somebody in, or tells why not. Plain connections have no account.
    mutating func enter(_ visitor: Visitor) -> String? {
        if let account = Self.account(visitor) {
            let name: ServerLimits.Name =
                account.isOperator ? .operatorConnectionsPerAccount : .deviceConnectionsPerAccount
            let present = byAccount[account, default: 0]
            guard present < limits[name] else {
                refusals[name, default: 0] &+= 1
                return "\(visitor.user) has \(present) connections, which is the limit \(name.rawValue)"
            }
            byAccount[account] = present + 1
        }
        kinds[Self.kind(visitor), default: 0] += 1
        accepted &+= 1
        return nil
    }

    /// Somebody who was taken in is gone.
    mutating func leave(_ visitor: Visitor) {
        kinds[Self.kind(visitor), default: 1] -= 1
        guard let account = Self.account(visitor), let present = byAccount[account] else { return }
        byAccount[account] = present > 1 ? present - 1 : nil
    }

    /// Most connections of one account now. Looks at every account.
    var mostOfOneAccount: (devices: Int, operators: Int) {
        byAccount.reduce((0, 0)) { most, entry in
            entry.key.isOperator ? (most.0, max(most.1, entry.value)) : (max(most.0, entry.value), most.1)
        }
    }
}
