internal import Access

/// What an accounts document may hold as password, and the check of a presented one (application-layer.md 7.5).
public enum PasswordHash: Equatable, Sendable {
    /// `*`: any password is right, also none.
    case any
    /// Missing or empty: only an empty password is right.
    case empty
    /// A hash of the original, to be replaced by a slow one.
    case original(String)
    /// Our own salted and slow form.
    case slow(SlowHash)
    /// Anything else, such as a password in plain text that the original's ispy stored as typed, or a slow hash whose
    /// cost is above the limits. As in the original it matches nothing.
    case unusable

    /// Result of a check.
    public enum Verdict: Equatable, Sendable {
        /// Wrong password.
        case mismatch
        /// Right password.
        case match
        /// Right password, stored in a form that should be replaced by ``PasswordHash/protect(password:cost:)``.
        case matchToUpgrade
    }

    /// Recognises a stored text; nil is a missing one.
    public init(stored: String?) {
        guard let stored, !stored.isEmpty else {
            self = .empty
            return
        }
        if stored == "*" {
            self = .any
        } else if OriginalHash.hasForm(stored) {
            self = .original(stored)
        } else if let slow = SlowHash(text: stored) {
            self = .slow(slow)
        } else {
            self = .unusable
        }
    }

    /// True when a check takes the time and memory of ``SlowHash``.
    public var isSlow: Bool {
        if case .slow = self { return true }
        return false
    }

    /// Checks a presented password in plain text. A pure function; slow when ``isSlow``, then keep it off event loops.
    ///
    /// `wanted` is the least cost a hash should have: a hash that cost less is reported as to be upgraded.
    public func verify(presented password: [UInt8], wanted: ScryptCost = .standard) -> Verdict {
        switch self {
        case .any: return .match
        case .empty: return password.isEmpty ? .match : .mismatch
        case .unusable: return .mismatch
        case .original(let stored):
            let same = equalInConstantTime(Array(stored.utf8), Array(OriginalHash.of(password).utf8))
            return same ? .matchToUpgrade : .mismatch
        case .slow(let stored):
            guard !password.isEmpty, stored.matches(original: OriginalHash.of(password)) else { return .mismatch }
            return stored.cost.work < wanted.work ? .matchToUpgrade : .match
        }
    }

    /// Checks a presented password against a stored text; see the method of the same name.
    public static func verify(
        stored: String?, presented password: [UInt8], wanted: ScryptCost = .standard
    ) -> Verdict {
        PasswordHash(stored: stored).verify(presented: password, wanted: wanted)
    }

    /// Checks a password in UTF-8.
    public static func verify(
        stored: String?, presented password: String, wanted: ScryptCost = .standard
    ) -> Verdict {
        verify(stored: stored, presented: Array(password.utf8), wanted: wanted)
    }

    /// The text to store for a password: salted and slow; empty for an empty password.
    ///
    /// - Throws: ``PasswordError``.
    public static func protect(
        password: [UInt8], cost: ScryptCost = .standard
    ) throws(PasswordError) -> String {
        guard !password.isEmpty else { return "" }
        return try SlowHash(original: OriginalHash.of(password), cost: cost).text
    }
}

extension PasswordHash {
    /// The text to store for a password in UTF-8.
    ///
    /// - Throws: ``PasswordError``.
    public static func protect(password: String, cost: ScryptCost = .standard) throws(PasswordError) -> String {
        try protect(password: Array(password.utf8), cost: cost)
    }
}

/// Compares without revealing by its duration where two texts of the same length differ.
public func equalInConstantTime(_ a: [UInt8], _ b: [UInt8]) -> Bool {
    guard a.count == b.count else { return false }
    var difference: UInt8 = 0
    for i in 0..<a.count { difference |= a[i] ^ b[i] }
    return difference == 0
}
