/// Which entries of a history are wanted. They come newest first.
public struct HistoryQuery: Sendable, Equatable {
    /// Entries of this network only.
    public var network: String?
    /// Entries about this device, and those of a login under its name.
    public var device: String?
    /// Not older than this, milliseconds since 1970.
    public var since: Int64?
    /// Not newer than this.
    public var until: Int64?
    /// Of these kinds only; empty for all.
    public var kinds: [HistoryKind]
    /// Where to go on: entries after this place in the order. Gives pages that fit together while new entries come.
    public var after: HistoryPlace?
    /// At most so many.
    public var limit: Int

    /// Most entries of one answer.
    public static let mostEntries = 100_000

    /// Composes a query; without arguments everything is wanted.
    public init(
        network: String? = nil, device: String? = nil, since: Int64? = nil, until: Int64? = nil,
        kinds: [HistoryKind] = [], after: HistoryPlace? = nil, limit: Int = HistoryQuery.mostEntries
    ) {
        self.network = network
        self.device = device
        self.since = since
        self.until = until
        self.kinds = kinds
        self.after = after
        self.limit = min(max(0, limit), Self.mostEntries)
    }

    /// True when the entry is wanted, whatever ``after`` and ``limit`` say.
    public func matches(_ entry: HistoryEntry) -> Bool {
        if let network, entry.network != network { return false }
        if let device, entry.device != device, entry.user != device { return false }
        if let since, entry.time < since { return false }
        if let until, entry.time > until { return false }
        return kinds.isEmpty || kinds.contains(entry.kind)
    }

    /// True when nothing that comes later in the order can be wanted.
    public func endsBefore(_ entry: HistoryEntry) -> Bool { since.map { entry.time < $0 } ?? false }
}

/// A place in the order of a history: by time, entries of one time by number.
public struct HistoryPlace: Sendable, Equatable, Comparable {
    /// Time of the entry there.
    public var time: Int64
    /// Its number.
    public var id: Int64

    /// The place of an entry.
    public init(_ entry: HistoryEntry) {
        time = entry.time
        id = entry.id
    }

    /// Older entries are less.
    public static func < (one: HistoryPlace, other: HistoryPlace) -> Bool {
        (one.time, one.id) < (other.time, other.id)
    }
}
