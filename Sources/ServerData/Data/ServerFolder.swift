public import FoundationEssentials
public import IOCOM

/// The data folder of a server.
///
/// | file | content |
/// |---|---|
/// | `server.json` | ``ServerSettings`` |
/// | `ca.pem`, `ca.key.pem` | own authority; the key may be kept elsewhere, then nothing can be renewed |
/// | `server.pem`, `server.key.pem` | certificate of the server and its key |
/// | `trust.pem` | what clients have to trust: hand this file out |
/// | `persistent-12.dat` | ``AutomaticNumbers`` |
/// | `persistent-21.dat` … | accounts of the published networks, packed JSON |
/// | `incomplete` | only while the folder is being made |
///
/// The folder has mode 0700, secrets 0600; every file is replaced atomically.
public struct ServerFolder: Sendable {
    /// Path of the folder.
    public var path: String { files.folder }
    /// What the server is.
    public let settings: ServerSettings
    /// Certificate of the own authority.
    public let authority: CertificateFile
    /// The server's certificate.
    public private(set) var certificate: CertificateFile
    /// PEM text of what clients have to trust.
    public let trustPEM: String

    let files: FolderFiles
    private let key: ServerKey

    enum Name {
        static let incomplete = "incomplete"
        static let settings = "server.json"
        static let authority = "ca.pem"
        static let authorityKey = "ca.key.pem"
        static let certificate = "server.pem"
        static let key = "server.key.pem"
        static let trust = "trust.pem"
        static func block(_ number: Int) -> String { "persistent-\(number).dat" }
    }

    /// Longest accounts block that is read.
    public static let mostAccountsBytes = 4 << 20

    /// Opens the folder that ``create(at:options:)`` made.
    ///
    /// Checks everything a server needs to start. A damaged accounts block does not keep the folder from opening, see
    /// ``accounts(of:)``: one network without logins is better than a server that does not start.
    ///
    /// - Throws: ``FolderError``.
    public static func open(at path: String) throws(FolderError) -> ServerFolder {
        try ServerFolder(FolderFiles(path))
    }

    init(_ files: FolderFiles) throws(FolderError) {
        self.files = files
        let folder = files.folder
        guard let names = try files.names(), !names.isEmpty else {
            throw FolderError(.missing, folder, "there is no data folder", "make one with: frank init --data \(folder)")
        }
        guard !Self.isHalfMade(names) else { throw Self.halfMade(folder) }
        try files.checkFolderMode()
        settings = try files.settings()
        authority = try files.certificate(Name.authority).0
        certificate = try files.certificate(Name.certificate).0
        key = try files.key(Name.key)
        let (trusted, trustPEM) = try files.certificate(Name.trust)
        self.trustPEM = trustPEM
        do { try certificate.check(signedBy: authority, key: key) } catch {
            throw FolderError(
                .damaged, files.path(Name.certificate), "\(error)",
                "put the files ca.pem, server.pem and server.key.pem back as they were together")
        }
        guard trusted.fingerprint == authority.fingerprint else {
            throw FolderError(
                .damaged, files.path(Name.trust), "it does not start with the certificate of ca.pem",
                "copy ca.pem over it and hand it out again")
        }
    }

    /// The mark is there, or a kill came while the mark itself was written.
    static func isHalfMade(_ names: [String]) -> Bool {
        names.contains { $0 == Name.incomplete || $0.hasPrefix("." + Name.incomplete) }
    }

    static func halfMade(_ folder: String) -> FolderError {
        FolderError(
            .halfMade, folder, "making this data folder was interrupted, it is incomplete and was never used",
            "remove the folder and run frank init again")
    }
}

// MARK: What a running server asks for

extension ServerFolder {
    /// The certificate chain and private key for the TLS listener, PEM.
    ///
    /// - Throws: ``CertificateError``.
    public func tlsPEM() throws(CertificateError) -> (certificate: String, key: String) {
        (certificate.pem, try key.pem())
    }

    /// What devices have to trust, as it is written into their block 9: PEM text with a zero byte at the end
    /// (application-layer.md 3.5). Read anew, so that it is what `trust.pem` holds now.
    ///
    /// - Throws: ``FolderError``.
    public func clientChain() throws(FolderError) -> [UInt8] {
        try files.read(Name.trust, limit: CertificateFile.mostBytes) + [0]
    }

    /// Number of the persistent block with the accounts of a network; nil when it is not published.
    public func accountsBlock(of network: NetworkName) -> Int? {
        settings.publish.firstIndex(of: network).map { ServerSettings.accountsBlock + 1 + $0 }
    }

