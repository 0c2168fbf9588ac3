import FoundationEssentials
import IOCOMTransport
import IOOperator
import NIOPosix
import ServerData
import TerminalUI

/// What a server shows to whoever connects, and what is to be thought of it here.
struct CertificateLook {
    let address: ConnectionAddress
    /// Leaf first.
    let chain: [CertificateFile]
    /// DER of the same.
    let bytes: [[UInt8]]

    /// Connects, takes the certificates and closes; nothing is sent and nobody logs in.
    static func take(_ address: ConnectionAddress) async throws -> CertificateLook {
        guard address.transport == .tls else {
            throw Failure(.usage, "\(address) has no certificate: only tls:// servers have one")
        }
        let bytes: [[UInt8]]
        do {
            bytes = try await ServerCertificate.fetch(from: address, on: MultiThreadedEventLoopGroup.singleton.next())
        } catch { throw Failure(.noConnection, "\(error)") }
        do {
            return CertificateLook(
                address: address, chain: try bytes.map { try CertificateFile(der: $0) }, bytes: bytes)
        } catch { throw Failure(.failed, "\(address) shows a certificate that can't be read: \(error)") }
    }

    /// Judges it as the connection would.
    func judge(_ settings: TLSClientSettings) async throws -> CertificateVerdict {
        if settings.isPinned, let file = settings.trustFile {
            let expected = try CertificateFile(pem: try TrustFile.text(file))
            guard let leaf = chain.first, leaf.fingerprint == expected.fingerprint else {
                return .untrusted(issuer: chain.first?.issuer ?? "nobody")
            }
            return .trusted(by: leaf.subject)
        }
        let host = settings.verifiesHostName ? address.host : nil
        let trust: CertificateTrust
        do { trust = try CertificateTrust(file: settings.trustFile) } catch { throw Failure(.failed, "\(error)") }
        return await judge(trust, host: host)
    }

    /// Judges it by these authorities.
    func judge(_ trust: CertificateTrust, host: String?) async -> CertificateVerdict {
        await trust.judge(bytes, host: host, isNumeric: address.isNumeric, now: .now)
    }

    /// Why the verdict is not good, with what to do; nil when it is good.
    func objection(_ verdict: CertificateVerdict, _ settings: TLSClientSettings) -> String? {
        let file = settings.trustFile ?? "this machine's store of authorities"
        switch verdict {
        case .trusted: return nil
        case .outOfDate where settings.allowsExpired: return nil
        case .outOfDate(let subject, let notBefore, let notAfter):
            if Date.now < notBefore {
                return
                    "the certificate of \(address) (\(subject)) is not valid before \(CertificateWords.time(notBefore)), and it is \(CertificateWords.time(.now)) here; look at the clocks of this machine and of the server"
            }
            return
                "the certificate of \(address) (\(subject)) ended at \(CertificateWords.time(notAfter)); renew it on the server with 'frank certificates renew', or connect all the same with --allow-expired"
        case .otherHost:
            let names = chain.first?.names.joined(separator: ", ") ?? ""
            return
                "the certificate of \(address) is for other names (\(names)); use one of them, add this one on the server with 'frank certificates renew --host NAME …', or --no-host-name-check for certificates of the original"
        case .untrusted(let issuer):
            return
                "the certificate of \(address) was signed by \(issuer), which is not in \(file); give --trust with the present trust.pem of that server"
        case .unreadable(let why): return "the certificate of \(address) can't be read: \(why)"
        }
    }

    /// Says what is wrong with a certificate when a connection failed because of it; else what was said before.
    static func explained(
        _ error: OperatorError, _ address: ConnectionAddress, _ settings: TLSClientSettings
    ) async -> OperatorError {
        // The TLS library does not tell more than that, and a second look is worth it only then.
        guard error.kind == .noConnection, address.transport == .tls, !settings.isPinned,
            error.description.contains("certificate"), let look = try? await take(address),
            let verdict = try? await look.judge(settings), let objection = look.objection(verdict, settings)
        else { return error }
        return OperatorError(.noConnection, objection)
    }
}

extension ConnectionAddress {
    /// The host is an address and not a name.
    var isNumeric: Bool { IPAddress(host) != nil }
}
