import Synchronization

/// Values with ids that many look at: who asks gets what changed since the last time, however often it changed meanwhile.
final class Board<Value: Sendable>: Sendable {
    /// What changed.
    struct Changes: Sendable {
        /// Everything is in `set`.
        var isComplete: Bool
        /// Values in the order they were added.
        var set: [Value]
        /// Ids that are no more.
        var removed: [String]
        /// To ask for what comes after.
        var revision: UInt64
    }

    /// Removed ids that are remembered; who is further behind gets everything.
    private static var mostRemoved: Int { 1_000 }

    private struct Entry {
        let id: String
        let added: UInt64
        var revision: UInt64
        var value: Value
    }

    private struct State {
        var revision: UInt64 = 1
        var entries: [String: Entry] = [:]
        var removed: [(revision: UInt64, id: String)] = []
        var forgotten: UInt64 = 0
        var waiting: [UInt64: CheckedContinuation<Void, Never>] = [:]
        var nextWaiter: UInt64 = 0
    }

    private let state = Mutex(State())

    /// All values, in the order they were added.
    var values: [Value] { state.withLock { Self.sorted($0.entries.values) } }

    subscript(id: String) -> Value? { state.withLock { $0.entries[id]?.value } }

    /// Adds or replaces a value.
    func set(_ id: String, _ value: Value) {
        change { state in
            state.entries[id] = Entry(
                id: id, added: state.entries[id]?.added ?? state.revision, revision: state.revision, value: value)
        }
    }

    /// Changes a value, if it is there.
    func update(_ id: String, _ body: (inout Value) -> Void) {
        change { state in
            guard var entry = state.entries[id] else { return }
            body(&entry.value)
            entry.revision = state.revision
            state.entries[id] = entry
        }
    }

    func remove(_ id: String) {
        change { state in
            guard state.entries.removeValue(forKey: id) != nil else { return }
            state.removed.append((state.revision, id))
            if state.removed.count > Self.mostRemoved { state.forgotten = state.removed.removeFirst().revision }
        }
    }

    private func change(_ body: (inout State) -> Void) {
        let woken = state.withLock { state in
            state.revision += 1
            body(&state)
            defer { state.waiting = [:] }
            return Array(state.waiting.values)
        }
        for waiter in woken { waiter.resume() }
    }

    /// What changed after a revision, or all there is without one; waits until there is something. Nil when the task was
    /// cancelled.
    func changes(after revision: UInt64?) async -> Changes? {
        while !Task.isCancelled {
            if let changes = state.withLock({ Self.changes($0, after: revision) }) { return changes }
            await wait(after: revision ?? 0)
        }
        return nil
    }

    private static func changes(_ state: State, after revision: UInt64?) -> Changes? {
        guard let revision, revision >= state.forgotten else {
            return Changes(
                isComplete: true, set: sorted(state.entries.values), removed: [], revision: state.revision)
        }
        guard revision < state.revision else { return nil }
        return Changes(
            isComplete: false, set: sorted(state.entries.values.filter { $0.revision > revision }),
            removed: state.removed.filter { $0.revision > revision }.map(\.id), revision: state.revision)
    }

    private static func sorted(_ entries: some Sequence<Entry>) -> [Value] {
        entries.sorted { $0.added < $1.added }.map(\.value)
    }

    private func wait(after revision: UInt64) async {
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isLate = state.withLock { state in
                    guard state.revision <= revision, !Task.isCancelled else { return true }
                    state.waiting[id] = continuation
                    return false
                }
                if isLate { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiting.removeValue(forKey: id) }?.resume()
        }
    }
}
