import Dispatch
import GRDB
public import HistoryEntries
import Synchronization

/// The history of a server: `history.sqlite` in its data folder.
///
/// Can be used from any thread. ``add(_:)`` never waits: a thread of the history's own writes what has come, many entries in
/// one transaction. When it can't write, it says so once and tries again.
public final class History: Sendable {
    /// Entries of one transaction.
    private static let batch = 500
    /// Time between two writes of entries about connections only: each write costs some 20 KiB of journal, however small it
    /// is. The first after a quiet time is made at once.
    private static let connectionDelay = 1.0
    /// Time in which counts of entries that are stored already are collected.
    private static let growthDelay = DispatchTimeInterval.seconds(5)
    /// Time until a failed write is tried again.
    private static let retryDelay = DispatchTimeInterval.seconds(10)
    /// Entries after which the bounds are looked at.
    private static let pruneAfter = 1_000
    /// Time after which they are in any case.
    private static let pruneDelay = DispatchTimeInterval.seconds(3_600)

    private struct State {
        var pending: PendingEntries
        /// For readers; nil while the file is not open.
        var pool: DatabasePool?
        /// Work is on its way to the thread.
        var isAwake = false
        /// Work is, after a moment in which more may come.
        var isWaiting = false
        /// Work for counts is.
        var isWaitingForGrowth = false
        var lastWrite = DispatchTime(uptimeNanoseconds: 0)
        var isClosed = false
        var problem: String?
    }

    /// What only the history's thread touches.
    private final class Worker {
        var file: HistoryFile?
        var written = 0
        var isPruning = false
        var isTryingLater = false
    }

    private let folder: String
    private let settings: HistorySettings
    private let report: @Sendable (String) -> Void
    private let queue = DispatchQueue(label: "history", qos: .utility)
    private let state: Mutex<State>
    /// Confined to `queue`.
    private nonisolated(unsafe) let worker = Worker()

    /// A history in that folder; opens its file on the history's own thread. `report` hears, on any thread, of what somebody
    /// should look after.
    public init(
        folder: String, settings: HistorySettings = HistorySettings(), report: @escaping @Sendable (String) -> Void
    ) {
        self.folder = folder
        self.settings = settings
        self.report = report
        state = Mutex(State(pending: PendingEntries(settings.pending), isAwake: true))
        queue.async { [self] in
            work()
            scheduleLook()
        }
    }

    // MARK: Writing

    /// Adds an entry; returns at once.
    public func add(_ entry: HistoryEntry) {
        let entry = entry.cleaned
        state.withLock { state in
            guard !state.isClosed else { return }
            state.pending.add(entry)
            guard !state.isAwake else { return }
            if state.pending.holdsChange || state.pending.count >= Self.batch {
                state.isAwake = true
                queue.async { [self] in work() }
            } else if state.pending.hasEntries {
                guard !state.isWaiting else { return }
                state.isWaiting = true
                queue.asyncAfter(deadline: max(.now(), state.lastWrite + Self.connectionDelay)) { [self] in work() }
            } else if !state.isWaitingForGrowth {
                state.isWaitingForGrowth = true
                queue.asyncAfter(deadline: .now() + Self.growthDelay) { [self] in work() }
            }
        }
    }

    /// Returns when everything that was added before is stored, or could not be; false then.
    @discardableResult public func flush() async -> Bool {
        await withCheckedContinuation { continuation in
            queue.async { [self] in continuation.resume(returning: work()) }
        }
    }

    /// ``flush()`` for threads that may wait.
    @discardableResult func flushNow() -> Bool { queue.sync { work() } }

    /// Stores everything and closes the file. What is added later is lost.
    public func close() async {
        await withCheckedContinuation { continuation in
            queue.async { [self] in
                work()
                state.withLock { state in
                    state.isClosed = true
                    state.pool = nil
                }
                // Readers that are at work hold it open until they are done.
                try? worker.file?.close()
                worker.file = nil
                continuation.resume()
            }
        }
    }

