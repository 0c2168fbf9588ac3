internal import Crypto

/// The password rule of the original: one round of SHA-256, no salt (application-layer.md 7.5, wire-protocol.md 4.4).
///
/// It is what a new-device notification carries and what accounts written by the original hold. We accept it and replace
/// it by ``SlowHash``.
public enum OriginalHash {
    /// Number of characters of a hash, the leading `!` included.
    public static let length = 44
    private static let alphabet = Array("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-".utf8)

    /// The hash of a presented password, as it came, in whatever encoding: `!` and 43 characters. The NUL that ends the C
    /// string is hashed too. An empty password stays empty (wire-protocol.md 4.3, rule 4).
    public static func of(_ password: [UInt8]) -> String {
        guard !password.isEmpty else { return "" }
        return "!" + encode(digest(password + [0]))
    }

    /// The hash of a password in UTF-8.
    public static func of(_ password: String) -> String { of(Array(password.utf8)) }

    /// True when a stored text has the form of a hash: `!` and 43 characters of the alphabet.
    public static func hasForm(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return bytes.count == length && bytes[0] == UInt8(ascii: "!") && bytes.dropFirst().allSatisfy(alphabet.contains)
    }

    /// The automatic password of a device that has none configured (wire-protocol.md 4.4): 43 characters made from its
    /// 32 random secret bytes. Nil when `secret` is not 32 bytes long.
    public static func automaticPassword(secret: [UInt8]) -> String? {
        guard secret.count == 32 else { return nil }
        var bytes = secret
        bytes[1] ^= 5
        return encode(digest(bytes))
    }

    private static func digest(_ bytes: [UInt8]) -> [UInt8] {
        var hash = SHA256()
        bytes.withUnsafeBytes { hash.update(bufferPointer: $0) }
        return Array(hash.finalize())
    }

    /// 32 bytes as 43 characters: groups of three bytes in little-endian bit order, the last character dropped.
    private static func encode(_ digest: [UInt8]) -> String {
        var characters: [UInt8] = []
        characters.reserveCapacity(44)
        var accumulator = 0
        var bits = 0
        for byte in digest + [0] {
            accumulator |= Int(byte) << bits
            bits += 8
            while bits >= 6 {
                characters.append(alphabet[accumulator & 63])
                accumulator >>= 6
                bits -= 6
            }
        }
        return String(decoding: characters.prefix(43), as: UTF8.self)
    }
}
