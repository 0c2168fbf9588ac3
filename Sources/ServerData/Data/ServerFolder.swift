public import IOCOM

/// The data folder of a server.
///
/// | file | content |
/// |---|---|
/// | `server.json` | ``ServerSettings`` |
/// | `ca.pem`, `ca.key.pem` | own authority; the key may be kept elsewhere, then nothing can be renewed |
/// | `next-ca.pem`, `next-ca.key.pem` | only during a change of the authority: the one that comes |
/// | `server.pem`, `server.key.pem` | certificate of the server and its key; of several keys the one that fits counts |
/// | `trust.pem` | what clients have to trust: hand this file out |
/// | `persistent-10.dat` | the same for devices, with a zero byte at its end |
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
    /// Certificate of the own authority: the one that signed the server's certificate.
    public let authority: CertificateFile
    /// How far a change of the authority has come.
    public let authorityChange: AuthorityChange
    /// The server's certificate.
    public let certificate: CertificateFile
    /// PEM text of what clients have to trust.
    public let trustPEM: String
    /// The certificates of ``trustPEM``.
    public let trusted: [CertificateFile]

    let files: FolderFiles
    let key: ServerKey
    /// `server.key.pem` holds keys beside ``key``: a replacement was cut.
    let hasSpareKeys: Bool

    enum Name {
        static let incomplete = "incomplete"
        static let settings = "server.json"
        static let authority = "ca.pem"
        static let authorityKey = "ca.key.pem"
        static let certificate = "server.pem"
        static let key = "server.key.pem"
        static let trust = "trust.pem"
        static let nextAuthority = "next-ca.pem"
        static let nextAuthorityKey = "next-ca.key.pem"
        static let lock = "certificates.lock"
        /// What the server gives to devices (application-layer.md 3.1).
        static let publishedTrust = block(10)
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
        certificate = try files.certificate(Name.certificate).0
        let first = try files.certificate(Name.authority).0
        let next = files.exists(Name.nextAuthority) ? try files.certificate(Name.nextAuthority).0 : nil
        let keys = try files.keys(Name.key)
        hasSpareKeys = keys.count > 1
        (trusted, trustPEM) = try files.certificates(Name.trust)
        let authorityName: String
        do {
            (authority, authorityChange, authorityName) = try Self.authority(of: certificate, first, next)
            guard let key = keys.first(where: certificate.fits) else { throw CertificateError.keyOfAnother }
            self.key = key
        } catch {
            throw FolderError(
                .damaged, files.path(Name.certificate), "\(error)",
                "put the files ca.pem, server.pem and server.key.pem back as they were together")
        }
        guard trusted.contains(where: { [authority] in $0.fingerprint == authority.fingerprint }) else {
            throw FolderError(
                .damaged, files.path(Name.trust), "it does not hold the certificate of \(authorityName)",
                "copy \(authorityName) over it and hand it out again")
        }
    }

    /// Who signed a server's certificate tells how far a change of the authority has come: the change itself is the
    /// replacement of that one file.
    private static func authority(
        of certificate: CertificateFile, _ first: CertificateFile, _ next: CertificateFile?
    ) throws(CertificateError) -> (CertificateFile, AuthorityChange, String) {
        if certificate.isSigned(by: first) { return (first, next.map { .prepared(next: $0) } ?? .none, Name.authority) }
        if let next, certificate.isSigned(by: next) { return (next, .switched(previous: first), Name.nextAuthority) }
        throw .signedByAnother
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

    func text(_ name: String, isSecret: Bool = false) throws(FolderError) -> String {
        String(decoding: try read(name, limit: CertificateFile.mostBytes, isSecret: isSecret), as: UTF8.self)
    }

    fileprivate func certificate(_ name: String) throws(FolderError) -> (CertificateFile, String) {
        let pem = try text(name)
        do { return (try CertificateFile(pem: pem), pem) } catch {
            throw FolderError(.damaged, path(name), "\(error)", "restore it from a backup")
        }
    }

    fileprivate func certificates(_ name: String) throws(FolderError) -> ([CertificateFile], String) {
        let pem = try text(name)
        do { return (try CertificateFile.all(pem: pem), pem) } catch {
            throw FolderError(.damaged, path(name), "\(error)", "restore it from a backup")
        }
    }

    fileprivate func keys(_ name: String) throws(FolderError) -> [ServerKey] {
        let pem = try text(name, isSecret: true)
        do { return try ServerKey.all(pem: pem) } catch {
            throw FolderError(.damaged, path(name), "\(error)", "restore it from a backup")
        }
    }
}
