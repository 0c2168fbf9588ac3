internal import ByteTools
internal import Crypto
public import FoundationEssentials
internal import SwiftASN1
internal import X509

/// One certificate, as it is kept in a file, with the facts that people and programs ask for.
public struct CertificateFile: Sendable, Equatable {
    /// Days a server's certificate is valid: about two years, within what common TLS clients accept.
    public static let serverDays = 730
    /// Days before its end at which a server's certificate should be renewed.
    public static let renewalDays = 60
    /// Most certificates in one file that are read: a chain, or what is trusted while authorities change.
    public static let mostInOneFile = 32
    /// Longest text that is read.
    public static let mostBytes = 64 << 10

    /// PEM text.
    public let pem: String
    /// SHA-256 of the DER form, in the form of `openssl x509 -fingerprint`: `AB:CD:…`.
    public let fingerprint: String
    /// Owner.
    public let subject: String
    /// Signer.
    public let issuer: String
    /// First moment of validity.
    public let notBefore: Date
    /// Last moment of validity.
    public let notAfter: Date
    /// Names and addresses it is for, in text form.
    public let names: [String]
    /// True when it may sign others.
    public let isAuthority: Bool

    /// Reads the first certificate of a PEM text.
    ///
    /// - Throws: ``CertificateError``.
    public init(pem: String) throws(CertificateError) {
        try self.init(Self.parse(pem))
    }

    /// Reads one certificate in DER form, as it comes in a TLS handshake.
    ///
    /// - Throws: ``CertificateError``.
    public init(der: [UInt8]) throws(CertificateError) {
        guard der.count <= Self.mostBytes else { throw .tooLong }
        let certificate: Certificate
        do { certificate = try Certificate(derEncoded: der) } catch { throw .notACertificate("\(error)") }
        try self.init(certificate)
    }

    /// Reads every certificate of a PEM text, in its order; at least one and at most ``mostInOneFile``.
    ///
    /// - Throws: ``CertificateError``.
    public static func all(pem: String) throws(CertificateError) -> [CertificateFile] {
        guard pem.utf8.count <= mostBytes else { throw .tooLong }
        var found: [CertificateFile] = []
        do {
            for document in try PEMDocument.parseMultiple(pemString: pem)
            where document.discriminator == Certificate.defaultPEMDiscriminator {
                guard found.count < mostInOneFile else { throw CertificateError.tooMany }
                found.append(try CertificateFile(try Certificate(pemDocument: document)))
            }
        } catch let error as CertificateError {
            throw error
        } catch {
            throw .notACertificate("\(error)")
        }
        guard !found.isEmpty else { throw .notACertificate("no CERTIFICATE section") }
        return found
    }

    init(_ certificate: Certificate) throws(CertificateError) {
        var serializer = DER.Serializer()
        do {
            try serializer.serialize(certificate)
            pem = try certificate.serializeAsPEM().pemString + "\n"
        } catch {
            throw .cannotMake("\(error)")
        }
        fingerprint = Array(hexadecimal(SHA256.hash(data: serializer.serializedBytes)).uppercased().utf8)
            .enumerated().map { ($0 > 0 && $0.isMultiple(of: 2) ? ":" : "") + String(UnicodeScalar($1)) }.joined()
        subject = certificate.subject.description
        issuer = certificate.issuer.description
        notBefore = certificate.notValidBefore
        notAfter = certificate.notValidAfter
        names = ((try? certificate.extensions.subjectAlternativeNames) ?? nil)?.compactMap(ServerNames.text) ?? []
        switch try? certificate.extensions.basicConstraints {
        case .isCertificateAuthority?: isAuthority = true
        // The first form of certificates has no extensions; who signed itself may sign others there.
        default: isAuthority = certificate.version == .v1 && certificate.subject == certificate.issuer
        }
    }

    func parse() throws(CertificateError) -> Certificate { try Self.parse(pem) }

    private static func parse(_ pem: String) throws(CertificateError) -> Certificate {
        guard pem.utf8.count <= mostBytes else { throw .tooLong }
        do {
            let documents = try PEMDocument.parseMultiple(pemString: pem)
            guard let first = documents.first(where: { $0.discriminator == Certificate.defaultPEMDiscriminator }) else {
                throw CertificateError.notACertificate("no CERTIFICATE section")
            }
            return try Certificate(pemDocument: first)
        } catch let error as CertificateError {
            throw error
        } catch {
            throw .notACertificate("\(error)")
        }
    }

    /// True when it ends within ``renewalDays`` from `now`, or has ended.
    public func needsRenewal(now: Date) -> Bool { notAfter < now + Double(Self.renewalDays) * day }

    /// True when it is not valid yet or any more.
    public func isOutOfDate(now: Date) -> Bool { now < notBefore || now > notAfter }

    /// Whole days from `now` to its end; negative after it.
    public func daysLeft(now: Date) -> Int {
        let days = (notAfter.timeIntervalSince(now) / day).rounded(.down)
        // A certificate may say the year 9999, a clock anything.
        return Int(max(-1_000_000, min(days, 10_000_000)))
    }

    /// True when `authority` signed this certificate.
    public func isSigned(by authority: CertificateFile) -> Bool {
        guard let certificate = try? parse(), let signer = try? authority.parse() else { return false }
        return certificate.issuer == signer.subject
            && signer.publicKey.isValidSignature(certificate.signature, for: certificate)
    }

    /// True when `key` is its key.
    public func fits(_ key: ServerKey) -> Bool { (try? parse())?.publicKey == key.key.publicKey }

    /// Checks that `authority` signed this certificate and that `key` is its key.
    ///
    /// - Throws: ``CertificateError``.
    public func check(signedBy authority: CertificateFile, key: ServerKey) throws(CertificateError) {
        guard isSigned(by: authority) else { throw .signedByAnother }
        guard fits(key) else { throw .keyOfAnother }
    }
}

/// What is wrong with a certificate or key.
public enum CertificateError: Error, Equatable, CustomStringConvertible {
    /// The text is not a certificate.
    case notACertificate(String)
    /// The text is not a private key.
    case notAKey(String)
    /// The text is longer than ``CertificateFile/mostBytes``.
    case tooLong
    /// The text holds more than ``CertificateFile/mostInOneFile`` certificates.
    case tooMany
    /// Certificate and private key do not belong together.
    case keyOfAnother
    /// The certificate was signed by another authority.
    case signedByAnother
    /// The certificate may not sign others.
    case notAnAuthority
    /// The certificate library refused; its words.
    case cannotMake(String)

    /// For people.
    public var description: String {
        switch self {
        case .notACertificate(let why): "it holds no certificate in PEM form (\(why))"
        case .notAKey(let why): "it holds no private key in PEM form (\(why))"
        case .tooLong: "it is longer than \(CertificateFile.mostBytes) bytes"
        case .tooMany: "it holds more than \(CertificateFile.mostInOneFile) certificates"
        case .keyOfAnother: "certificate and private key do not belong together"
        case .signedByAnother: "the certificate was signed by another authority"
        case .notAnAuthority: "the certificate is not one of an authority"
        case .cannotMake(let why): "the certificate could not be made (\(why))"
        }
    }
}
