public import ArgumentParser
public import HistoryEntries

/// Which entries of a history a command shows: the options that `ispy history` and `frank history` share.
public struct HistoryOptions: ParsableArguments {
    /// Most entries that are shown when nothing else is said.
    public static let usualLimit = 200

    /// The oldest that is shown.
    @Option(
        help: ArgumentHelp(
            "Not older than this: 2026-11-20, 2026-11-20T14:30 (with Z: UTC), or 3d, 12h, 30m ago.", valueName: "time"),
        transform: Self.time)
    public var since: Int64?

    /// The newest that is shown.
    @Option(help: ArgumentHelp("Not newer than this.", valueName: "time"), transform: Self.time)
    public var until: Int64?

    /// What it is about.
    @Option(
        help: ArgumentHelp(
            "Entries of this kind only: \(HistoryKind.allCases.map(\.name).joined(separator: ", ")). May be repeated.",
            valueName: "kind"),
        transform: { text in
            guard let kind = HistoryKind(name: text) else {
                let names = HistoryKind.allCases.map(\.name).joined(separator: ", ")
                throw ValidationError("there is no kind '\(text)'; there are \(names)")
            }
            return kind
        })
    public var kind: [HistoryKind] = []

    /// How many are shown.
    @Option(help: ArgumentHelp("At most so many entries, 1 to \(HistoryQuery.mostEntries).", valueName: "number"))
    public var limit: Int = Self.usualLimit

    /// For the argument parser.
    public init() {}

    /// Checks what the parser can't.
    public func validate() throws {
        guard (1...HistoryQuery.mostEntries).contains(limit) else {
            throw ValidationError("--limit must be 1 to \(HistoryQuery.mostEntries)")
        }
        if let since, let until, since > until { throw ValidationError("--since is later than --until") }
    }

    /// The entries meant, of one network or one device.
    public func query(network: String? = nil, device: String? = nil) -> HistoryQuery {
        HistoryQuery(network: network, device: device, since: since, until: until, kinds: kind, limit: limit)
    }

    private static func time(_ text: String) throws -> Int64 {
        guard let time = HistoryTime.parse(text, now: HistoryTime.now) else {
            throw ValidationError(
                "'\(text)' is no time: write 2026-11-20, 2026-11-20T14:30, or 3d, 12h, 30m for how long ago")
        }
        return time
    }
}
