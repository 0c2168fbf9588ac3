/// Waits for the outcome of an upload after the device took all data: it stands in `tod_err` once it is known
/// (application-layer.md 2.8).
public struct DelayedStatus: Sendable {
    /// How long to wait, counted from the completion of the upload.
    public struct Times: Sendable, Equatable {
        /// While the device has not reported anything (0).
        public var none: Milliseconds
        /// While the device reports that it is still at work (4).
        public var pending: Milliseconds

        /// Times of one's own.
        public init(none: Milliseconds, pending: Milliseconds) {
            self.none = none
            self.pending = pending
        }

        /// For ordinary blocks: 2 s without a report, as the original; 60 s while pending.
        public static let block = Times(none: 2_000, pending: 60_000)
        /// For block 1, the program: 60 s without a report, because devices of the original never write "pending"
        /// (11.1); 5 minutes while pending.
        public static let program = Times(none: 60_000, pending: 300_000)

        /// The times for a persistent block.
        public static func forBlock(_ select: Int) -> Times { select == 1 ? .program : .block }
    }

    /// What is known.
    public enum Action: Sendable, Equatable {
        /// Not yet; ask again when a snapshot arrives or the deadline passes.
        case wait
        /// The device's word: `completed` or an error.
        case final(StreamStatus)
        /// The time is over. `lastSeen` is ``StreamStatus/none`` or ``StreamStatus/pending``; what became of the data
        /// is not known.
        case unknown(lastSeen: StreamStatus)
        /// The device went away. Devices that restart into the new program do that instead of a report (11.15), so
        /// only what it says after it came back tells the outcome.
        case connectionGone(lastSeen: StreamStatus)
    }

    private let started: Milliseconds
    private let times: Times
    private var lastSeen = StreamStatus.none

    /// Begins at the completion of an upload.
    public init(now: Milliseconds, times: Times) {
        started = now
        self.times = times
    }

    /// When ``turn(_:now:connected:)`` must be called at the latest.
    public var deadline: Milliseconds { started + (lastSeen == .pending ? max(times.pending, times.none) : times.none) }

    /// Looks at the device's `err` signal. `connected` is false while no connection feeds the device's block.
    public mutating func turn(_ port: StreamPort, now: Milliseconds, connected: Bool = true) -> Action {
        guard connected else { return .connectionGone(lastSeen: lastSeen) }
        let status = port.isConnected(.err) ? port.status : .none
        if status.isFinal { return .final(status) }
        // A device that was pending and says nothing any more has restarted its work, not taken its word back.
        if status == .pending { lastSeen = .pending }
        return now >= deadline ? .unknown(lastSeen: lastSeen) : .wait
    }
}
