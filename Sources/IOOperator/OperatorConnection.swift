public import IOCOM
public import IOCOMTransport

/// How an operator reaches devices.
public struct OperatorConnection: Sendable {
    /// Where the server is, or where to listen.
    public var address: ConnectionAddress
    /// User name without network: `root`.
    public var user: UserName
    /// Network to log in to.
    public var network: NetworkName
    /// Password; sent only over TLS.
    public var password: PasswordText
    /// What to demand of a server's certificate.
    public var trust: TLSClientSettings
    /// Certificate and key when listening on TLS.
    public var serverCredentials: TLSServerSettings?

    /// Composes a connection.
    public init(
        address: ConnectionAddress, user: UserName, network: NetworkName, password: PasswordText,
        trust: TLSClientSettings, serverCredentials: TLSServerSettings? = nil
    ) {
        self.address = address
        self.user = user
        self.network = network
        self.password = password
        self.trust = trust
        self.serverCredentials = serverCredentials
    }
}
