public import IOCOMTransport
public import TerminalUI

/// Settings of `ispy web`.
public struct WebSettings: Sendable {
    /// Address to listen at.
    public var host: String
    /// Port; 0 takes a free one.
    public var port: Int
    /// Certificate and key; needed where others than this machine can connect.
    public var tls: TLSServerSettings?
    /// Password for the page; needed where others than this machine can connect.
    public var password: String?
    /// Names that the page may be asked for by, besides addresses.
    public var hostNames: [String]
    /// Packages folder.
    public var packages: String
    /// Folder for certificates that were trusted, for uploads, and for the token of scripts; only for this user.
    public var data: String
    /// Saved connections.
    public var profiles: ProfileStore
    /// Version of this program.
    public var version: String

    /// Composes settings.
    public init(
        host: String, port: Int, tls: TLSServerSettings? = nil, password: String? = nil, hostNames: [String] = [],
        packages: String, data: String, profiles: ProfileStore, version: String
    ) {
        self.host = host
        self.port = port
        self.tls = tls
        self.password = password
        self.hostNames = hostNames
        self.packages = packages
        self.data = data
        self.profiles = profiles
        self.version = version
    }

    /// Only programs of this machine can connect.
    public var isLoopback: Bool { host == "localhost" || host == "::1" || host.hasPrefix("127.") }
}

/// What all pages share.
final class WebService: Sendable {
    let settings: WebSettings
    let connections: WebConnections
    let shelf: PackageShelf
    let history: JobHistory
    let jobs: Jobs
    let pages = Pages()
    let cameras = Cameras()
    let saved = SavedConfigurations()
    let finding = ServerFinding()

    init(_ settings: WebSettings) {
        self.settings = settings
        connections = WebConnections(profiles: settings.profiles, trustFolder: settings.data + "/trust")
        shelf = PackageShelf(folder: settings.packages)
        history = JobHistory(path: settings.data + "/jobs.json")
        jobs = Jobs(connections: connections, shelf: shelf, earlier: history.load())
    }

    var uploads: String { settings.data + "/uploads" }
}
