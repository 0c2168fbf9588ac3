/// How a device gives a transfer up: RUNNING has been seen, then INTERRUPT, then IDLE once the controller withdrew
/// (application-layer.md 2.6 and 2.7, steps FAIL and FAIL2; the trap of 2.11). The same for both directions.
struct DeviceInterruption {
    enum Progress {
        /// Nothing to do before the next snapshot or the deadline.
        case wait
        /// Signals changed that must leave before the next change.
        case publish
        /// State is IDLE; `withdrawn` tells whether the controller no longer wants the transfer.
        case ended(withdrawn: Bool)
    }

    private let runningSince: Milliseconds
    private var interruptedAt: Milliseconds?

    /// `runningSince` is when state became RUNNING.
    init(runningSince: Milliseconds) { self.runningSince = runningSince }

    /// When ``turn`` wants to be called at the latest.
    func deadline(_ port: StreamPort, _ times: StreamTimes) -> Milliseconds {
        if let interruptedAt { return interruptedAt + times.handshake }
        return runningSince + (port.deviceBlock.isDrained ? times.showRunning : times.handshake)
    }

    /// One step. `wanted`: the controller's `cmd` still asks for the transfer. `sawRunning`: it acted on RUNNING.
    mutating func turn(
        _ port: StreamPort, connected: Bool, wanted: Bool, sawRunning: Bool, times: StreamTimes, now: Milliseconds
    ) -> Progress {
        guard connected else { return end(port, withdrawn: true) }
        guard let interruptedAt else {
            if wanted && !sawRunning {
                // RUNNING and INTERRUPT in one snapshot would leave the controller waiting for RUNNING.
                if port.deviceBlock.hasUnpublishedChanges { return .publish }
                if now < deadline(port, times) { return .wait }
            }
            port.set(.state, StreamStep.interrupt)
            self.interruptedAt = now
            return .publish
        }
        if wanted && now - interruptedAt < times.handshake { return .wait }
        return end(port, withdrawn: !wanted)
    }

    private func end(_ port: StreamPort, withdrawn: Bool) -> Progress {
        port.set(.state, StreamStep.idle)
        port.set(port.direction == .upload ? .tail : .head, 0)
        return .ended(withdrawn: withdrawn)
    }
}
