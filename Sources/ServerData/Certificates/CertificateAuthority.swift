internal import ByteTools
internal import Crypto
public import FoundationEssentials
internal import SwiftASN1
internal import X509

/// The own certificate authority of a server: makes and renews the server's certificate.
///
/// Keys are P-256, signatures ECDSA with SHA-256, which the original's TLS library understands. Each authority has a
/// name of its own, because verifiers that find two authorities of one name in their trust store may try the wrong one.
public struct CertificateAuthority: Sendable {
    /// Days an authority is valid: about 15 years, longer than the devices that trust it live.
    public static let days = 15 * 365

    /// Its certificate: what clients have to trust.
    public let certificate: CertificateFile
    private let key: Certificate.PrivateKey
    private let parsed: Certificate

    /// Makes a new authority for the machine `host`, valid from a day before `now` (clocks differ).
    ///
    /// - Throws: ``CertificateError``.
    public init(host: String, now: Date) throws(CertificateError) {
        var random = SystemRandomNumberGenerator()
        let suffix = hexadecimal((0..<4).map { _ in UInt8.random(in: .min ... .max, using: &random) })
        // A common name has at most 64 characters (RFC 5280, appendix A.1).
        let name = "iocom CA of \(host.prefix(bytes: 40)) \(suffix)"
        let key = Certificate.PrivateKey(P256.Signing.PrivateKey())
        do {
            let subject = try DistinguishedName { CommonName(name) }
            let identifier = SubjectKeyIdentifier(hash: key.publicKey)
            let certificate = try Certificate(
                version: .v3, serialNumber: .init(), publicKey: key.publicKey, notValidBefore: now - day,
                notValidAfter: now + Double(Self.days) * day, issuer: subject, subject: subject,
                signatureAlgorithm: .ecdsaWithSHA256,
                extensions: try Certificate.Extensions {
                    Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                    Critical(KeyUsage(keyCertSign: true, cRLSign: true))
                    identifier
                }, issuerPrivateKey: key)
            self.certificate = try CertificateFile(certificate)
            parsed = certificate
        } catch {
            throw .cannotMake("\(error)")
        }
        self.key = key
    }

    /// An authority from its two PEM texts.
    ///
    /// - Throws: ``CertificateError``.
    public init(certificatePEM: String, keyPEM: String) throws(CertificateError) {
        certificate = try CertificateFile(pem: certificatePEM)
        parsed = try certificate.parse()
        key = try ServerKey(pem: keyPEM).key
        guard key.publicKey == parsed.publicKey else { throw .keyOfAnother }
        guard case .isCertificateAuthority? = try? parsed.extensions.basicConstraints else { throw .notAnAuthority }
    }

    /// PEM of the private key; a secret.
    ///
    /// - Throws: ``CertificateError``.
    public func keyPEM() throws(CertificateError) -> String { try ServerKey(key: key).pem() }

    /// Makes a certificate for a server. With the key of its present certificate that is a renewal: only one file changes
    /// then, so a renewal cannot leave a key and a certificate that do not belong together.
    ///
    /// - Throws: ``CertificateError``.
    public func issue(for names: ServerNames, key server: ServerKey, now: Date) throws(CertificateError)
        -> CertificateFile
    {
        do {
            let certificate = try Certificate(
                version: .v3, serialNumber: .init(), publicKey: server.key.publicKey, notValidBefore: now - day,
                notValidAfter: min(now + Double(CertificateFile.serverDays) * day, parsed.notValidAfter),
                issuer: parsed.subject, subject: try DistinguishedName { CommonName(names.commonName) },
                signatureAlgorithm: .ecdsaWithSHA256,
                extensions: try Certificate.Extensions {
                    Critical(BasicConstraints.notCertificateAuthority)
                    Critical(KeyUsage(digitalSignature: true))
                    try ExtendedKeyUsage([.serverAuth])
                    SubjectAlternativeNames(names.generalNames)
                    SubjectKeyIdentifier(hash: server.key.publicKey)
                    AuthorityKeyIdentifier(keyIdentifier: SubjectKeyIdentifier(hash: parsed.publicKey).keyIdentifier)
                }, issuerPrivateKey: key)
            return try CertificateFile(certificate)
        } catch {
            throw .cannotMake("\(error)")
        }
    }
}

/// Seconds of a day.
let day: Double = 86400
