/// Who may do what: the one place where it is written.
///
/// A server enforces it for every connection and every block, an operator's tool asks it to say beforehand what will be
/// refused, and docs/security.md shows it. Rights are given for one IO network; nothing is allowed in any other.
public enum AccessTable {
    /// The operations that each role is allowed.
    public static let rows: [(role: Role, operations: Set<Operation>)] = [
        (.viewer, [.see]),
        (.operator, [.see, .setSignals, .readBlocks]),
        (.engineer, [.see, .setSignals, .readBlocks, .writeConfiguration, .writePrograms]),
        (
            .admin,
            [
                .see, .setSignals, .readBlocks, .writeConfiguration, .writePrograms, .manageAccounts, .manageServer,
            ]
        ),
        (.device, [.bringOwnDevice]),
        (.server, [.bringAnyDevice]),
    ]

    /// What a role is allowed.
    public static func operations(of role: Role) -> Set<Operation> {
        rows.first { $0.role == role }?.operations ?? []
    }

    /// The roles that are allowed an operation, least first.
    public static func roles(allowedTo operation: Operation) -> [Role] {
        rows.filter { $0.operations.contains(operation) }.map(\.role)
    }
}

/// What somebody may do in one network.
public struct Access: Sendable, Equatable {
    /// The role; nil on plain connections, where everything is allowed (application-layer.md 7.4), and with servers of the
    /// original, which know no roles.
    public let role: Role?

    /// The rights of a role.
    public init(_ role: Role) { self.role = role }

    private init() { role = nil }

    /// Everything.
    public static let everything = Access()

    /// True when it is allowed.
    public func allows(_ operation: Operation) -> Bool {
        role.map { AccessTable.operations(of: $0).contains(operation) } ?? true
    }

    /// Why it is not allowed, with the next step; nil when it is.
    public func refusal(of operation: Operation, user: String, network: String) -> String? {
        guard let role, !allows(operation) else { return nil }
        let others = AccessTable.roles(allowedTo: operation).map { "'\($0.rawValue)'" }.joined(separator: " or ")
        return "\(user) may not \(operation.text) in network \(network): the account has the role \(role.rawValue); "
            + "an administrator can give it the role \(others)"
    }
}