    /// Writes what waits; false when that failed. On the history's thread.
    @discardableResult private func work() -> Bool {
        guard
            state.withLock({ state in
                state.isAwake = false
                state.isWaiting = false
                state.isWaitingForGrowth = false
                return !state.isClosed
            })
        else { return true }
        var isSecondTry = false
        while true {
            var batch = PendingEntries.Batch()
            do {
                let file = try open()
                batch = state.withLock { $0.pending.take(atMost: Self.batch, now: HistoryTime.now) }
                guard !batch.isEmpty else { break }
                let ids = try file.store(batch)
                state.withLock { state in
                    state.pending.stored(batch, ids: ids)
                    state.problem = nil
                    state.lastWrite = .now()
                }
                worker.written += batch.items.count
                isSecondTry = false
            } catch {
                state.withLock { $0.pending.putBack(batch) }
                if !isSecondTry, replaceDamaged(error) {
                    isSecondTry = true
                    continue
                }
                tryLater(error)
                return false
            }
        }
        if worker.written >= Self.pruneAfter, !worker.isPruning { prune() }
        return true
    }

    private func open() throws -> HistoryFile {
        if let file = worker.file { return file }
        let file = try HistoryFile.open(folder, settings, now: HistoryTime.now, problem: report)
        worker.file = file
        state.withLock { $0.pool = file.pool }
        worker.written = Self.pruneAfter
        return file
    }

    /// The file turned out to be damaged while it was in use: it is moved aside when it is opened again.
    private func replaceDamaged(_ error: any Error) -> Bool {
        guard let error = error as? DatabaseError, HistoryFile.damages(error), worker.file != nil else { return false }
        state.withLock { $0.pool = nil }
        try? worker.file?.pool.close()
        worker.file = nil
        do {
            let kept = try HistoryFile.moveAside(folder, now: HistoryTime.now)
            report(
                "the history in \(folder) is damaged (\(HistoryFile.text(of: error))); it was moved to \(kept), "
                    + "and a new one begins")
            return true
        } catch { return false }
    }

    private func tryLater(_ error: any Error) {
        let text = HistoryFile.text(of: error)
        let isNew = state.withLock { state in
            state.isAwake = true
            defer { state.problem = text }
            return state.problem != text
        }
        if isNew {
            report(
                "the history in \(folder) can't be written: \(text); what happens is kept in memory and written later")
        }
        guard !worker.isTryingLater else { return }
        worker.isTryingLater = true
        queue.asyncAfter(deadline: .now() + Self.retryDelay) { [self] in
            worker.isTryingLater = false
            work()
        }
    }

    // MARK: Bounds

    /// One step of removing what is too much, and the next one later, so that entries are written in between.
    private func prune() {
        guard let file = worker.file, !state.withLock({ $0.isClosed }) else { return }
        do {
            worker.isPruning = try file.prune(now: HistoryTime.now)
            if worker.isPruning { queue.async { [self] in prune() } } else { worker.written = 0 }
        } catch {
            worker.isPruning = false
            worker.written = 0
            if !replaceDamaged(error) {
                report("old entries of the history in \(folder) can't be removed: \(HistoryFile.text(of: error))")
            }
        }
    }

    private func scheduleLook() {
        queue.asyncAfter(deadline: .now() + Self.pruneDelay) { [weak self] in
            guard let self, !state.withLock({ $0.isClosed }) else { return }
            if !worker.isPruning { prune() }
            scheduleLook()
        }
    }

    /// Returns when nothing is left to remove; for tests.
    func pruneNow() throws {
        try queue.sync {
            while try worker.file?.prune(now: HistoryTime.now) == true {}
        }
    }

    // MARK: Reading

    /// The entries that are wanted, newest first. Blocks its thread a moment; what was added just before may be missing.
    ///
    /// - Throws: ``HistoryError``.
    public func entries(_ query: HistoryQuery) throws(HistoryError) -> [HistoryEntry] {
        let (pool, problem) = state.withLock { ($0.pool, $0.problem) }
        guard let pool else { throw .notThere(problem ?? "the history is not open") }
        do { return try pool.read { try EntryRow.fetch(query, $0) } } catch {
            throw .failed(HistoryFile.text(of: error))
        }
    }

    /// Like ``entries(_:)``, after what was added before is stored. Not for an event loop.
    public func entriesUntilNow(_ query: HistoryQuery) throws(HistoryError) -> [HistoryEntry] {
        flushNow()
        return try entries(query)
    }
}
