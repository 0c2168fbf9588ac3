import GRDB

/// The tables of a history and how older ones become the present ones.
enum HistorySchema {
    /// Step k makes version k of the tables from version k-1. A step that was released never changes.
    static let steps: [String] = [
        """
        CREATE TABLE entry (
            id INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL, kind INTEGER NOT NULL, network TEXT, user TEXT,
            address TEXT, device TEXT, block INTEGER, package TEXT, version TEXT, hash TEXT, bytes INTEGER, result TEXT,
            seconds REAL, text TEXT, count INTEGER, until INTEGER
        ) STRICT;
        CREATE INDEX entry_by_time ON entry (time);
        CREATE INDEX entry_by_network ON entry (network, time) WHERE network IS NOT NULL;
        CREATE INDEX entry_by_device ON entry (device, time) WHERE device IS NOT NULL;
        CREATE INDEX entry_by_user ON entry (user, time) WHERE user IS NOT NULL;
        CREATE INDEX entry_of_connections ON entry (time) WHERE kind <= 9;
        """
    ]

    /// Brings the tables up to date, in one transaction for each step.
    static func migrate(_ db: Database, _ steps: [String] = steps) throws {
        let version = try version(db)
        guard version <= steps.count else { throw HistoryError.newer(version) }
        for step in version..<steps.count {
            try db.inTransaction(.immediate) {
                try db.execute(sql: steps[step])
                try db.execute(sql: "PRAGMA user_version = \(step + 1)")
                return .commit
            }
        }
    }

    /// The version of the tables that are there; 0 when there are none.
    static func version(_ db: Database) throws -> Int { try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0 }
}
