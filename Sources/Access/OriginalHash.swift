internal import ByteTools
internal import Crypto

/// The password rule of the original: one round of SHA-256, no salt (application-layer.md 7.5, wire-protocol.md 4.4).
///
/// It is what a new-device notification carries and what accounts written by the original hold. We accept it and replace
/// it by ``SlowHash``.
public enum OriginalHash {
    /// Number of characters of a hash, the leading `!` included.
    public static let length = 44

    /// The hash of a presented password, as it came, in whatever encoding: `!` and 43 characters. The NUL that ends the C
    /// string is hashed too. An empty password stays empty (wire-protocol.md 4.3, rule 4).
    public static func of(_ password: [UInt8]) -> String {
        guard !password.isEmpty else { return "" }
        return "!" + HashText.text(of: digest(password + [0]))
    }

    /// The hash of a password in UTF-8.
    public static func of(_ password: String) -> String { of(Array(password.utf8)) }

    /// True when a stored text has the form of a hash: `!` and 43 characters of the alphabet.
    public static func hasForm(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return bytes.count == length && bytes[0] == UInt8(ascii: "!")
            && bytes.dropFirst().allSatisfy(HashText.alphabet.contains)
    }

    private static func digest(_ bytes: [UInt8]) -> [UInt8] {
        var hash = SHA256()
        bytes.withUnsafeBytes { hash.update(bufferPointer: $0) }
        return Array(hash.finalize())
    }
}
