import FoundationEssentials
public import NIOCore
import NIOSSL
import Synchronization

/// What a client needs to make TLS connections.
public struct TLSClient: Sendable {
    /// How a server's certificate is judged.
    enum Verification: Sendable {
        /// By the context: chain, time and, unless switched off, the host name.
        case chain
        /// By its chain, at whatever time; the host name, unless switched off, by the context.
        case atAnyTime(CertificateTrust)
        /// By its chain and time.
        case inTime(CertificateTrust)
        /// Whoever answers.
        case anybody
        /// It must be this one, DER.
        case exactly([UInt8])
        /// Not at all: the certificates are handed over, leaf first, and the connection ends before anything is sent.
        case show(@Sendable ([[UInt8]]) -> Void)
    }

    let context: NIOSSLContext
    let verification: Verification

    init(_ context: NIOSSLContext, _ verification: Verification) {
        self.context = context
        self.verification = verification
    }

    /// A handler for one connection; `name` is what the certificate has to be for, nil for a numeric address.
    func makeHandler(_ name: String?) throws -> NIOSSLClientHandler {
        switch verification {
        case .chain: return try NIOSSLClientHandler(context: context, serverHostname: name)
        case .atAnyTime(let trust): return try judging(trust, name, allowsExpired: true)
        case .inTime(let trust): return try judging(trust, name, allowsExpired: false)
        case .anybody:
            return try NIOSSLClientHandler(context: context, serverHostname: name) { _, promise in
                promise.succeed(NIOSSLVerificationResult.certificateVerified)
            }
        case .exactly(let expected):
            return try NIOSSLClientHandler(context: context, serverHostname: name) { certificates, promise in
                let isIt = (try? certificates.first?.toDERBytes()) == expected
                promise.succeed(isIt ? NIOSSLVerificationResult.certificateVerified : .failed)
            }
        case .show(let show):
            return try NIOSSLClientHandler(context: context, serverHostname: name) { certificates, promise in
                show(certificates.compactMap { try? $0.toDERBytes() })
                promise.succeed(NIOSSLVerificationResult.failed)
            }
        }
    }
}

extension TLSClient {
    private func judging(
        _ trust: CertificateTrust, _ name: String?, allowsExpired: Bool
    ) throws -> NIOSSLClientHandler {
        try NIOSSLClientHandler(context: context, serverHostname: name) { certificates, promise in
            promise.completeWithTask {
                let chain = certificates.compactMap { try? $0.toDERBytes() }
                switch await trust.judge(chain, host: nil, now: .now) {
                case .trusted: return NIOSSLVerificationResult.certificateVerified
                case .outOfDate where allowsExpired: return .certificateVerified
                case .outOfDate, .otherHost, .untrusted, .unreadable: return .failed
                }
            }
        }
    }

    /// Trusts whoever answers: for a device that has nothing to trust yet (wire-protocol.md 1.2). What it sends can be read by
    /// who sits in between.
    public static func trustingAnybody() throws -> TLSClient {
        TLSClient(try TLSClientSettings(trustFile: nil, verifiesHostName: false).makeContext(), .anybody)
    }

    /// Trusts the authorities of a PEM text, whatever host their certificates are for: those that a device was given.
    /// Throws ``LinkError`` when it holds none.
    public static func trusting(pem: String, allowsExpired: Bool) throws -> TLSClient {
        let trust = try CertificateTrust(pem: pem.replacing("\0", with: "\n"))
        let context = try TLSClientSettings(trustFile: nil, verifiesHostName: false).makeContext()
        return TLSClient(context, allowsExpired ? .atAnyTime(trust) : .inTime(trust))
    }
}

/// Looks at the certificate that a server shows, without trusting it and without sending anything.
public enum ServerCertificate {
    /// The certificates, leaf first, DER. Throws when no connection came to be or the server does not speak TLS.
    public static func fetch(from address: ConnectionAddress, on loop: any EventLoop) async throws -> [[UInt8]] {
        let promise = loop.makePromise(of: [[UInt8]].self)
        let once = FirstResult(promise)
        let context = try TLSClientSettings(trustFile: nil).makeContext()
        let client = TLSClient(context, .show { certificates in once.complete(.success(certificates)) })
        try await loop.flatSubmit {
            Dialer.connect(to: address, tls: client, on: loop, reader: CertificateReader { once.complete($0) })
        }.map { _ in }.flatMapErrorThrowing { error in
            once.complete(.failure(error))
        }.get()
        return try await promise.futureResult.get()
    }

    private final class CertificateReader: ByteLinkReader {
        private let end: (Result<[[UInt8]], any Error>) -> Void

        init(_ end: @escaping (Result<[[UInt8]], any Error>) -> Void) { self.end = end }

        func opened(_ link: ByteLink) { link.close() }
        func received(_ bytes: ByteBuffer, on link: ByteLink) {}
        func becameWritable(_ link: ByteLink) {}

        func closed(_ link: ByteLink, error: (any Error)?) {
            end(
                .failure(
                    error ?? LinkError.cannotConnect("the server closed the connection before it showed a certificate"))
            )
        }
    }
}

/// A promise that the first result completes; later ones are of no interest.
private final class FirstResult: Sendable {
    private let promise: EventLoopPromise<[[UInt8]]>
    private let isDone = Mutex(false)

    init(_ promise: EventLoopPromise<[[UInt8]]>) { self.promise = promise }

    func complete(_ result: Result<[[UInt8]], any Error>) {
        let isFirst = isDone.withLock { done in
            defer { done = true }
            return !done
        }
        if isFirst { promise.completeWith(result) }
    }
}
