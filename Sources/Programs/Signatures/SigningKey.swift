import Crypto

/// A secret key that signs packages, in the form of signify(1), without a passphrase.
public struct SigningKey: Sendable {
    private static let saltSize = 16
    private static let checksumSize = 8
    private static let derivation = Array("BK".utf8)

    /// Its number and public half.
    public let trusted: TrustedKey
    private let seed: [UInt8]

    /// A new key from the system's random numbers.
    public static func generate() -> SigningKey {
        // The system's generator is the kernel's.
        var random = SystemRandomNumberGenerator()
        let number = (0..<KeyNumber.size).map { _ in UInt8.random(in: 0...255, using: &random) }
        let key = Curve25519.Signing.PrivateKey()
        return SigningKey(
            trusted: TrustedKey(number: KeyNumber(number), bytes: Array(key.publicKey.rawRepresentation)),
            seed: Array(key.rawRepresentation))
    }

    private init(trusted: TrustedKey, seed: [UInt8]) {
        self.trusted = trusted
        self.seed = seed
    }

    /// Reads the content of a secret key file.
    public init(parsing text: [UInt8]) throws(SignifyError) {
        guard text.count <= TrustedKey.largestFile else { throw .form("it is longer than any key") }
        let (bytes, rest) = try SignifyText.parse(text[...])
        let secretSize = 2 * TrustedKey.size
        var at = bytes.startIndex + 2
        func take(_ count: Int) -> ArraySlice<UInt8> {
            defer { at += count }
            return bytes[at..<(at + count)]
        }
        guard bytes.count == 2 + 2 + 4 + Self.saltSize + Self.checksumSize + KeyNumber.size + secretSize else {
            throw .form("it is not a secret key")
        }
        guard rest.isEmpty else { throw .form("something follows the key") }
        guard take(2).elementsEqual(Self.derivation) else { throw .form("its passphrase is used in an unknown way") }
        guard take(4).allSatisfy({ $0 == 0 }) else { throw .protectedKey }
        _ = take(Self.saltSize)
        let checksum = take(Self.checksumSize)
        let number = KeyNumber(take(KeyNumber.size))
        let secret = Array(take(secretSize))
        guard SHA512.hash(data: secret).prefix(Self.checksumSize).elementsEqual(checksum),
            let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: secret.prefix(TrustedKey.size)),
            key.publicKey.rawRepresentation.elementsEqual(secret.suffix(TrustedKey.size))
        else { throw .damagedKey }
        self.init(
            trusted: TrustedKey(number: number, bytes: Array(secret.suffix(TrustedKey.size))),
            seed: Array(secret.prefix(TrustedKey.size)))
    }

    /// The content of a secret key file.
    public func text(comment: String) -> String {
        let secret = seed + trusted.bytes
        let checksum = Array(SHA512.hash(data: secret).prefix(Self.checksumSize))
        let rounds: [UInt8] = [0, 0, 0, 0]
        let salt = [UInt8](repeating: 0, count: Self.saltSize)
        return SignifyText.text(
            SignifyText.scheme + Self.derivation + rounds + salt + checksum + trusted.number.bytes + secret,
            comment: comment)
    }

    /// Signs a manifest.
    public func sign(_ manifest: PackageManifest, comment: String) throws(SignifyError) -> SignedManifest {
        let message = Array(manifest.text.utf8)
        guard let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: seed),
            let signature = try? key.signature(for: message)
        else { throw .damagedKey }
        let lead = SignifyText.text(
            SignifyText.scheme + trusted.number.bytes + Array(signature), comment: comment)
        return SignedManifest(
            manifest: manifest, key: trusted.number, signature: Array(signature), text: lead + manifest.text)
    }
}
