/// How a controller asks for a transfer and waits for the answer, the same for both directions.
///
/// It withdraws `cmd` and asks once more when the device says nothing for half of ``StreamTimes/handshake``: a device that
/// gave up the transfer of a controller that vanished may wait to see `cmd` at 0 (application-layer.md 11.5), and nobody
/// has set it so. A first 0 right before the request would not help: a server in between may merge the two.
struct TransferRequest {
    enum Progress {
        case wait
        /// Publish the controller's block now, then call again.
        case publish
        /// The device moves data.
        case begun
        /// The device refused before it was seen to begin.
        case interrupted
        case timedOut
    }

    private let since: Milliseconds
    private var withdrawnSince: Milliseconds?
    private var wasRepeated = false

    /// Writes the request; the caller publishes it.
    init(_ port: StreamPort, select: Int, now: Milliseconds) {
        port.releaseController()
        if port.direction == .upload { port.set(.cs, 0) }
        port.set(.select, select)
        port.set(.cmd, StreamStep.running)
        since = now
    }

    /// When ``turn(_:now:times:)`` must be called at the latest.
    func deadline(_ times: StreamTimes) -> Milliseconds {
        if let withdrawnSince { return min(withdrawnSince + times.showRunning, since + times.handshake) }
        return since + (wasRepeated ? times.handshake : times.handshake / 2)
    }

    mutating func turn(_ port: StreamPort, now: Milliseconds, times: StreamTimes) -> Progress {
        let state = port.value(.state)
        if let withdrawnSince {
            if now - since >= times.handshake { return .timedOut }
            // A device that answered at the last moment sees the withdrawal first.
            guard state == StreamStep.idle, now - withdrawnSince >= times.showRunning else { return .wait }
            self.withdrawnSince = nil
            port.set(.cmd, StreamStep.running)
            return .wait
        }
        if state == StreamStep.running { return .begun }
        if state == StreamStep.completed, port.direction == .download { return .begun }
        if state == StreamStep.interrupt { return .interrupted }
        if now - since >= times.handshake { return .timedOut }
        guard !wasRepeated, now - since >= times.handshake / 2 else { return .wait }
        wasRepeated = true
        withdrawnSince = now
        port.set(.cmd, StreamStep.idle)
        return .publish
    }
}
