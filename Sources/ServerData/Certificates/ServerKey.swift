internal import Crypto
internal import SwiftASN1
internal import X509

/// The private key of a server.
public struct ServerKey: Sendable {
    let key: Certificate.PrivateKey

    /// A new P-256 key from the system's random source.
    public init() { key = Certificate.PrivateKey(P256.Signing.PrivateKey()) }

    init(key: Certificate.PrivateKey) { self.key = key }

    /// A key from PEM text; RSA and other kinds that TLS servers use are read too.
    ///
    /// - Throws: ``CertificateError/notAKey(_:)``.
    public init(pem: String) throws(CertificateError) {
        guard pem.utf8.count <= CertificateFile.mostBytes else { throw .tooLong }
        do { key = try Certificate.PrivateKey(pemEncoded: pem) } catch { throw .notAKey("\(error)") }
    }

    /// Every private key of a PEM text, in its order; at least one. Other sections (parameters of curves) are skipped.
    ///
    /// - Throws: ``CertificateError``.
    static func all(pem: String) throws(CertificateError) -> [ServerKey] {
        guard pem.utf8.count <= CertificateFile.mostBytes else { throw .tooLong }
        do {
            let keys = try PEMDocument.parseMultiple(pemString: pem)
                .filter { $0.discriminator.hasSuffix("PRIVATE KEY") }
                .map { ServerKey(key: try Certificate.PrivateKey(pemDocument: $0)) }
            guard !keys.isEmpty else { throw CertificateError.notAKey("no PRIVATE KEY section") }
            return keys
        } catch let error as CertificateError {
            throw error
        } catch {
            throw .notAKey("\(error)")
        }
    }

    /// PEM text; a secret.
    ///
    /// - Throws: ``CertificateError/cannotMake(_:)``.
    public func pem() throws(CertificateError) -> String {
        do { return try key.serializeAsPEM().pemString + "\n" } catch { throw .cannotMake("\(error)") }
    }
}
