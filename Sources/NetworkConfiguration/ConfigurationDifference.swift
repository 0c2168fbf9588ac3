public import PackedJSON

/// One field that differs between two configurations.
public struct ConfigurationDifference: Equatable, Sendable {
    /// The field.
    public let path: String
    /// Value before as JSON text, `••••` for a secret; nil when the field was not there.
    public let before: String?
    /// Value after; nil when the field is not there any more.
    public let after: String?

    /// What is shown for a secret.
    public static let hidden = "••••"

    /// All fields that differ, in the order of the documents.
    public static func between(_ old: JSON, _ new: JSON) -> [ConfigurationDifference] {
        let before = leaves(old, [])
        let after = leaves(new, [])
        var result: [ConfigurationDifference] = []
        for leaf in before {
            let other = after.first { $0.path == leaf.path }
            if other?.value != leaf.value { result.append(difference(leaf.path, leaf.value, other?.value)) }
        }
        for leaf in after where !before.contains(where: { $0.path == leaf.path }) {
            result.append(difference(leaf.path, nil, leaf.value))
        }
        return result
    }

    /// `- path = old` and `+ path = new` lines.
    public var lines: [String] {
        [before.map { "- \(path) = \($0)" }, after.map { "+ \(path) = \($0)" }].compactMap { $0 }
    }

    private static func difference(_ path: FieldPath, _ before: JSON?, _ after: JSON?) -> ConfigurationDifference {
        func shown(_ value: JSON?) -> String? {
            guard let value else { return nil }
            guard NetworkSchema.isSecret(path), value != .string("") else { return value.compactText }
            return hidden
        }
        return ConfigurationDifference(path: path.description, before: shown(before), after: shown(after))
    }

    private static func leaves(_ json: JSON, _ steps: [FieldPath.Step]) -> [(path: FieldPath, value: JSON)] {
        switch json {
        // An object without members is no field.
        case .object(let members):
            return members.flatMap { leaves($0.value, steps + [.name($0.name)]) }
        case .array(let elements) where !elements.isEmpty:
            return elements.enumerated().flatMap { leaves($1, steps + [.index($0)]) }
        default: return [(FieldPath(steps: steps), json)]
        }
    }
}

extension JSON {
    /// The document with every secret replaced, for people.
    public var withoutSecrets: JSON { Self.hide(self, []) }

    private static func hide(_ json: JSON, _ steps: [FieldPath.Step]) -> JSON {
        switch json {
        case .object(let members):
            .object(members.map { JSON.Member($0.name, hide($0.value, steps + [.name($0.name)])) })
        case .array(let elements): .array(elements.enumerated().map { hide($1, steps + [.index($0)]) })
        case .string(let text)
        where !text.isEmpty && text != "*" && NetworkSchema.isSecret(FieldPath(steps: steps)):
            .string(ConfigurationDifference.hidden)
        default: json
        }
    }
}
