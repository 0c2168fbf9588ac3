/// The packages that a Debian package needs (Debian Policy 7.1): every clause, in each any one of the alternatives.
public struct DebianDependencies: Sendable, Equatable {
    /// Bytes of a field.
    public static let longestField = 16_384
    /// Clauses and alternatives that are looked at.
    public static let mostNames = 1_000

    /// One package that would do.
    public struct Alternative: Sendable, Equatable {
        /// Its name.
        public let package: String
        /// How its version is compared, in words of `dpkg --compare-versions`; nil when any will do.
        public let relation: String?
        /// With which version.
        public let version: String?
    }

    /// One thing that is needed.
    public struct Clause: Sendable, Equatable {
        /// As the package says it.
        public let text: String
        /// What would do.
        public let alternatives: [Alternative]
    }

    /// What is needed.
    public let clauses: [Clause]

    /// Reads the value of `Depends` or `Pre-Depends`; nil when it is not one.
    public init?(parsing field: String) {
        guard field.utf8.count <= Self.longestField else { return nil }
        var clauses: [Clause] = []
        var count = 0
        for part in field.split(separator: ",") {
            let text = Self.trim(part)
            if text.isEmpty { continue }
            var alternatives: [Alternative] = []
            for one in text.split(separator: "|") {
                count += 1
                guard count <= Self.mostNames, let alternative = Alternative(parsing: Self.trim(one)) else {
                    return nil
                }
                alternatives.append(alternative)
            }
            clauses.append(Clause(text: String(text), alternatives: alternatives))
        }
        self.clauses = clauses
    }

    fileprivate static func trim(_ text: Substring) -> Substring {
        var text = text
        while let first = text.first, first.isWhitespace { text.removeFirst() }
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return text
    }
}

extension DebianDependencies.Alternative {
    private static let relations = ["<<": "lt", "<=": "le", "=": "eq", ">=": "ge", ">>": "gt"]

    /// `name`, `name:any`, `name (>= 1.2)`
    fileprivate init?(parsing text: Substring) {
        let end = text.firstIndex { $0 == " " || $0 == "(" || $0 == ":" } ?? text.endIndex
        package = String(text[..<end])
        guard !package.isEmpty,
            package.utf8.allSatisfy({ byte in
                (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || "+-.".utf8.contains(byte)
            }), package.first != "-"
        else { return nil }
        guard let open = text.firstIndex(of: "(") else {
            relation = nil
            version = nil
            return
        }
        guard text.last == ")" else { return nil }
        let inner = text[text.index(after: open)...].dropLast()
        let sign = inner.prefix { "<=>".contains($0) }
        let number = DebianDependencies.trim(inner.dropFirst(sign.count))
        guard let word = Self.relations[String(sign)], !number.isEmpty,
            number.utf8.allSatisfy({ (0x21...0x7E).contains($0) }), number.first != "-"
        else { return nil }
        relation = word
        version = String(number)
    }
}
