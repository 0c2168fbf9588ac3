import NIOCore
import NIOPosix
import NIOSSL

/// A socket error as a person would say it.
func explain(_ error: any Error) -> String {
    switch error {
    case let error as NIOConnectionError:
        if let first = error.connectionErrors.first { return explain(first.error) }
        if error.dnsAError != nil || error.dnsAAAAError != nil { return "the host name is not known" }
        return "no address answered"
    case let error as IOError:
        switch error.errnoCode {
        case ECONNREFUSED: return "connection refused; nothing listens there"
        case ECONNRESET: return "the peer reset the connection"
        case EADDRINUSE: return "the port is in use by another program"
        case EADDRNOTAVAIL: return "the address is not one of this machine"
        case EACCES: return "permission denied; ports below 1024 need privileges"
        case EHOSTUNREACH, ENETUNREACH: return "the host cannot be reached"
        default: return String(describing: error)
        }
    case let error as NIOSSLExtraError where error == .failedToValidateHostname:
        return
            "the server's certificate does not name the host that was connected to; use a name or address that it names, or --no-host-name-check for certificates of the original"
    case is NIOSSLError, is BoringSSLError: return explainTLS(String(describing: error))
    case is ChannelError: return "time-out"
    default: return String(describing: error)
    }
}

/// The TLS library tells reasons as names only.
private func explainTLS(_ text: String) -> String {
    let known = [
        (
            "CERTIFICATE_VERIFY_FAILED",
            "the server's certificate is not one that is trusted here; give --trust with the trust.pem of that server, and look whether the certificate has expired"
        ),
        ("UNKNOWN_CA", "the peer does not trust this server's certificate; give it this server's trust.pem"),
        (
            "ALERT_CERTIFICATE_UNKNOWN",
            "the peer looked at this server's certificate and did not go on; if it should, give it this server's trust.pem"
        ),
        ("CERTIFICATE_EXPIRED", "the peer says that the certificate has expired"),
        ("BAD_CERTIFICATE", "the peer does not accept the certificate"),
        ("WRONG_VERSION_NUMBER", "the other end does not speak TLS; is it a plain TCP port?"),
        ("HTTP_REQUEST", "the other end speaks HTTP, not IOCOM"),
        ("UNSUPPORTED_PROTOCOL", "the other end speaks only versions of TLS that are no longer safe"),
    ]
    return known.first { text.contains($0.0) }?.1 ?? "TLS failed: \(text)"
}
