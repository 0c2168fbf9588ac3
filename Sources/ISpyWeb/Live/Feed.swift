import Synchronization

/// Events on their way to one page. Each source has one place: it waits until its last event was taken, so that a slow
/// browser fills no memory, and makes the next one of what is true then.
final class Feed: Sendable {
    private struct State {
        var events: [(source: String, text: String)] = []
        var taker: CheckedContinuation<Void, Never>?
        var putters: [String: CheckedContinuation<Void, Never>] = [:]
        var hasEnded = false
    }

    private let state = Mutex(State())

    /// Hands an event over once the last one of the same source was taken; false when nobody takes any more.
    func put(_ source: String, _ text: String) async -> Bool {
        while true {
            let (isDone, taker) = state.withLock { state -> (Bool?, CheckedContinuation<Void, Never>?) in
                if state.hasEnded { return (false, nil) }
                if state.events.contains(where: { $0.source == source }) { return (nil, nil) }
                state.events.append((source, text))
                defer { state.taker = nil }
                return (true, state.taker)
            }
            taker?.resume()
            if let isDone { return isDone }
            await withCheckedContinuation { continuation in
                let isFree = state.withLock { state in
                    guard !state.hasEnded, state.events.contains(where: { $0.source == source }) else { return true }
                    // One source is one task; should another wait already, it looks again.
                    let before = state.putters.updateValue(continuation, forKey: source)
                    before?.resume()
                    return false
                }
                if isFree { continuation.resume() }
            }
        }
    }

    /// All events that wait; waits for one. Empty at the end.
    func take() async -> [String] {
        while true {
            let (texts, putters) = state.withLock { state -> ([String]?, [CheckedContinuation<Void, Never>]) in
                guard !state.events.isEmpty else { return (state.hasEnded ? [] : nil, []) }
                defer {
                    state.events = []
                    state.putters = [:]
                }
                return (state.events.map(\.text), Array(state.putters.values))
            }
            for putter in putters { putter.resume() }
            if let texts { return texts }
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    guard state.events.isEmpty, !state.hasEnded else { return true }
                    state.taker = continuation
                    return false
                }
                if isReady { continuation.resume() }
            }
        }
    }

    /// Nobody takes any more.
    func end() {
        let waiting = state.withLock { state in
            state.hasEnded = true
            defer {
                state.putters = [:]
                state.taker = nil
            }
            return Array(state.putters.values) + [state.taker].compactMap { $0 }
        }
        for waiter in waiting { waiter.resume() }
    }
}
