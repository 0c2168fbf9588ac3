import NIOCore
public import NIOSSL

/// What a client demands of a server's certificate.
public struct TLSClientSettings: Sendable {
    /// File with the CA certificates to trust, PEM; nil trusts the system's.
    public var trustFile: String?
    /// The certificate must name the host connected to. Off only for servers with certificates of the original, which
    /// name no host; the chain is verified all the same.
    public var verifiesHostName: Bool

    /// `trustFile` holds the server's own certificate, which a person has compared: that one is trusted and no other,
    /// whatever it says.
    public var isPinned: Bool

    /// Certificates below the authorities of `trustFile` are good at any time, also after their end (wire-protocol.md 1.2).
    /// Everything else is checked all the same. Without effect on the authorities of the system.
    public var allowsExpired: Bool

    /// Settings for one server.
    public init(
        trustFile: String?, verifiesHostName: Bool = true, isPinned: Bool = false, allowsExpired: Bool = false
    ) {
        self.trustFile = trustFile
        self.verifiesHostName = verifiesHostName
        self.isPinned = isPinned
        self.allowsExpired = allowsExpired
    }

    /// Loads the files. Throws when one is missing or damaged.
    public func makeClient() throws -> TLSClient {
        var settings = self
        if allowsExpired, !isPinned, let trustFile {
            return TLSClient(try makeContext(), .atAnyTime(try CertificateTrust(file: trustFile)))
        }
        guard isPinned, let trustFile else { return TLSClient(try makeContext(), .chain) }
        guard let certificate = try NIOSSLCertificate.fromPEMFile(trustFile).first else {
            throw LinkError.cannotConnect("\(trustFile) holds no certificate")
        }
        settings.trustFile = nil
        return TLSClient(try settings.makeContext(), .exactly(try certificate.toDERBytes()))
    }

    func makeContext() throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        // The original speaks TLS 1.2; nothing older is worth trusting.
        configuration.minimumTLSVersion = .tlsv12
        if let trustFile { configuration.trustRoots = .file(trustFile) }
        configuration.certificateVerification = verifiesHostName ? .fullVerification : .noHostnameVerification
        return try NIOSSLContext(configuration: configuration)
    }
}

/// A server's certificate chain and key.
public struct TLSServerSettings: Sendable {
    /// PEM file with the server's certificate and what is between it and the CA.
    public var certificateFile: String
    /// PEM file with the private key.
    public var keyFile: String

    /// Settings from two files.
    public init(certificateFile: String, keyFile: String) {
        self.certificateFile = certificateFile
        self.keyFile = keyFile
    }

    /// Loads the files. Throws when one is missing or damaged.
    public func makeContext() throws -> NIOSSLContext { try NIOSSLContext(configuration: makeConfiguration()) }

    /// Loads the files, for servers that make their context themselves.
    public func makeConfiguration() throws -> TLSConfiguration {
        try Self.configuration(
            try NIOSSLCertificate.fromPEMFile(certificateFile), try NIOSSLPrivateKey(file: keyFile, format: .pem))
    }

    /// From PEM texts that are in memory. Throws when one is damaged, or when they do not belong together.
    public static func makeContext(certificatePEM: String, keyPEM: String) throws -> NIOSSLContext {
        try NIOSSLContext(
            configuration: try configuration(
                try NIOSSLCertificate.fromPEMBytes(Array(certificatePEM.utf8)),
                try NIOSSLPrivateKey(bytes: Array(keyPEM.utf8), format: .pem)))
    }

    private static func configuration(
        _ certificates: [NIOSSLCertificate], _ key: NIOSSLPrivateKey
    ) throws -> TLSConfiguration {
        let chain = certificates.map { NIOSSLCertificateSource.certificate($0) }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv12
        return configuration
    }
}
