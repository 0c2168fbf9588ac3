import GRDB
import Glibc
public import HistoryEntries

/// The history in a data folder as another process sees it, while its server runs or is stopped.
public struct StoredHistory: Sendable {
    private let database: DatabaseQueue?

    /// Opens the history of a folder for reading; one that does not exist yet has no entries.
    ///
    /// - Throws: ``HistoryError``.
    public init(folder: String) throws(HistoryError) {
        let path = "\(folder)/\(HistoryFile.name)"
        guard access(path, F_OK) == 0 else {
            guard errno == ENOENT else { throw .failed(String(cString: strerror(errno))) }
            database = nil
            return
        }
        var configuration = Configuration()
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { db in
            // Opened for writing, because a journal that a killed server left has to be taken in; nothing else is written.
            try db.execute(sql: "PRAGMA query_only = 1")
        }
        do {
            let database = try DatabaseQueue(path: path, configuration: configuration)
            let version = try database.read { try HistorySchema.version($0) }
            // The server that makes it has not come to its tables yet.
            guard version != 0 else {
                self.database = nil
                return
            }
            guard version <= HistorySchema.steps.count else { throw HistoryError.newer(version) }
            guard version == HistorySchema.steps.count else { throw HistoryError.older(version) }
            self.database = database
        } catch let error as HistoryError {
            throw error
        } catch let error as DatabaseError where HistoryFile.damages(error) {
            throw .damaged(HistoryFile.text(of: error))
        } catch {
            throw .failed(HistoryFile.text(of: error))
        }
    }

    /// The entries that are wanted, newest first.
    ///
    /// - Throws: ``HistoryError``.
    public func entries(_ query: HistoryQuery) throws(HistoryError) -> [HistoryEntry] {
        guard let database else { return [] }
        do { return try database.read { try EntryRow.fetch(query, $0) } } catch {
            if let error = error as? DatabaseError, HistoryFile.damages(error) {
                throw .damaged(HistoryFile.text(of: error))
            }
            throw .failed(HistoryFile.text(of: error))
        }
    }
}
