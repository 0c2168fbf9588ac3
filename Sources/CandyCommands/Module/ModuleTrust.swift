import Access
import IOCOM
import IOCOMTransport
import IODevice

/// Whom a module believes to be its server.
struct ModuleTrust: Sendable {
    enum Standing: Sendable, Equatable {
        /// Certificates were given at the start, and none over the network; or there is no TLS.
        case given
        /// Certificates came over the network (block 9).
        case paired
        /// They came and have not proved themselves.
        case onTrial
        /// There are none: whoever answers may give some, and can do nothing else.
        case unpaired
    }

    let standing: Standing
    /// For connections over TLS; nil when there is nothing to make them with.
    let client: TLSClient?

    /// Reads block 9 of a module that was started with `settings`. Certificates given at the start are trusted as well.
    init(_ settings: CandySettings, _ keeper: TrustKeeper) throws {
        let state = try keeper.state()
        guard let chain = state.chain else {
            if settings.tls != nil || !settings.pairs {
                standing = .given
                client = settings.tls
            } else {
                standing = .unpaired
                client = try TLSClient.trustingAnybody()
            }
            return
        }
        standing = state.isOnTrial ? .onTrial : .paired
        client = try TLSClient.trusting(
            pem: String(decoding: chain, as: UTF8.self) + (settings.trustPEM ?? ""),
            allowsExpired: settings.allowsExpired)
    }
}
