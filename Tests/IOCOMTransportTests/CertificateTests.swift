import Foundation
import IOCOMTransport
import NIOCore
import NIOPosix
import NIOSSL
import ServerData
import Testing
import UpdateTesting

/// What clients accept of a server's certificate, over real connections.
@Suite(.timeLimit(.minutes(5))) struct CertificateTests {
    private static let day: Double = 86_400
    private let base: TemporaryFolder
    private var folder: String { base.path }

    init() throws { base = try TemporaryFolder() }

    /// An authority that was made some days ago, and a certificate of its that was made then.
    private struct Made {
        let authority: CertificateAuthority
        let certificate: CertificateFile
        let tls: NIOSSLContext
        let trust: String

        init(daysAgo: Double, names: [String] = [], in folder: String) throws {
            let then = Date.now - daysAgo * CertificateTests.day
            authority = try CertificateAuthority(host: "io", now: then)
            let key = ServerKey()
            certificate = try authority.issue(for: try ServerNames(names), key: key, now: then)
            tls = try TLSServerSettings.makeContext(certificatePEM: certificate.pem, keyPEM: try key.pem())
            trust = "\(folder)/\(UUID().uuidString).pem"
            try authority.certificate.pem.write(toFile: trust, atomically: false, encoding: .utf8)
        }
    }

    private final class Reader: ByteLinkReader, @unchecked Sendable {
        private let ended: EventLoopPromise<String>
        private(set) var link: ByteLink?

        init(_ ended: EventLoopPromise<String>) { self.ended = ended }
        func opened(_ link: ByteLink) {
            self.link = link
            ended.succeed("opened")
        }
        func received(_ bytes: ByteBuffer, on link: ByteLink) {}
        func becameWritable(_ link: ByteLink) {}
        func closed(_ link: ByteLink, error: (any Error)?) { ended.succeed(error.map { "\($0)" } ?? "closed") }
    }

    private final class Server: @unchecked Sendable {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        var listener: Listener?
        var address: ConnectionAddress { listener?.address ?? ConnectionAddress(transport: .tls, host: "127.0.0.1") }

        init(_ tls: NIOSSLContext) async throws {
            var asked = ConnectionAddress(transport: .tls, host: "127.0.0.1")
            asked.port = 0
            let address = asked
            try await loop.flatSubmit { [loop] in
                Listener.bind(address, tls: tls, on: loop) { Reader(loop.makePromise()) }
                    .assumeIsolated().map { self.listener = $0 }.nonisolated()
            }.get()
        }

        func use(_ tls: NIOSSLContext) async throws {
            try await loop.submit { self.listener?.use(tls) }.get()
        }

        func close() async throws {
            try await loop.flatSubmit { self.listener?.close() ?? self.loop.makeSucceededVoidFuture() }.get()
        }
    }

    /// Connects as a client; `opened`, or why not.
    private func connect(_ server: Server, _ settings: TLSClientSettings, host: String = "127.0.0.1") async throws
        -> String
    {
        let loop = server.loop
        let promise = loop.makePromise(of: String.self)
        let client = try settings.makeClient()
        var target = server.address
        target.host = host
        let address = target
        try await loop.flatSubmit {
            let reader = Reader(promise)
            return Dialer.connect(to: address, tls: client, on: loop, reader: reader)
        }.get()
        return try await promise.futureResult.get()
    }

    private func strict(_ trust: String) -> TLSClientSettings { TLSClientSettings(trustFile: trust) }
    private func anyTime(_ trust: String, names: Bool = true) -> TLSClientSettings {
        TLSClientSettings(trustFile: trust, verifiesHostName: names, allowsExpired: true)
    }

    @Test func anEndedCertificateIsRefusedUnlessItIsAllowed() async throws {
        let made = try Made(daysAgo: 800, in: folder)
        let server = try await Server(made.tls)
        let refused = try await connect(server, strict(made.trust))
        #expect(refused.contains("certificate") && refused != "opened")
        #expect(try await connect(server, anyTime(made.trust)) == "opened")
        try await server.close()
    }

    @Test func whoAllowsEndedCertificatesStillChecksEverythingElse() async throws {
        let made = try Made(daysAgo: 800, in: folder)
        let other = try Made(daysAgo: 800, in: folder)
        let server = try await Server(made.tls)
        #expect(try await connect(server, anyTime(other.trust)) != "opened")
        #expect(try await connect(server, anyTime(made.trust), host: "localhost") == "opened")
        try await server.close()

        // The name of the host, unless that is switched off: a certificate for another one.
        let named = try CertificateAuthority(host: "io", now: .now)
        let trust = "\(folder)/named.pem"
        try named.certificate.pem.write(toFile: trust, atomically: false, encoding: .utf8)
        let stranger = try await Server(try foreign(signedBy: named))
        #expect(try await connect(stranger, anyTime(trust), host: "127.0.0.1") != "opened")
        #expect(try await connect(stranger, anyTime(trust, names: false), host: "127.0.0.1") == "opened")
        try await stranger.close()
    }

    /// A certificate of openssl without any name, as the original's are, below an authority of ours.
    private func foreign(signedBy authority: CertificateAuthority) throws -> NIOSSLContext {
        try authority.certificate.pem.write(toFile: "\(folder)/f-ca.pem", atomically: false, encoding: .utf8)
        try authority.keyPEM().write(toFile: "\(folder)/f-ca.key", atomically: false, encoding: .utf8)
        try openssl("req -newkey rsa:2048 -nodes -keyout f.key -subj /CN=theirs -out f.csr")
        try openssl("x509 -req -in f.csr -CA f-ca.pem -CAkey f-ca.key -CAcreateserial -days 30 -out f.pem")
        return try TLSServerSettings(certificateFile: "\(folder)/f.pem", keyFile: "\(folder)/f.key").makeContext()
    }

    private func openssl(_ arguments: String) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = arguments.split(separator: " ").map(String.init)
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "openssl \(arguments)")
    }

    private func der(_ file: String) throws -> [UInt8] {
        try NIOSSLCertificate.fromPEMFile("\(folder)/\(file)")[0].toDERBytes()
    }

    /// Root, authority and server with RSA keys and no names of hosts: the form of the original's example chain.
    @Test func aChainLikeTheOriginalsIsJudged() async throws {
        try openssl(
            "req -x509 -newkey rsa:2048 -nodes -keyout root.key -subj /C=FI/O=iocafe/CN=root -days 30 -out root.pem")
        try openssl("req -newkey rsa:2048 -nodes -keyout mid.key -subj /C=FI/O=iocafe/CN=alice -out mid.csr")
        try "basicConstraints=CA:TRUE\n".write(toFile: "\(folder)/ca.ext", atomically: false, encoding: .utf8)
        try openssl(
            "x509 -req -in mid.csr -CA root.pem -CAkey root.key -CAcreateserial -extfile ca.ext -days 20 -out mid.pem")
        try openssl("req -newkey rsa:2048 -nodes -keyout leaf.key -subj /C=FI/CN=frank -out leaf.csr")
        try openssl("x509 -req -in leaf.csr -CA mid.pem -CAkey mid.key -CAcreateserial -days 10 -out leaf.pem")
        let trust = try CertificateTrust(file: "\(folder)/root.pem")
        let chain = [try der("leaf.pem"), try der("mid.pem")]
        guard case .trusted = await trust.judge(chain, host: nil, now: .now) else {
            Issue.record("not trusted")
            return
        }
        for (days, name) in [(11.0, "frank"), (25, "frank"), (60, "frank")] {
            guard
                case .outOfDate(let subject, _, let end) = await trust.judge(
                    chain, host: nil, now: .now + days * Self.day)
            else {
                Issue.record("not out of date after \(days) days")
                continue
            }
            #expect(subject.contains(name) && end > .now)
        }
        guard case .outOfDate = await trust.judge(chain, host: nil, now: .now - 10 * Self.day) else {
            Issue.record("valid before its time")
            return
        }
        #expect(await trust.judge(chain, host: "other.example", now: .now) == .otherHost)
        guard case .untrusted(let issuer) = await trust.judge([chain[0]], host: nil, now: .now) else {
            Issue.record("trusted without the certificate between")
            return
        }
        #expect(issuer.contains("alice"))
    }

    @Test func aCertificateForClientsIsNotOneForServers() async throws {
        try openssl("req -x509 -newkey rsa:2048 -nodes -keyout root.key -subj /CN=root -days 30 -out root.pem")
        try openssl("req -newkey rsa:2048 -nodes -keyout leaf.key -subj /CN=client -out leaf.csr")
        try "extendedKeyUsage=clientAuth\n".write(toFile: "\(folder)/use.ext", atomically: false, encoding: .utf8)
        try openssl(
            "x509 -req -in leaf.csr -CA root.pem -CAkey root.key -CAcreateserial -extfile use.ext -days 10 -out leaf.pem"
        )
        let verdict = await (try CertificateTrust(file: "\(folder)/root.pem"))
            .judge([try der("leaf.pem")], host: nil, now: .now)
        guard case .untrusted = verdict else {
            Issue.record("\(verdict)")
            return
        }
        #expect(await CertificateTrust.system.judge([[1, 2, 3]], host: nil, now: .now) != .untrusted(issuer: ""))
        guard case .unreadable = await CertificateTrust.system.judge([[1, 2, 3]], host: nil, now: .now) else {
            Issue.record("rubbish was read")
            return
        }
    }

    @Test func textThatIsNoTrustIsRefused() throws {
        for text in [
            "", "x", "-----BEGIN CERTIFICATE-----", String(repeating: "x", count: CertificateTrust.mostBytes + 1),
        ] {
            #expect(throws: LinkError.self) { try CertificateTrust(pem: text) }
        }
        #expect(throws: LinkError.self) { try CertificateTrust(file: "\(folder)/missing") }
        let pem = try CertificateAuthority(host: "io", now: .now).certificate.pem
        #expect(try CertificateTrust(pem: pem + "\0").authorities.count == 1)
    }

    @Test func anotherCertificateIsServedWithoutTouchingWhoIsThere() async throws {
        let first = try Made(daysAgo: 1, in: folder)
        let second = try Made(daysAgo: 1, in: folder)
        let server = try await Server(first.tls)
        #expect(try await connect(server, strict(first.trust)) == "opened")
        let loop = server.loop
        let stays = loop.makePromise(of: String.self)
        let client = try strict(first.trust).makeClient()
        let address = server.address
        let reader = Reader(stays)
        try await loop.flatSubmit { Dialer.connect(to: address, tls: client, on: loop, reader: reader) }.get()
        #expect(try await stays.futureResult.get() == "opened")

        try await server.use(second.tls)
        #expect(try await connect(server, strict(first.trust)) != "opened")
        #expect(try await connect(server, strict(second.trust)) == "opened")
        #expect(try await loop.submit { reader.link?.isWritable }.get() == true)
        let shown = try await ServerCertificate.fetch(from: address, on: loop)
        #expect(try CertificateFile(der: try #require(shown.first)) == second.certificate)
        try await server.close()
    }
}
