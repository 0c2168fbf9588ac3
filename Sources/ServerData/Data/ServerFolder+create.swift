public import FoundationEssentials

/// What a new data folder is made from.
public struct ServerFolderOptions: Sendable {
    /// Own network.
    public var network: String
    /// Published networks; empty publishes the own one.
    public var publish: [String]
    /// Device number of the server.
    public var deviceNumber: UInt32
    /// Name of this machine: part of the authority's name and first of the certificate's names.
    public var hostName: String
    /// Further host names and IP addresses the server is reached under.
    public var names: [String]
    /// For demonstrations: user `root`, password `pass`, which everybody knows.
    public var isDemo: Bool
    /// Present time, for the certificates.
    public var now: Date
    /// Cost of the administrator's password hash.
    public var cost: ScryptCost

    /// Options with their usual values.
    public init(
        network: String = "cafenet", publish: [String] = [], deviceNumber: UInt32 = 1, hostName: String,
        names: [String] = [], isDemo: Bool = false, now: Date, cost: ScryptCost = .standard
    ) {
        self.network = network
        self.publish = publish
        self.deviceNumber = deviceNumber
        self.hostName = hostName
        self.names = names
        self.isDemo = isDemo
        self.now = now
        self.cost = cost
    }
}

extension ServerFolder {
    /// User pattern of the administrator, as in the original's defaults (application-layer.md 7.2).
    public static let administrator = "root*"
    /// Password of demonstrations.
    public static let demoPassword = "pass"

    /// A folder just made.
    public struct Created: Sendable {
        /// The folder.
        public let folder: ServerFolder
        /// Password of the administrator. It is stored nowhere: show it once.
        public let password: String
    }

    /// Makes a data folder: authority, certificate, accounts of each published network with an administrator.
    ///
    /// An existing folder is only used when it is empty. While it is made it holds a file `incomplete`; when that is
    /// still there (the process was killed), opening and making it again both say so.
    ///
    /// - Throws: ``FolderError``. Nothing is removed then, so that nothing can be removed by mistake.
    public static func create(
        at path: String, options: ServerFolderOptions
    ) throws(FolderError) -> Created {
        try create(FolderFiles(path), options)
    }

    static func create(
        _ files: FolderFiles, _ options: ServerFolderOptions
    ) throws(FolderError) -> Created {
        // All slow and failing work first: the time in which a kill leaves half a folder stays short.
        let password = options.isDemo ? demoPassword : GeneratedPassword.make()
        let contents = try contents(options, password)
        try checkVacant(files)

        try files.makeFolder()
        try files.write(Name.incomplete, Array("frank init is making this folder\n".utf8))
        for content in contents { try files.write(content.name, content.bytes, isSecret: content.isSecret) }
        try files.remove(Name.incomplete)
        return Created(folder: try ServerFolder(files), password: password)
    }

    private struct Content {
        var name: String
        var bytes: [UInt8]
        var isSecret: Bool
    }

    private static func contents(
        _ options: ServerFolderOptions, _ password: String
    ) throws(FolderError) -> [Content] {
        do {
            let settings = try ServerSettings(
                network: options.network, publish: options.publish, deviceNumber: options.deviceNumber,
                isDemo: options.isDemo)
            let names = try ServerNames([options.hostName] + options.names)
            let authority = try CertificateAuthority(host: options.hostName, now: options.now)
            let key = ServerKey()
            let certificate = try authority.issue(for: names, key: key, now: options.now)
            let trust = Array(authority.certificate.pem.utf8)
            var contents = [
                Content(name: Name.authority, bytes: trust, isSecret: false),
                Content(name: Name.authorityKey, bytes: Array(try authority.keyPEM().utf8), isSecret: true),
                Content(name: Name.certificate, bytes: Array(certificate.pem.utf8), isSecret: false),
                Content(name: Name.key, bytes: Array(try key.pem().utf8), isSecret: true),
                Content(name: Name.trust, bytes: trust, isSecret: false),
                Content(name: Name.settings, bytes: try settings.file(), isSecret: true),
            ]
            for index in settings.publish.indices {
                // Each network gets a salt of its own.
                let hash = try PasswordHash.protect(password: password, cost: options.cost)
                let accounts = Accounts(users: [Account(user: administrator, password: hash, privileges: "admin")])
                contents.append(
                    Content(
                        name: Name.block(ServerSettings.accountsBlock + 1 + index),
                        bytes: try accounts.packed(), isSecret: true))
            }
            return contents
        } catch {
            throw FolderError(.badOptions, "", "\(error)", "nothing was written; correct it and try again")
        }
    }

    /// An absent or empty folder is vacant.
    private static func checkVacant(_ files: FolderFiles) throws(FolderError) {
        guard let names = try files.names(), !names.isEmpty else { return }
        guard !isHalfMade(names) else { throw halfMade(files.folder) }
        guard !names.contains(Name.settings) else {
            throw FolderError(
                .alreadyExists, files.folder, "there is a data folder already; it is never overwritten",
                "use it with frank run, or name another folder")
        }
        throw FolderError(
            .occupied, files.folder, "the folder holds other files, such as \(names.sorted()[0])",
            "name an empty or a new folder")
    }
}
