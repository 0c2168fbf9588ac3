public import IOCOMTransport

/// Why a server that is found can't be trusted.
public struct ServerAddressError: Error, Equatable, CustomStringConvertible {
    /// For people.
    public let description: String
}

extension TLSClientSettings {
    /// What is demanded of a server at `address`.
    ///
    /// The address of a server that was found was said by nobody trustworthy, and a certificate need not name it. So its
    /// certificate must come from an authority of the owner's own, whose every server is good; that of the whole world,
    /// which the system trusts, would make any server of the world good.
    ///
    /// - Throws: ``ServerAddressError`` for a server that is looked for without such an authority.
    public func demanding(of address: ServerAddress) throws(ServerAddressError) -> TLSClientSettings {
        guard case .discovered = address else { return self }
        guard trustFile != nil else {
            throw ServerAddressError(
                description: "a server that is looked for needs the authority to trust: give the trust.pem of its frank"
            )
        }
        var settings = self
        settings.verifiesHostName = false
        return settings
    }

    /// Loads the files for a client of a server at `address`.
    public func makeClient(for address: ServerAddress) throws -> TLSClient { try demanding(of: address).makeClient() }
}