    /// Reads the accounts of a published network.
    ///
    /// - Throws: ``FolderError`` naming the file; nobody can log in on that network then.
    public func accounts(of network: NetworkName) throws(FolderError) -> Accounts {
        let name = try accountsFile(network)
        let bytes = try files.read(name, limit: Self.mostAccountsBytes)
        do { return try Accounts(packed: bytes) } catch {
            throw FolderError(
                .damaged, files.path(name), "\(error)",
                "restore it from a backup; until then nobody can log in on network \(network)")
        }
    }

    /// Replaces the accounts of a published network.
    ///
    /// - Throws: ``FolderError``; the old ones stay then.
    public func save(_ accounts: Accounts, of network: NetworkName) throws(FolderError) {
        let name = try accountsFile(network)
        let bytes: [UInt8]
        do {
            bytes = try accounts.packed()
            guard try Accounts(packed: bytes).users.count == accounts.users.count else {
                throw AccountsError.notAnObject
            }
        } catch {
            throw FolderError(.notWritten, files.path(name), "\(error)", "correct the accounts")
        }
        guard bytes.count <= Self.mostAccountsBytes else {
            throw FolderError(
                .notWritten, files.path(name), "the accounts need \(bytes.count) bytes, more than is read back",
                "remove some")
        }
        try files.write(name, bytes)
    }

    /// The table of automatic numbers, and what was wrong with the stored one when it starts empty for that reason.
    public func automaticNumbers() -> (table: AutomaticNumbers, problem: String?) {
        let name = Name.block(12)
        guard files.exists(name) else { return (AutomaticNumbers(), nil) }
        do {
            return (try AutomaticNumbers(bytes: try files.read(name, limit: AutomaticNumbers.mostBytes)), nil)
        } catch {
            return (AutomaticNumbers(), "\(error)")
        }
    }

    /// Stores the table of automatic numbers.
    ///
    /// - Throws: ``FolderError``.
    public func save(_ numbers: AutomaticNumbers) throws(FolderError) { try files.write(Name.block(12), numbers.bytes) }

    /// Renews the server's certificate with the same key, for `names`, or for the names it has now.
    ///
    /// - Throws: ``FolderError``, among others when the key of the authority is not in the folder.
    public mutating func renewCertificate(names: ServerNames? = nil, now: Date) throws(FolderError) {
        let authorityKey = try files.text(Name.authorityKey, isSecret: true)
        let renewed: CertificateFile
        do {
            let authority = try CertificateAuthority(certificatePEM: authority.pem, keyPEM: authorityKey)
            let present = try names ?? ServerNames(certificate.names)
            renewed = try authority.issue(for: present, key: key, now: now)
        } catch {
            throw FolderError(.damaged, files.path(Name.authorityKey), "\(error)", "restore it from a backup")
        }
        try files.write(Name.certificate, Array(renewed.pem.utf8), isSecret: false)
        certificate = renewed
    }

    private func accountsFile(_ network: NetworkName) throws(FolderError) -> String {
        guard let block = accountsBlock(of: network) else {
            throw FolderError(
                .badOptions, files.path(Name.settings), "network \(network) is not published",
                "add it to \"publish\" in that file")
        }
        return Name.block(block)
    }
}

// MARK: Reading with the right words when it fails

extension FolderFiles {
    fileprivate func settings() throws(FolderError) -> ServerSettings {
        let name = ServerFolder.Name.settings
        let bytes = try read(name, limit: ServerSettings.mostBytes)
        do { return try ServerSettings(file: bytes) } catch {
            throw FolderError(.damaged, path(name), "\(error)", "correct the file")
        }
    }

    fileprivate func text(_ name: String, isSecret: Bool = false) throws(FolderError) -> String {
        String(decoding: try read(name, limit: CertificateFile.mostBytes, isSecret: isSecret), as: UTF8.self)
    }

    fileprivate func certificate(_ name: String) throws(FolderError) -> (CertificateFile, String) {
        let pem = try text(name)
        do { return (try CertificateFile(pem: pem), pem) } catch {
            throw FolderError(.damaged, path(name), "\(error)", "restore it from a backup")
        }
    }

    fileprivate func key(_ name: String) throws(FolderError) -> ServerKey {
        let pem = try text(name, isSecret: true)
        do { return try ServerKey(pem: pem) } catch {
            throw FolderError(.damaged, path(name), "\(error)", "restore it from a backup")
        }
    }
}
