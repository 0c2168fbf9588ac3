/// Numeric network addresses, as far as a field has to be checked.
enum NumericAddress {
    /// Four numbers of 0 to 255 with dots between.
    static func isIPv4(_ text: some StringProtocol) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                (1...3).contains(part.utf8.count) && part.utf8.allSatisfy { (0x30...0x39).contains($0) }
                    && (Int(part) ?? 256) < 256
            }
    }

    /// Eight groups of hexadecimal digits with colons between; `::` stands once for groups of zeros.
    static func isIPv6(_ text: some StringProtocol) -> Bool {
        guard text.utf8.count <= 45, text.contains(":") else { return false }
        let halves = text.components(around: "::")
        guard halves.count <= 2 else { return false }
        let groups = halves.map { half in
            half.isEmpty ? [] : half.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        }
        let all = groups.flatMap { $0 }
        let isWhole = all.allSatisfy { group in (1...4).contains(group.utf8.count) && group.allSatisfy(\.isHexDigit) }
        return isWhole && (halves.count == 2 ? all.count <= 7 : all.count == 8)
    }
}

extension StringProtocol {
    /// The parts around each `separator`.
    fileprivate func components(around separator: String) -> [String] {
        var parts: [String] = []
        var rest = String(self)
        while let found = rest.firstRange(of: separator) {
            parts.append(String(rest[..<found.lowerBound]))
            rest = String(rest[found.upperBound...])
        }
        return parts + [rest]
    }
}
