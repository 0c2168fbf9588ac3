public import DeviceStorage
public import IOCOMTransport
public import ServerData
public import ServerHistory

/// What a server needs to start.
public struct ServerConfiguration: Sendable {
    /// Its data folder, as `frank init` made it.
    public var folder: ServerFolder
    /// Where it listens. Port 0 takes any free one.
    public var listen: [ConnectionAddress]
    /// Largest ring of its own control streams, bytes, each direction.
    public var ring: Int
    /// Operators are let in on serial lines, where nobody logs in: who is at such a line may do everything.
    public var takesSerialOperators: Bool
    /// What peers may cost.
    public var limits: ServerLimits
    /// What a check of a password should cost at least: cheaper hashes are replaced when their owner logs in.
    public var passwordCost: ScryptCost
    /// Makes the program that this server is, when it can be replaced over the network: gets the store with its persistent
    /// blocks, and gives nil when it can't.
    public var makeProgram: @Sendable (any PersistentStore) -> ServerProgram?
    /// How much its history keeps.
    public var history: HistorySettings
    /// Takes what happens. Called on the server's event loop and on other threads; it must not wait.
    public var report: @Sendable (ServerEvent) -> Void

    /// Composes a configuration; without `limits` those of the folder's settings.
    public init(
        folder: ServerFolder, listen: [ConnectionAddress], ring: Int = 64 << 10,
        limits: ServerLimits? = nil, takesSerialOperators: Bool = false, passwordCost: ScryptCost = .standard,
        makeProgram: @escaping @Sendable (any PersistentStore) -> ServerProgram? = { _ in nil },
        history: HistorySettings = HistorySettings(), report: @escaping @Sendable (ServerEvent) -> Void
    ) {
        self.folder = folder
        self.listen = listen
        self.ring = ring
        self.limits = limits ?? folder.settings.limits
        self.takesSerialOperators = takesSerialOperators
        self.passwordCost = passwordCost
        self.makeProgram = makeProgram
        self.history = history
        self.report = report
    }
}

/// Why a server could not start, with the next step.
public struct ServerStartError: Error, CustomStringConvertible {
    /// For people, one line.
    public let description: String

    init(_ description: String) { self.description = description }
}
