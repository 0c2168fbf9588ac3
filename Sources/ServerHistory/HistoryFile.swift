import ByteTools
import GRDB
import Glibc
import HistoryEntries

/// The file of a history, open for writing. Used by one thread at a time, except `pool`, which many may read from.
final class HistoryFile {
    /// Name in the data folder.
    static let name = "history.sqlite"
    /// Files that SQLite puts beside it.
    private static let companions = ["-wal", "-shm"]
    /// Damaged files that are kept; older ones go.
    private static let mostDamaged = 2
    /// Entries that are removed at once, so that writing never waits long.
    private static let pruneStep = 500
    /// Pages that are given back to the file system at once.
    private static let vacuumStep = 256
    /// Names of a data folder that are looked at.
    private static let mostNames = 10_000

    let pool: DatabasePool
    private let settings: HistorySettings
    private var connections: Int
    private var changes: Int
    private var isDurable = false
    private var isShrinking = false

    /// Opens the file, and makes it when it is not there. One that is damaged or of a newer program is moved aside, and
    /// `problem` hears of that.
    static func open(
        _ folder: String, _ settings: HistorySettings, now: Int64, problem: (String) -> Void
    ) throws -> HistoryFile {
        let path = "\(folder)/\(name)"
        do { return try HistoryFile(path, settings) } catch {
            let finding: String
            let isForeign = !isRegular(path)
            switch error {
            case let error as DatabaseError where damages(error): finding = "damaged (\(text(of: error)))"
            case HistoryError.damaged(let reason): finding = "damaged (\(reason))"
            case HistoryError.newer(let version): finding = "of a newer frank (version \(version) of its tables)"
            case _ where isForeign: finding = "no regular file"
            default: throw HistoryError.failed(text(of: error))
            }
            let kept = try moveAside(folder, now: now)
            problem("the history \(path) was \(finding); it was moved to \(kept), and a new one begins")
            return try HistoryFile(path, settings)
        }
    }

    private init(_ path: String, _ settings: HistorySettings) throws {
        self.settings = settings
        // A journal that was not taken in: the server was killed. SQLite puts that right; it is also the moment to look
        // for damage of the disk.
        var journal = stat()
        let wasKilled = stat(path + "-wal", &journal) == 0 && journal.st_size > 0
        try Self.protect(path)
        var configuration = Configuration()
        configuration.label = "history"
        configuration.busyMode = .timeout(5)
        configuration.maximumReaderCount = 4
        configuration.prepareDatabase { db in
            guard !db.configuration.readonly else { return }
            // Without effect once there is a table.
            try db.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_size_limit = 4194304")
        }
        pool = try DatabasePool(path: path, configuration: configuration)
        (connections, changes) = try pool.writeWithoutTransaction { db in
            if wasKilled {
                let finding = try String.fetchOne(db, sql: "PRAGMA quick_check(1)") ?? "no answer"
                guard finding == "ok" else { throw HistoryError.damaged(finding) }
            }
            try HistorySchema.migrate(db, settings.schema)
            try db.execute(sql: "PRAGMA synchronous = NORMAL")
            let sql = "SELECT count(*) FROM entry"
            let all = try Int.fetchOne(db, sql: sql) ?? 0
            let connections = try Int.fetchOne(db, sql: "\(sql) WHERE kind <= \(HistoryKind.lastOfConnections)") ?? 0
            return (connections, all - connections)
        }
    }

    /// The files get the mode of the first one, which nobody but its owner may read.
    private static func protect(_ path: String) throws(StorageFailure) {
        let file: File
        do throws(StorageFailure) { file = try File(path, .update) } catch {
            guard error.isNoSuchFile else { throw error }
            file = try File(path, .create)
        }
        try file.setMode(0o600)
    }

    // MARK: Writing

    /// Stores a batch in one transaction and gives the numbers of its items.
    ///
    /// A batch that holds a change is on the disk when this returns, also if the power fails then, and so is everything
    /// that was stored before. Others survive the end of this process, however it ends; a power cut can take the latest of
    /// them, and never damages the file.
    func store(_ batch: PendingEntries.Batch) throws -> [Int64] {
        let ids = try pool.writeWithoutTransaction { db in
            if isDurable != batch.holdsChange {
                try db.execute(sql: "PRAGMA synchronous = \(batch.holdsChange ? "FULL" : "NORMAL")")
                isDurable = batch.holdsChange
            }
            var ids: [Int64] = []
            try db.inTransaction(.immediate) {
                for item in batch.items { ids.append(try EntryRow.insert(item.entry, db)) }
                for growth in batch.grown { try EntryRow.grow(growth, db) }
                return .commit
            }
            return ids
        }
        for item in batch.items { count(item.entry.kind, 1) }
        return ids
    }

