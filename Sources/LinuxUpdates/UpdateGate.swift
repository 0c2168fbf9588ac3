/// Lets one thread at a time through. What is over soon is waited for; while a long work goes on the others are turned away
/// instead, so that nobody who only asks is held up by it.
final class UpdateGate: Sendable {
    private enum Use {
        case free
        /// Over soon.
        case short
        case long
        /// For ever.
        case ended
    }

    private let monitor = Monitor()
    private nonisolated(unsafe) var use = Use.free

    private func change(to new: Use) {
        monitor.withLock {
            use = new
            monitor.broadcast()
        }
    }

    /// False when there is a long work, or the gate was ended.
    private func enter() -> Bool {
        monitor.withLock {
            while use == .short { monitor.wait() }
            guard use == .free else { return false }
            use = .short
            return true
        }
    }

    /// Runs `body` alone; nil when it was turned away.
    func pass<Value>(_ body: () throws -> Value) rethrows -> Value? {
        guard enter() else { return nil }
        defer { change(to: .free) }
        return try body()
    }

    /// Runs `body` alone, which may take long after it called ``LongWork/begin()`` and until ``LongWork/end()``; nil when it
    /// was turned away.
    func passForLong<Value>(_ body: (LongWork) throws -> Value) rethrows -> Value? {
        try pass { try body(LongWork(gate: self)) }
    }

    /// Says when others are to be turned away, and when they can wait again.
    struct LongWork: Sendable {
        fileprivate let gate: UpdateGate

        func begin() { gate.change(to: .long) }
        func end() { gate.change(to: .short) }
    }

    /// Turns everybody away from now on; waits for who is inside.
    func end() {
        monitor.withLock {
            while use == .short || use == .long { monitor.wait() }
            use = .ended
        }
    }

    var hasEnded: Bool { monitor.withLock { use == .ended } }
}
