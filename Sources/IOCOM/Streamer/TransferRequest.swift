/// How a controller gets a device to begin a transfer, the same for both directions.
///
/// It asks (`cmd` RUNNING) when the device is free. When the device says nothing for half of ``StreamTimes/handshake`` it
/// withdraws and asks once more: a device that gave up the transfer of a controller that vanished may wait to see `cmd` at
/// 0 (application-layer.md 11.5), and nobody has set it so. A first 0 right before the request would not help: a server in
/// between may merge the two. For the same reason it withdraws in the place of a controller that the device waits for.
struct TransferRequest {
    enum Progress {
        /// The device serves another transfer; nothing was asked.
        case busy
        case wait
        /// Publish the controller's block now, then call again.
        case publish
        /// The device moves data.
        case begun
        /// The device refused before it was seen to begin.
        case interrupted
        case timedOut
    }

    private enum Step {
        case free
        case asked
        /// `isDue`: only the device's IDLE is missing.
        case withdrawn(since: Milliseconds, isDue: Bool)
    }

    private let select: Int
    private var step = Step.free
    /// When it asked, the last time.
    private var since: Milliseconds = 0
    private var wasRepeated = false
    /// Since when the device is seen to give up another's transfer.
    private var givingUpSince: Milliseconds?
    private var hasReleased = false
    private var statusBefore = StreamStatus.none
    /// The device wrote another result since it was asked.
    private(set) var sawNewStatus = false

    init(select: Int) { self.select = select }

    /// False while nothing was asked: then the signals may be another transfer's.
    var hasAsked: Bool {
        if case .free = step { return false }
        return true
    }

    /// When ``turn(_:now:times:)`` must be called at the latest.
    func deadline(_ times: StreamTimes) -> Milliseconds? {
        switch step {
        case .free: hasReleased ? nil : givingUpSince.map { $0 + times.vanished }
        case .asked: since + (wasRepeated ? times.handshake : times.handshake / 2)
        case .withdrawn(let withdrawn, let isDue): isDue ? since + times.handshake : withdrawn + times.showRunning
        }
    }

    mutating func turn(_ port: StreamPort, now: Milliseconds, times: StreamTimes) -> Progress {
        let state = port.value(.state)
        switch step {
        case .free: return ask(port, state, now, times)
        case .asked: return waitForAnswer(port, state, now, times)
        case .withdrawn(let withdrawn, _):
            if now - since >= times.handshake { return .timedOut }
            // A device that answered at the last moment sees the withdrawal first.
            let isDue = now - withdrawn >= times.showRunning
            step = .withdrawn(since: withdrawn, isDue: isDue)
            guard state == StreamStep.idle, isDue else { return .wait }
            begin(port, now)
            return .wait
        }
    }

    private mutating func ask(
        _ port: StreamPort, _ state: Int, _ now: Milliseconds, _ times: StreamTimes
    ) -> Progress {
        if port.isGivingUp { return release(port, now, times) }
        // A result that is pending must stay readable for its controller.
        let isPending = port.direction == .upload && port.status == .pending
        guard state == StreamStep.idle, !isPending, port.value(.cmd) == StreamStep.idle else { return .busy }
        statusBefore = port.status
        begin(port, now)
        return .wait
    }

    /// Everything is written again: another controller may have asked for something else in between.
    private mutating func begin(_ port: StreamPort, _ now: Milliseconds) {
        port.releaseController()
        if port.direction == .upload { port.set(.cs, 0) }
        port.set(.select, select)
        port.set(.cmd, StreamStep.running)
        since = now
        step = .asked
    }

    /// The device waits for a controller that may have vanished; one that is there withdraws as well.
    private mutating func release(_ port: StreamPort, _ now: Milliseconds, _ times: StreamTimes) -> Progress {
        guard let givingUpSince else {
            self.givingUpSince = now
            return .busy
        }
        guard !hasReleased, now - givingUpSince >= times.vanished else { return .busy }
        hasReleased = true
        port.releaseController()
        return .publish
    }

    private mutating func waitForAnswer(
        _ port: StreamPort, _ state: Int, _ now: Milliseconds, _ times: StreamTimes
    ) -> Progress {
        if port.status != statusBefore { sawNewStatus = true }
        if state == StreamStep.running { return .begun }
        if state == StreamStep.completed, port.direction == .download { return .begun }
        if state == StreamStep.interrupt { return .interrupted }
        if now - since >= times.handshake { return .timedOut }
        guard !wasRepeated, now - since >= times.handshake / 2 else { return .wait }
        // A reason without RUNNING: a device of the original that has no installer (4.1) says no more.
        if sawNewStatus && port.status.isError { return .timedOut }
        wasRepeated = true
        step = .withdrawn(since: now, isDue: false)
        port.set(.cmd, StreamStep.idle)
        return .publish
    }
}
