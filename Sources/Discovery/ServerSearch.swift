public import IOCOMTransport

/// Looks for a server again and again: each failure gives another address its turn.
///
/// An address that was announced is a suggestion; whether the right server is there shows its certificate.
public actor ServerSearch {
    /// What is looked for.
    public nonisolated let query: DiscoveryQuery
    private let finder: Finder
    private var found: ServersFound
    private var attempts = Attempts()

    /// A search on `interfaces`.
    public init(_ query: DiscoveryQuery, interfaces: InterfaceChoice = .all) {
        self.query = query
        finder = Finder(interfaces: interfaces)
        found = ServersFound(for: query)
    }

    /// So long it listens before an address that failed has another turn: every server announces itself once in it, so that
    /// who announces himself much more often than the right one can't keep it away.
    private static let hearingAll = DiscoveryGroup.interval + .seconds(1)

    /// The next address to try; listens up to `time` for one.
    ///
    /// - Throws: ``DiscoveryError/nothingFound(_:seconds:problem:)``.
    public func next(within time: Duration) async throws -> ConnectionAddress {
        if let known = choice(again: false) { return known }
        let heardAll = ContinuousClock.now + Self.hearingAll
        var problem: String?
        for await event in finder.events(for: time) {
            switch event {
            case .heard(let message, let source):
                found.note(message, from: source, now: Finder.now)
                if let choice = choice(again: .now >= heardAll) { return choice }
            case .problem(let text): problem = text
            }
        }
        try Task.checkCancellation()
        if let choice = choice(again: true) { return choice }
        throw DiscoveryError.nothingFound(query, seconds: Int(time.components.seconds), problem: problem)
    }

    /// There is no such server at `address`, or it can't be used. True when another address can be tried at once.
    @discardableResult
    public func failed(_ address: ConnectionAddress) -> Bool {
        attempts.failed(address, now: Finder.now)
        return choice(again: false) != nil
    }

    /// Forgets everything: after a connection that worked its server may have moved.
    public func startOver() {
        found = ServersFound(for: query)
        attempts = Attempts()
    }

    private func choice(again: Bool) -> ConnectionAddress? {
        attempts.choose(found.candidates(now: Finder.now), again: again)?.address
    }
}
