import ByteTools
import Crypto
import Foundation
import PackedJSON
import SwiftASN1
import X509

/// A certificate for people who compare it.
enum CertificateText {
    /// SHA-256 in groups of two digits, as other tools show it.
    static func fingerprint(_ der: [UInt8]) -> String {
        let digits = Array(hexadecimal(Array(SHA256.hash(data: der))).uppercased())
        return stride(from: 0, to: digits.count, by: 2).map { String(digits[$0..<min($0 + 2, digits.count)]) }
            .joined(separator: ":")
    }

    static func json(_ der: [UInt8]) throws -> JSON {
        let certificate: Certificate
        do { certificate = try Certificate(derEncoded: der) } catch {
            throw WebError(.failed, "the server's certificate can't be read: \(error)")
        }
        var names: [JSON] = []
        if let list = try? certificate.extensions.subjectAlternativeNames {
            for name in list.prefix(100) {
                switch name {
                case .dnsName(let text): names.append(.string(text))
                case .ipAddress(let bytes): names.append(.string(address(Array(bytes.bytes))))
                default: break
                }
            }
        }
        func moment(_ date: Date) -> JSON { WebTime.json(Int64(date.timeIntervalSince1970)) }
        return [
            "subject": .string(certificate.subject.description), "issuer": .string(certificate.issuer.description),
            "names": .array(names), "notBefore": moment(certificate.notValidBefore),
            "notAfter": moment(certificate.notValidAfter), "fingerprint": .string(fingerprint(der)),
            "authorityFingerprint": .null, "selfSigned": .bool(certificate.subject == certificate.issuer),
        ]
    }

    private static func address(_ bytes: [UInt8]) -> String {
        if bytes.count == 4 { return bytes.map(String.init).joined(separator: ".") }
        return stride(from: 0, to: bytes.count - 1, by: 2)
            .map { String(Int(bytes[$0]) << 8 | Int(bytes[$0 + 1]), radix: 16) }.joined(separator: ":")
    }
}

/// Certificates as text.
enum PEMText {
    static func certificate(_ der: [UInt8]) -> String {
        PEMDocument(type: "CERTIFICATE", derBytes: der).pemString + "\n"
    }
}
