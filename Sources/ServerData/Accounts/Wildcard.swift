/// Matching of account patterns: `*` stands for any number of bytes, `?` for one, case matters, the whole name must match
/// (application-layer.md 7.6).
public enum Wildcard {
    /// True when `name` matches `pattern`. Takes at most (length of pattern) · (length of name) steps: only the last `*`
    /// is ever tried again, because an earlier one can gain nothing from taking more.
    public static func matches(pattern: some Collection<UInt8>, name: some Collection<UInt8>) -> Bool {
        let pattern = Array(pattern)
        let name = Array(name)
        var p = 0
        var n = 0
        var retry: (pattern: Int, name: Int)?
        while n < name.count {
            if p < pattern.count, pattern[p] == UInt8(ascii: "*") {
                p += 1
                retry = (p, n)
            } else if p < pattern.count, pattern[p] == UInt8(ascii: "?") || pattern[p] == name[n] {
                p += 1
                n += 1
            } else if let last = retry {
                retry = (last.pattern, last.name + 1)
                p = last.pattern
                n = last.name + 1
            } else {
                return false
            }
        }
        return pattern[p...].allSatisfy { $0 == UInt8(ascii: "*") }
    }

    /// True when `name` matches `pattern`.
    public static func matches(pattern: String, name: String) -> Bool {
        matches(pattern: pattern.utf8, name: name.utf8)
    }
}
