/// How much a history keeps.
public struct HistorySettings: Sendable, Equatable {
    /// Ages that can be chosen, days.
    public static let possibleDays = 1...36_500
    /// Sizes that can be chosen, MiB.
    public static let possibleMegabytes = 1...65_536
    /// Entries older than this are removed, days.
    public var days: Int
    /// Size of the file, bytes; its journal may have some MiB more.
    public var bytes: Int
    /// Number of entries.
    public var rows: Int
    /// Steps that make the tables; another list only in tests.
    var schema = HistorySchema.steps
    /// Bounds of what waits.
    var pending = PendingEntries.Limits()

    /// Collects; what is out of range becomes the nearest possible value. About 200 bytes make an entry.
    public init(days: Int = 400, megabytes: Int = 256, rows: Int = 1_500_000) {
        self.days = min(max(Self.possibleDays.lowerBound, days), Self.possibleDays.upperBound)
        bytes = min(max(1, megabytes), Self.possibleMegabytes.upperBound) << 20
        self.rows = max(1, rows)
    }

    /// Equal bounds.
    public static func == (one: HistorySettings, other: HistorySettings) -> Bool {
        (one.days, one.bytes, one.rows) == (other.days, other.bytes, other.rows)
    }
}
