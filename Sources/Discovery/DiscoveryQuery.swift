public import IOCOM
public import IOCOMTransport

/// Which server is looked for.
public struct DiscoveryQuery: Hashable, Sendable {
    /// Which addresses will do.
    public enum Family: Hashable, Sendable {
        /// Both; of addresses that are known, IPv4 goes before IPv6.
        case any
        /// IPv6 only.
        case ipv6
    }

    /// The network that it serves; nil is any.
    public var network: NetworkName?
    /// How it must be reached; nil is both.
    public var transport: ConnectionAddress.Transport?
    /// Its address.
    public var family: Family

    /// Composes a query.
    public init(network: NetworkName? = nil, transport: ConnectionAddress.Transport? = nil, family: Family = .any) {
        self.network = network
        self.transport = transport
        self.family = family
    }

    func accepts(_ network: NetworkName, _ mark: EndPoint.Mark) -> Bool {
        if let wanted = self.network, wanted != network { return false }
        if let transport, (transport == .tls) != mark.isSecure { return false }
        return family == .any || mark.isIPv6
    }
}
