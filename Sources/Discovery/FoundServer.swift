public import IOCOM
public import IOCOMTransport

/// Where a message came from, as the system says.
public struct SourceAddress: Hashable, Sendable {
    /// Numeric; a link-local IPv6 address with its zone, `fe80::1%eth0`.
    public var host: String
    /// IPv6, else IPv4.
    public var isIPv6: Bool
    /// Of this machine: nothing from outside comes from such an address.
    public var isLoopback: Bool

    /// Composes an address; what it is follows from its text.
    public init(host: String) {
        self.host = host
        isIPv6 = host.contains(":")
        isLoopback = ConnectionAddress(transport: .tls, host: host).isLoopback
    }
}

/// A network of a server that announced itself. Nothing of it is proved.
public struct FoundServer: Hashable, Sendable {
    /// What the server calls itself.
    public var nickname: Nickname
    /// The network.
    public var network: NetworkName
    /// Where the server says it serves it: the address its message came from, and the port in it.
    public var address: ConnectionAddress
    /// IPv6, else IPv4.
    public var isIPv6: Bool
    /// When it was last heard.
    public var heardAt: Milliseconds

    /// Composes what was found.
    public init(
        nickname: Nickname, network: NetworkName, address: ConnectionAddress, isIPv6: Bool, heardAt: Milliseconds
    ) {
        self.nickname = nickname
        self.network = network
        self.address = address
        self.isIPv6 = isIPv6
        self.heardAt = heardAt
    }
}
