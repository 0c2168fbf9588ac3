import GRDB
import HistoryEntries

/// Entries as rows of the table.
enum EntryRow {
    private static let columns =
        "time, kind, network, user, address, device, block, package, version, hash, bytes, result, seconds, text, count, until"

    /// Stores an entry and gives its number.
    static func insert(_ entry: HistoryEntry, _ db: Database) throws -> Int64 {
        let statement = try db.cachedStatement(
            sql: "INSERT INTO entry (\(columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
        // A device is its own user: written once, because most rows are logins of devices.
        let isOwnUser = entry.kind.isAboutConnections && entry.user == entry.device
        try statement.execute(arguments: [
            entry.time, entry.kind.rawValue, entry.network, isOwnUser ? nil : entry.user, entry.address, entry.device,
            entry.block,
            entry.package, entry.version, entry.hash, entry.bytes, entry.result, entry.seconds, entry.text,
            entry.count == 1 ? nil : entry.count, entry.until,
        ])
        return db.lastInsertedRowID
    }

    /// Counts more in a stored entry.
    static func grow(_ growth: PendingEntries.Growth, _ db: Database) throws {
        try db.cachedStatement(sql: "UPDATE entry SET count = ?, until = ? WHERE id = ?")
            .execute(arguments: [growth.count, growth.until, growth.id])
    }

    /// The entries that are wanted, newest first.
    static func fetch(_ query: HistoryQuery, _ db: Database) throws -> [HistoryEntry] {
        var conditions: [String] = []
        var arguments = StatementArguments()
        func require(_ condition: String, _ values: [(any DatabaseValueConvertible)?]) {
            conditions.append(condition)
            arguments += StatementArguments(values)
        }
        if let network = query.network { require("network = ?", [network]) }
        if let since = query.since { require("time >= ?", [since]) }
        if let until = query.until { require("time <= ?", [until]) }
        if let place = query.after { require("(time, id) < (?, ?)", [place.time, place.id]) }
        if !query.kinds.isEmpty {
            let marks = query.kinds.map { _ in "?" }.joined(separator: ", ")
            require("kind IN (\(marks))", query.kinds.map(\.rawValue))
        }
        func select(_ condition: String?) -> String {
            let all = conditions + (condition.map { [$0] } ?? [])
            return "SELECT id, \(columns) FROM entry" + (all.isEmpty ? "" : " WHERE " + all.joined(separator: " AND "))
        }
        var sql = select(nil)
        if let device = query.device {
            // Two indexes whose rows are merged in order.
            let common = arguments
            arguments += [device]
            sql = select("device = ?") + " UNION ALL " + select("user = ? AND device IS NOT ?")
            arguments += common
            arguments += [device, device]
        }
        sql += " ORDER BY time DESC, id DESC LIMIT ?"
        arguments += [query.limit]
        let rows = try Row.fetchCursor(db.cachedStatement(sql: sql), arguments: arguments)
        var entries: [HistoryEntry] = []
        while let row = try rows.next() {
            // A kind of a newer program, after a way back.
            if let entry = entry(row) { entries.append(entry) }
        }
        return entries
    }

    private static func entry(_ row: Row) -> HistoryEntry? {
        guard let kind = HistoryKind(rawValue: row[2]) else { return nil }
        return HistoryEntry(kind, at: row[1]) {
            $0.id = row[0]
            $0.network = row[3]
            $0.user = row[4]
            $0.address = row[5]
            $0.device = row[6]
            $0.block = row[7]
            $0.package = row[8]
            $0.version = row[9]
            $0.hash = row[10]
            $0.bytes = row[11]
            $0.result = row[12]
            $0.seconds = row[13]
            $0.text = row[14]
            $0.count = row[15] ?? 1
            $0.until = row[16]
            if $0.user == nil, kind.isAboutConnections { $0.user = $0.device }
        }
    }
}
