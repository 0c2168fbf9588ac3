public import IOCOM

/// The trial of a new program: events and time in, at most one decision out. A pure value.
///
/// A program has proved itself when, within the time given, it is connected to its server and has passed its self-test.
/// An operator can decide instead. Without a program to go back to nothing is given up: the device goes on trying, because
/// a device that runs a doubtful program can still be updated and one that runs none cannot.
public struct Proving: Equatable {
    /// What happened.
    public enum Event: Equatable {
        /// The server knows the device.
        case connected
        /// The connection ended.
        case disconnected
        /// The self-test ended.
        case selfTest(passed: Bool)
        /// An operator takes the program as it is.
        case confirmedByOperator
        /// An operator wants the program before.
        case rolledBackByOperator
        /// Time went by.
        case time
    }

    /// What to do.
    public enum Decision: Equatable {
        /// The program proved itself.
        case confirm
        /// The program is given up.
        case rollBack(reason: String)
        /// The trial failed and there is no program to go back to.
        case carryOn(reason: String)
    }

    private enum SelfTest { case running, passed, failed }

    private let deadline: Milliseconds
    private let seconds: Int64
    private let hasWayBack: Bool
    private var isConnected = false
    private var wasConnected = false
    private var selfTest = SelfTest.running
    private var hasComplained = false
    private var waitsForOperator = false
    /// True once there was a decision that ends the trial; then nothing more comes out.
    public private(set) var isOver = false

    /// A trial that starts `now` and may take `limit` milliseconds.
    public init(limit: Milliseconds, hasWayBack: Bool, now: Milliseconds) {
        deadline = now + limit
        seconds = limit / 1000
        self.hasWayBack = hasWayBack
    }

    /// Takes an event.
    public mutating func handle(_ event: Event, now: Milliseconds) -> Decision? {
        guard !isOver else { return nil }
        switch event {
        case .connected:
            isConnected = true
            wasConnected = true
        case .disconnected: isConnected = false
        case .selfTest(let passed): selfTest = passed ? .passed : .failed
        case .confirmedByOperator: return end(.confirm)
        case .rolledBackByOperator:
            // What failed before may go now, and who asks hears why not.
            let reason = "an operator asked for it"
            if hasWayBack { return end(.rollBack(reason: reason)) }
            hasComplained = true
            return .carryOn(reason: reason)
        case .time: break
        }
        guard !waitsForOperator else { return nil }
        if selfTest == .failed { return giveUp("its self-test failed") }
        if isConnected, selfTest == .passed { return end(.confirm) }
        return now >= deadline ? giveUp(missing) : nil
    }

    /// Going back was decided but turned out to be impossible. It is tried again only when an operator wants it.
    public mutating func cannotGoBack() { isOver = false; hasComplained = true }

    /// The program proved itself but that could not be written down. What becomes of it an operator decides, or the next
    /// start.
    public mutating func cannotConfirm() { isOver = false; waitsForOperator = true }

    private var missing: String {
        if selfTest == .running { return "its self-test did not end within \(seconds) s" }
        return wasConnected
            ? "it lost its server and did not reach it again within \(seconds) s"
            : "it did not reach its server within \(seconds) s"
    }

    private mutating func end(_ decision: Decision) -> Decision {
        isOver = true
        return decision
    }

    private mutating func giveUp(_ reason: String) -> Decision? {
        if hasWayBack && !hasComplained { return end(.rollBack(reason: reason)) }
        guard !hasComplained else { return nil }
        hasComplained = true
        return .carryOn(reason: reason)
    }
}
