public import IOCOM
public import IOCOMTransport

/// Where a client's server is: at an address, or wherever one announces the wanted network.
public enum ServerAddress: Equatable, Sendable, CustomStringConvertible {
    /// There and nowhere else.
    case fixed(ConnectionAddress)
    /// To be found.
    case discovered(DiscoveryQuery)

    /// Parses a URL, or `*` (TLS), `tls://*`, `tcp://*`; `[*]` instead of `*` is for IPv6 only (application-layer.md 9.1).
    /// `network` is the one looked for.
    public init(parsing text: String, network: NetworkName) throws(ConnectionAddress.ParseError) {
        let parts = text.firstRange(of: "://").map { (text[..<$0.lowerBound], text[$0.upperBound...]) }
        let (scheme, place) = parts ?? ("tls", text[...])
        guard place.hasPrefix("*") || place.hasPrefix("[*]") else {
            self = .fixed(try ConnectionAddress(parsing: text))
            return
        }
        guard place == "*" || place == "[*]" else {
            throw ConnectionAddress.ParseError(
                "'\(text)' is not an address: the port of a server that is found is in its announcement; write * alone")
        }
        guard let transport = ConnectionAddress.Transport(rawValue: String(scheme)) else {
            throw ConnectionAddress.ParseError(
                "'\(text)' is not an address: transport '\(scheme)' is unknown; expected tls://* or tcp://*")
        }
        self = .discovered(
            DiscoveryQuery(network: network, transport: transport, family: place == "*" ? .any : .ipv6))
    }

    /// How bytes travel.
    public var transport: ConnectionAddress.Transport {
        switch self {
        case .fixed(let address): address.transport
        case .discovered(let query): query.transport ?? .tls
        }
    }

    /// The URL.
    public var description: String {
        switch self {
        case .fixed(let address): address.description
        case .discovered(let query): "\(transport.rawValue)://\(query.family == .any ? "*" : "[*]")"
        }
    }
}
