import ServerData

/// What was changed in accounts, for people: names and roles, never a password.
enum AccountsDifference {
    /// Names that are listed before it is only said how many there are.
    private static let mostNames = 6

    static func text(_ before: Accounts, _ after: Accounts) -> String {
        let old = Dictionary(grouping: before.users, by: \.user)
        let new = Dictionary(grouping: after.users, by: \.user)
        let added = new.keys.filter { old[$0] == nil }
        let removed = old.keys.filter { new[$0] == nil }
        let both = new.keys.filter { old[$0] != nil }
        let roles = both.filter { old[$0]?.map(\.privileges) != new[$0]?.map(\.privileges) }
        let passwords = both.filter { old[$0]?.map(\.password) != new[$0]?.map(\.password) }
        var parts = [
            part("added", added), part("removed", removed), part("another role for", roles),
            part("another password for", passwords),
        ].compactMap { $0 }
        if before.whitelist != after.whitelist { parts.append("other addresses without password") }
        return parts.joined(separator: "; ")
    }

    private static func part(_ verb: String, _ names: [String]) -> String? {
        guard !names.isEmpty else { return nil }
        let shown = names.sorted().prefix(mostNames).joined(separator: ", ")
        return "\(verb) \(shown)" + (names.count > mostNames ? " and \(names.count - mostNames) more" : "")
    }
}
