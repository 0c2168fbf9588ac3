public import FoundationEssentials
internal import SwiftASN1
@_spi(DisableValidityCheck) internal import X509

/// The authorities that a client trusts, and its judgement of what a server shows.
///
/// The TLS library judges ordinary connections. This is for where it can't: when the time is not to be looked at, and to
/// tell people what is wrong.
public struct CertificateTrust: Sendable {
    /// Longest file that is read, bytes: the authorities of a system fit.
    public static let mostBytes = 1 << 20

    private let roots: CertificateStore
    /// Names of the authorities; empty for those of the system.
    public let authorities: [String]

    /// The authorities of a PEM text; zero bytes at its end, as devices keep it, do not matter.
    ///
    /// - Throws: ``LinkError`` when it is too long or holds no certificate.
    public init(pem: String) throws(LinkError) {
        guard pem.utf8.count <= Self.mostBytes else {
            throw .cannotConnect("it is longer than \(Self.mostBytes) bytes")
        }
        do {
            let text = String(pem.prefix { $0 != "\0" })
            let certificates = try PEMDocument.parseMultiple(pemString: text)
                .filter { $0.discriminator == Certificate.defaultPEMDiscriminator }
                .map { try Certificate(pemDocument: $0) }
            guard !certificates.isEmpty else { throw LinkError.cannotConnect("it holds no certificate in PEM form") }
            roots = CertificateStore(certificates)
            authorities = certificates.map(\.subject.description)
        } catch let error as LinkError {
            throw error
        } catch {
            throw .cannotConnect("it is damaged: \(error)")
        }
    }

    private init(system: Void) {
        roots = .systemTrustRoots
        authorities = []
    }

    /// The authorities that this machine trusts.
    public static let system = CertificateTrust(system: ())

    /// The authorities of a PEM file; nil stands for those of the system.
    ///
    /// - Throws: ``LinkError`` when the file can't be read or holds no certificate.
    public init(file: String?) throws(LinkError) {
        guard let file else {
            self = .system
            return
        }
        let data: Data
        do { data = try Data(contentsOf: URL(filePath: file)) } catch {
            throw .cannotConnect("\(file) can't be read; give --trust with the trust.pem of the server")
        }
        do { try self.init(pem: String(decoding: data, as: UTF8.self)) } catch {
            throw .cannotConnect("\(file): \(error)")
        }
    }

    /// Judges a chain, leaf first, each certificate in DER form. `host` is the name or address that was connected to; nil when
    /// the certificate need not name it.
    public func judge(_ chain: [[UInt8]], host: String?, isNumeric: Bool = false, now: Date) async -> CertificateVerdict
    {
        let certificates: [Certificate]
        do { certificates = try chain.prefix(Self.longestChain).map { try Certificate(derEncoded: $0) } } catch {
            return .unreadable("\(error)")
        }
        guard let leaf = certificates.first else { return .unreadable("there is none") }
        let between = CertificateStore(certificates.dropFirst())
        // What holds at any time comes first: nobody needs the date of a certificate that is not trusted at all.
        var atAnyTime = Verifier(rootCertificates: roots) {
            RFC5280Policy.withValidityCheckDisabled()
            ServerUsePolicy()
        }
        guard case .validCertificate(let found) = await atAnyTime.validate(leaf: leaf, intermediates: between) else {
            return .untrusted(issuer: leaf.issuer.description)
        }
        if let host {
            var named = Verifier(rootCertificates: roots) {
                RFC5280Policy.withValidityCheckDisabled()
                ServerUsePolicy()
                ServerIdentityPolicy(serverHostname: isNumeric ? nil : host, serverIP: isNumeric ? host : nil)
            }
            guard case .validCertificate = await named.validate(leaf: leaf, intermediates: between) else {
                return .otherHost
            }
        }
        for certificate in found where now < certificate.notValidBefore || now > certificate.notValidAfter {
            return .outOfDate(
                subject: certificate.subject.description, notBefore: certificate.notValidBefore,
                notAfter: certificate.notValidAfter)
        }
        return .trusted(by: found.root.subject.description)
    }

    /// Certificates of a chain that are looked at.
    private static let longestChain = 10
}

/// What a client finds of a server's certificate.
public enum CertificateVerdict: Sendable, Equatable {
    /// It is good; the authority at its end.
    case trusted(by: String)
    /// It would be good at another time: this certificate of the chain has ended or is not valid yet.
    case outOfDate(subject: String, notBefore: Date, notAfter: Date)
    /// It is for other names than the host.
    case otherHost
    /// No trusted authority signed it.
    case untrusted(issuer: String)
    /// It is damaged; why.
    case unreadable(String)
}

/// A certificate that says what its key is for must say that it is for servers.
private struct ServerUsePolicy: VerifierPolicy {
    let verifyingCriticalExtensions: [ASN1ObjectIdentifier] = [
        .X509ExtensionID.extendedKeyUsage, .X509ExtensionID.subjectAlternativeName,
    ]

    mutating func chainMeetsPolicyRequirements(chain: UnverifiedCertificateChain) -> PolicyEvaluationResult {
        guard let uses = try? chain.leaf.extensions.extendedKeyUsage else {
            let isThere = chain.leaf.extensions[oid: .X509ExtensionID.extendedKeyUsage] != nil
            return isThere ? .failsToMeetPolicy(reason: "the use of its key can't be read") : .meetsPolicy
        }
        return uses.contains(.serverAuth) || uses.contains(.any)
            ? .meetsPolicy : .failsToMeetPolicy(reason: "its key is not for servers")
    }
}
