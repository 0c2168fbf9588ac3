/// Verification of Ed25519 signatures (RFC 8032) for devices: no allocation, a few kilobytes of code and about one of stack.
///
/// It takes and refuses exactly what the host's library (BoringSSL) does: S has to be below the group's order, R has to be
/// the canonical encoding of S B - k A (no cofactor), and any encoding of a point is taken as a key. There is no signing
/// here, so no number is secret and nothing takes care of the time that values need.
public enum Ed25519 {
    /// Bytes of a public key.
    public static let keySize = 32
    /// Bytes of a signature.
    public static let signatureSize = 64

    /// True when `signature` (64 bytes) is that of `message` by the owner of `key` (32 bytes). Other sizes are never.
    public static func isValid(signature: RawSpan, of message: RawSpan, by key: RawSpan) -> Bool {
        guard signature.byteCount == signatureSize, key.byteCount == keySize,
            let s = GroupScalar(parsing: signature, at: keySize)
        else { return false }
        var a = EdwardsPoint()
        guard a.decode(negativeOf: key) else { return false }
        let k = challenge(signature, message, key)
        let r = sum(s, a, k)
        var difference: UInt8 = 0
        for i in 0..<32 { difference |= r[i] ^ signature.unsafeLoad(fromByteOffset: i, as: UInt8.self) }
        return difference == 0
    }

    /// SHA-512 of R, the key and the message.
    @inline(never)
    private static func challenge(_ signature: RawSpan, _ message: RawSpan, _ key: RawSpan) -> GroupScalar {
        var hash = SHA512()
        hash.add(signature.extracting(first: 32))
        hash.add(key)
        hash.add(message)
        return GroupScalar(reducing: hash.finish())
    }

    /// s B + k A, encoded. Both numbers are worked through at once, one bit at a time from the top.
    @inline(never)
    private static func sum(_ s: GroupScalar, _ a: EdwardsPoint, _ k: GroupScalar) -> InlineArray<32, UInt8> {
        let base = EdwardsPoint.base()
        var both = base
        both.add(a)
        var result = EdwardsPoint()
        // Both numbers are below 2^253.
        for position in 0...252 {
            let bit = 252 - position
            let same = result
            result.add(same)
            switch (s.bit(bit), k.bit(bit)) {
            case (1, 1): result.add(both)
            case (1, _): result.add(base)
            case (_, 1): result.add(a)
            default: break
            }
        }
        return result.encoded()
    }
}