    private func count(_ kind: HistoryKind, _ change: Int) {
        if kind.isAboutConnections { connections += change } else { changes += change }
    }

    /// Takes the journal in and closes the file. Readers that are at work make the journal stay; the next start takes it in.
    func close() throws {
        try? pool.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA busy_timeout = 500")
            _ = try db.checkpoint(.truncate)
        }
        try pool.close()
    }

    // MARK: Bounds

    /// Removes a few of the entries that are too old or too many; true when there may be more to remove.
    ///
    /// Where there are too many, those about connections go first as long as they are a quarter: whoever makes a server
    /// write a lot of them does not push out who changed what.
    func prune(now: Int64) throws -> Bool {
        try pool.writeWithoutTransaction { db in
            let oldest = now - Int64(settings.days) * 86_400_000
            if try remove("time < \(oldest)", db) > 0 { return true }
            let bytes = try usedBytes(db)
            let isOver = bytes > settings.bytes || connections + changes > settings.rows
            // A little further than necessary, so that the next entry does not go over it again.
            let isNear = bytes > settings.bytes / 100 * 97 || connections + changes > settings.rows / 100 * 97
            isShrinking = isOver || isShrinking && isNear
            guard isShrinking else {
                try db.execute(sql: "PRAGMA incremental_vacuum(\(Self.vacuumStep))")
                return try Int.fetchOne(db, sql: "PRAGMA freelist_count") ?? 0 > 0
            }
            let connectionsFirst = connections * 4 >= connections + changes
            return try remove(connectionsFirst ? "kind <= \(HistoryKind.lastOfConnections)" : "true", db) > 0
        }
    }

    private func remove(_ condition: String, _ db: Database) throws -> Int {
        var removed: [HistoryKind] = []
        try db.inTransaction(.immediate) {
            let rows = try Row.fetchAll(
                db, sql: "SELECT id, kind FROM entry WHERE \(condition) ORDER BY time LIMIT \(Self.pruneStep)")
            let statement = try db.cachedStatement(sql: "DELETE FROM entry WHERE id = ?")
            for row in rows {
                try statement.execute(arguments: [row[0] as Int64])
                // A kind of a newer program counts as a change.
                removed.append(HistoryKind(rawValue: row[1]) ?? .server)
            }
            return .commit
        }
        for kind in removed { count(kind, -1) }
        return removed.count
    }

    private func usedBytes(_ db: Database) throws -> Int {
        let pages = try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0
        let free = try Int.fetchOne(db, sql: "PRAGMA freelist_count") ?? 0
        return (pages - free) * (try Int.fetchOne(db, sql: "PRAGMA page_size") ?? 4096)
    }

    // MARK: Damage

    /// True for what SQLite finds in a file that is no good any more.
    static func damages(_ error: DatabaseError) -> Bool {
        [.SQLITE_CORRUPT, .SQLITE_NOTADB].contains(error.resultCode.primaryResultCode)
    }

    /// What went wrong, without the statement.
    static func text(of error: any Error) -> String {
        guard let error = error as? DatabaseError else { return "\(error)" }
        return error.message ?? "SQLite error \(error.resultCode.rawValue)"
    }

    private static func isRegular(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    /// Gives the file another name and says which. The latest such files are kept.
    static func moveAside(_ folder: String, now: Int64) throws -> String {
        let time = HistoryTime.iso(now).filter { $0.isASCII && ($0.isNumber || $0.isLetter) }
        let kept = "history.damaged-\(time).sqlite"
        for companion in companions {
            // A journal without its file is of no use, and must not be taken for that of the next one.
            try Folder.remove(name + companion, in: folder)
        }
        try Folder.replace(kept, with: name, in: folder)
        let others = try Folder.names(in: folder, limit: mostNames).names
            .filter { $0.hasPrefix("history.damaged-") && $0.hasSuffix(".sqlite") }
        for old in others.dropLast(mostDamaged) { try? Folder.remove(old, in: folder) }
        return kept
    }
}
