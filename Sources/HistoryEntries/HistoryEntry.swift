/// One entry of a server's history: who did what, when, with which result. Holds no secret.
///
/// ```swift
/// let entry = HistoryEntry(.program, at: now) {
///     $0.device = "candy3.cafenet"
///     $0.version = "261124-1200"
///     $0.result = "confirmed"
/// }
/// ```
public struct HistoryEntry: Sendable, Equatable {
    /// Number in the history, counting up; 0 for an entry that is not stored yet.
    public var id: Int64 = 0
    /// When it happened, milliseconds since 1970 (UTC).
    public var time: Int64
    /// What it is about.
    public var kind: HistoryKind
    /// The network it belongs to; nil for what is about the server itself.
    public var network: String?
    /// Who, with network: `root.cafenet`.
    public var user: String?
    /// The address that came from.
    public var address: String?
    /// The device it is about: `candy3.cafenet`.
    public var device: String?
    /// Number of the persistent block that was written.
    public var block: Int64?
    /// Name of the package.
    public var package: String?
    /// Version of the program.
    public var version: String?
    /// SHA-256 of what was written, hexadecimal.
    public var hash: String?
    /// Size of what was written.
    public var bytes: Int64?
    /// What became of it, in a word or two.
    public var result: String?
    /// How long it took.
    public var seconds: Double?
    /// Anything else for people: a reason, mostly.
    public var text: String?
    /// How many such events this entry stands for.
    public var count: Int64 = 1
    /// When the last of them happened, like ``time``; nil for a single one.
    public var until: Int64?

    /// The ``result`` of an entry about something that somebody should look after.
    public static let problem = "problem"

    /// Composes an entry; `fill` sets what is known.
    public init(_ kind: HistoryKind, at time: Int64, _ fill: (inout HistoryEntry) -> Void = { _ in }) {
        self.kind = kind
        self.time = time
        fill(&self)
    }
}

/// The longest texts of an entry, in bytes of UTF-8, and other bounds.
public enum HistoryLimits {
    /// Name of a network, of a user with its network, of a device; an address.
    public static let name = 96
    /// Name of a package.
    public static let package = 160
    /// Version, hash and result.
    public static let word = 72
    /// A text for people.
    public static let text = 300
    /// An entry as a line of JSON: every text may double, when all of it has to be escaped, and more.
    public static let line = 8 << 10
}

extension HistoryEntry {
    /// The entry with texts that are not too long and hold no control characters: most of them come from peers.
    public var cleaned: HistoryEntry {
        var entry = self
        for (text, limit) in [
            (\HistoryEntry.network, HistoryLimits.name), (\.user, HistoryLimits.name),
            (\.address, HistoryLimits.name), (\.device, HistoryLimits.name), (\.package, HistoryLimits.package),
            (\.version, HistoryLimits.word), (\.hash, HistoryLimits.word), (\.result, HistoryLimits.word),
            (\.text, HistoryLimits.text),
        ] {
            entry[keyPath: text] = self[keyPath: text].flatMap { Self.clean($0, to: limit) }
        }
        if let seconds, !seconds.isFinite || seconds < 0 { entry.seconds = nil }
        entry.count = max(1, count)
        return entry
    }

    /// Nil for an empty text.
    private static func clean(_ text: String, to limit: Int) -> String? {
        guard !text.isEmpty else { return nil }
        let needsCleaning = text.unicodeScalars.contains(where: isControl)
        guard needsCleaning || text.utf8.count > limit else { return text }
        var result = String.UnicodeScalarView()
        var room = limit - 3
        for scalar in text.unicodeScalars {
            let kept = isControl(scalar) ? "\u{FFFD}" : scalar
            room -= UTF8.width(kept)
            guard room >= 0 else {
                result.append("…")
                break
            }
            result.append(kept)
        }
        return String(result)
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator, .format: true
        default: false
        }
    }
}
