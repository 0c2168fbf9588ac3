/// The rows in which operators see who was turned away and waits to be accepted (application-layer.md 7.7).
///
/// Pure state: time comes in, changed rows come out; writing them into signals is the caller's work. Unlike the
/// original, all three rows of the signal file are used and names of any length find their own row again.
public struct NewDeviceNotifications: Sendable {
    /// Rows of the signal file, `new1_…` to `new3_…`.
    public static let rowCount = 3
    /// Milliseconds after which a row that was not refreshed is cleared.
    public static let lifetime: Int64 = 8000

    /// The values of one row's signals, each within the length of its signal.
    public struct Row: Equatable, Sendable {
        /// `new<i>_text`: `NEW DEVICE`, `WRONG PASSWORD` or `NO PASSWORD`; at most 15 bytes.
        public var text: String
        /// `new<i>_name`: the name checked; at most 27 bytes.
        public var name: String
        /// `new<i>_password`: the original's hash of what was presented; at most 45 bytes.
        public var password: String
        /// `new<i>_privileges`: always empty.
        public var privileges: String
        /// `new<i>_ip`: the peer's address as text; at most 63 bytes.
        public var ip: String
        /// `new<i>_count`: number of attempts since the row appeared.
        public var count: Int32
    }

    /// A row whose signals have to be written.
    public struct Change: Equatable, Sendable {
        /// Row number, 1…``rowCount``, as in the signal names.
        public var number: Int
        /// The values; nil marks the signals of this row as not connected.
        public var row: Row?
    }

    private struct Entry {
        var key: String
        var row: Row
        var refreshed: Int64
    }

    private var entries = [Entry?](repeating: nil, count: rowCount)

    /// No rows.
    public init() {}

    /// The rows as they are now; nil where there is none.
    public var rows: [Row?] { entries.map { $0?.row } }

    /// Records a refused attempt at `now` (monotonic milliseconds): in the row of the same name, else the first empty
    /// one, else the last.
    public mutating func record(_ refusal: Refusal, peer: String, now: Int64) -> Change {
        let same = entries.firstIndex { $0?.key == refusal.name }
        let index = same ?? entries.firstIndex { $0 == nil } ?? entries.count - 1
        let repeats = same == nil ? 0 : entries[index]?.row.count ?? 0
        let row = Row(
            text: refusal.reason.rawValue, name: refusal.name.prefix(bytes: 27),
            password: refusal.passwordHash.prefix(bytes: 45), privileges: "", ip: peer.prefix(bytes: 63),
            count: repeats == .max ? .max : repeats + 1)
        entries[index] = Entry(key: refusal.name, row: row, refreshed: now)
        return Change(number: index + 1, row: row)
    }

    /// Clears the rows that were not refreshed for ``lifetime``; call it about twice a second.
    public mutating func tick(now: Int64) -> [Change] {
        var changes: [Change] = []
        for index in entries.indices {
            guard let entry = entries[index] else { continue }
            let age = now.subtractingReportingOverflow(entry.refreshed).partialValue
            guard age >= Self.lifetime else { continue }
            entries[index] = nil
            changes.append(Change(number: index + 1, row: nil))
        }
        return changes
    }
}

extension String {
    /// The longest start of whole characters that fits into `limit` bytes of UTF-8.
    func prefix(bytes limit: Int) -> String {
        var end = startIndex
        var used = 0
        while end < endIndex {
            let size = self[end].utf8.count
            guard used + size <= limit else { break }
            used += size
            end = index(after: end)
        }
        return String(self[..<end])
    }
}
