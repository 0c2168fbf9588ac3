public import IOCOM

/// The time that a configuration on trial has to reach its server. A pure value.
public struct ConfigurationProof: Equatable, Sendable {
    /// What happened.
    public enum Event: Equatable, Sendable {
        /// The server knows the device.
        case connected
        /// Time went by.
        case time
    }

    /// What to do.
    public enum Decision: Equatable, Sendable {
        /// It proved itself.
        case proved
        /// It did not, in the time given.
        case failed
    }

    private let deadline: Milliseconds
    private var isOver = false

    /// A trial that starts `now` and may take `limit` milliseconds.
    public init(limit: Milliseconds, now: Milliseconds) { deadline = now + limit }

    /// Takes an event; one decision comes out, once.
    public mutating func handle(_ event: Event, now: Milliseconds) -> Decision? {
        guard !isOver else { return nil }
        switch event {
        case .connected:
            isOver = true
            return .proved
        case .time:
            guard now >= deadline else { return nil }
            isOver = true
            return .failed
        }
    }
}
