import Foundation
import Testing

@testable import ServerData

@Suite struct CertificateTests {
    private let now = Date(timeIntervalSince1970: 1_800_000_000)

    private func made(_ names: [String] = ["io.example.com", "192.168.1.5", "fd00::5"]) throws -> (
        authority: CertificateAuthority, key: ServerKey, certificate: CertificateFile
    ) {
        let authority = try CertificateAuthority(host: "io", now: now)
        let key = ServerKey()
        return (authority, key, try authority.issue(for: try ServerNames(names), key: key, now: now))
    }

    @Test func theServersCertificateIsForAllItsNames() throws {
        let (authority, key, certificate) = try made()
        #expect(
            certificate.names == [
                "localhost", "io.example.com", "127.0.0.1", "0:0:0:0:0:0:0:1", "192.168.1.5", "fd00:0:0:0:0:0:0:5",
            ])
        #expect(certificate.subject == "CN=io.example.com")
        #expect(certificate.issuer == authority.certificate.subject)
        try certificate.check(signedBy: authority.certificate, key: key)
    }

    @Test func eachAuthorityHasItsOwnName() throws {
        let a = try CertificateAuthority(host: "io", now: now).certificate
        let b = try CertificateAuthority(host: "io", now: now).certificate
        #expect(a.subject != b.subject)
        #expect(a.subject.hasPrefix("CN=iocom CA of io "))
        let long = try CertificateAuthority(host: String(repeating: "h", count: 300), now: now).certificate
        #expect(long.subject.utf8.count <= 3 + 64)
    }

    @Test func validityIsAsPromised() throws {
        let (authority, _, certificate) = try made()
        #expect(authority.certificate.notAfter.timeIntervalSince(now) > 10 * 365 * day)
        #expect(abs(certificate.notAfter.timeIntervalSince(now) - 730 * day) < 2)
        #expect(certificate.notBefore < now)
        #expect(!certificate.isOutOfDate(now: now))
        #expect(certificate.isOutOfDate(now: now + 731 * day))
        #expect(certificate.isOutOfDate(now: now - 2 * day))
        #expect(!certificate.needsRenewal(now: now))
        #expect(certificate.needsRenewal(now: now + 671 * day))
    }

    @Test func aCertificateNeverOutlivesItsAuthority() throws {
        let authority = try CertificateAuthority(host: "io", now: now)
        let late = now + Double(CertificateAuthority.days - 10) * day
        let certificate = try authority.issue(for: try ServerNames([]), key: ServerKey(), now: late)
        #expect(certificate.notAfter == authority.certificate.notAfter)
    }

    @Test func pemIsReadBack() throws {
        let (authority, key, certificate) = try made()
        #expect(try CertificateFile(pem: certificate.pem) == certificate)
        let again = try CertificateAuthority(
            certificatePEM: authority.certificate.pem, keyPEM: try authority.keyPEM())
        let second = try again.issue(
            for: try ServerNames(certificate.names), key: try ServerKey(pem: try key.pem()), now: now + day)
        try second.check(signedBy: authority.certificate, key: key)
        #expect(second.names == certificate.names)
        #expect(second.notAfter > certificate.notAfter)
        #expect(second.fingerprint != certificate.fingerprint)
    }

    @Test func mixedUpFilesAreNoticed() throws {
        let (authority, key, certificate) = try made()
        let other = try made()
        #expect(throws: CertificateError.keyOfAnother) {
            try certificate.check(signedBy: authority.certificate, key: other.key)
        }
        #expect(throws: CertificateError.signedByAnother) {
            try certificate.check(signedBy: other.authority.certificate, key: key)
        }
        #expect(throws: CertificateError.keyOfAnother) {
            try CertificateAuthority(certificatePEM: authority.certificate.pem, keyPEM: try other.authority.keyPEM())
        }
        #expect(throws: CertificateError.notAnAuthority) {
            try CertificateAuthority(certificatePEM: certificate.pem, keyPEM: try key.pem())
        }
    }

    @Test func otherTextIsRefused() throws {
        let (_, key, certificate) = try made()
        let keyPEM = try key.pem()
        for text in [
            "", "x", keyPEM, certificate.pem.replacingOccurrences(of: "M", with: "N"), "-----BEGIN CERTIFICATE-----",
        ] {
            #expect(throws: CertificateError.self) { try CertificateFile(pem: text) }
        }
        #expect(throws: CertificateError.self) { try ServerKey(pem: certificate.pem) }
        #expect(throws: CertificateError.tooLong) {
            try CertificateFile(pem: String(repeating: "x", count: CertificateFile.mostBytes + 1))
        }
        #expect(throws: CertificateError.tooLong) {
            try ServerKey(pem: String(repeating: "x", count: CertificateFile.mostBytes + 1))
        }
    }

    @Test func damagedCertificatesNeverTrap() throws {
        let pem = Array(try made().certificate.pem.utf8)
        var random = SeededGenerator(seed: 6)
        for _ in 0..<2000 {
            var damaged = pem
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                damaged[Int.random(in: 0..<damaged.count, using: &random)] =
                    Array(
                        "ABCDabcd0123+/=\n-".utf8)[Int.random(in: 0..<17, using: &random)]
            }
            _ = try? CertificateFile(pem: String(decoding: damaged, as: UTF8.self))
        }
    }

    @Test(arguments: ["", "a b", "-a", "a-", "a..b", "1.2.3", "10.0.0.256", "x/y", "*", "*.com", "ä.de", "a:b"])
    func whatIsNoNameIsRefused(text: String) {
        #expect(throws: ServerNameError.notAName(text)) { try ServerNames([text]) }
    }

    @Test func namesAreCountedOnceAndBounded() throws {
        let names = try ServerNames(["IO.example", "io.example", "localhost", "127.0.0.1", "::1", "*.example.com"])
        #expect(names.hosts == ["localhost", "io.example", "*.example.com"])
        #expect(names.addresses.count == 2)
        #expect(throws: ServerNameError.tooMany) { try ServerNames((0..<100).map { "host\($0)" }) }
    }

    @Test(.enabled(if: OpenSSL.path != nil, "needs the openssl command"))
    func opensslVerifiesWhatWeMake() throws {
        let (authority, key, certificate) = try made()
        let folder = try TemporaryFolder()
        let trust = try folder.file("trust.pem", authority.certificate.pem)
        let server = try folder.file("server.pem", certificate.pem)
        let other = try folder.file("other.pem", try made().authority.certificate.pem)
        let time = "\(Int(now.timeIntervalSince1970))"
        func verify(_ trust: String, _ more: [String]) throws -> Int32 {
            let always = ["verify", "-x509_strict", "-purpose", "sslserver", "-attime", time, "-CAfile", trust]
            return try OpenSSL.run(always + more + [server]).code
        }
        for more in [
            ["-verify_hostname", "localhost"], ["-verify_hostname", "io.example.com"], ["-verify_ip", "127.0.0.1"],
            ["-verify_ip", "::1"], ["-verify_ip", "192.168.1.5"], ["-verify_ip", "fd00::5"],
        ] { #expect(try verify(trust, more) == 0, "\(more)") }
        #expect(try verify(trust, ["-verify_hostname", "other.example.com"]) != 0)
        #expect(try verify(trust, ["-verify_ip", "192.168.1.6"]) != 0)
        #expect(try verify(other, []) != 0)

        let text = try OpenSSL.run(["x509", "-in", server, "-noout", "-text", "-fingerprint", "-sha256"]).output
        #expect(text.contains(certificate.fingerprint))
        #expect(text.contains("TLS Web Server Authentication"))
        #expect(text.contains("prime256v1"))
        let keyFile = try folder.file("key.pem", try key.pem())
        let publicOfKey = try OpenSSL.run(["pkey", "-in", keyFile, "-pubout"])
        let publicOfCertificate = try OpenSSL.run(["x509", "-in", server, "-noout", "-pubkey"])
        #expect(publicOfKey.code == 0 && publicOfKey.output == publicOfCertificate.output)
    }
}
