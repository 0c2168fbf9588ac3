/// How a download ended for the controller.
public enum DownloadResult: Sendable, Equatable {
    /// All bytes arrived and their checksum is the device's.
    case completed
    /// The device interrupted, with the reason it wrote (``StreamStatus/failed`` when it wrote none).
    ///
    /// Devices of the original also do this with ``StreamStatus/readFailed`` at the end of a block whose size hits a
    /// chunk boundary, such as 256 bytes, and for empty blocks (application-layer.md 11.2, 11.3).
    case refused(StreamStatus)
    /// All bytes arrived but their checksum is not the device's: do not use them.
    case checksumMismatch
    /// The device did not answer or sent nothing for too long.
    case timedOut
    /// No connection feeds the device's block, or the device has never set its state.
    case connectionGone
    /// ``DownloadController/cancel()`` was called.
    case cancelled
    /// The device's position is one that no honest device can have.
    case protocolViolation
}

/// What the controller has to do after ``DownloadController/turn(now:connected:)``.
public enum DownloadControllerAction: Sendable, Equatable {
    /// The device serves another transfer. Nothing was written; call again later or give up.
    case busy
    /// Nothing to do until a snapshot arrives, the caller confirms, or the deadline passes.
    case wait
    /// This many bytes can be taken with ``DownloadController/takeReadable(atMost:_:)``.
    case data(Int)
    /// Publish the controller's block now, then call again.
    case publishAndTurn
    /// Over. Call ``DownloadController/close()``.
    case finished(DownloadResult)
}

/// The controller's side of a download (application-layer.md 2.7).
///
/// Unlike the original it understands a refusal whose RUNNING it missed (11.9) and takes the checksum together with
/// the state that makes it valid. Devices give up when their ring stays full for 5 seconds, so a slow sink needs a
/// buffer above this.
public struct DownloadController {
    private enum Step {
        case opening(TransferRequest)
        case data
        case done(checksum: Int)
        case withdrawing(DownloadResult)
        case finished(DownloadResult)
    }

    /// The signals.
    public let port: StreamPort
    private let times: StreamTimes
    private var step: Step
    private var reader: StreamReader
    private var isCancelled = false
    private var hasBegun = false
    private var since: Milliseconds = 0

    /// A download of persistent block `select`; nil when the device's `select` signal cannot hold that number.
    /// `port` must be of direction ``StreamDirection/download``.
    public init?(port: StreamPort, select: Int, times: StreamTimes = StreamTimes()) {
        precondition(port.direction == .download, "a DownloadController needs a download port")
        guard port.canSelect(select) else { return nil }
        self.port = port
        step = .opening(TransferRequest(select: select))
        self.times = times
        reader = StreamReader(port)
    }

    /// Bytes taken and confirmed.
    public var confirmedBytes: UInt64 { reader.confirmed }

    /// When ``turn(now:connected:)`` must be called at the latest; nil when only events matter.
    public var deadline: Milliseconds? {
        switch step {
        case .opening(let request): request.deadline(times)
        case .finished: nil
        case .withdrawing, .done: since + times.handshake
        case .data: reader.ring.used == 0 ? since + times.idle : nil
        }
    }

    /// Looks at the device's signals and the clock.
    ///
    /// Call it after each snapshot, each call of another method and at the ``deadline``, until it gives `wait`, `busy`
    /// or `finished`, and publish the controller's block afterwards. `connected` is false while no connection feeds
    /// the device's block.
    public mutating func turn(now: Milliseconds, connected: Bool = true) -> DownloadControllerAction {
        if case .finished(let result) = step { return .finished(result) }
        guard connected, port.isConnected(.state) else { return finish(.connectionGone) }
        let state = port.value(.state)
        switch step {
        case .opening(let request): return open(request, state, now)
        case .data: return moveData(state, now)
        case .done(let checksum):
            let isActive = state == StreamStep.running || state == StreamStep.completed
            if isActive && now - since < times.handshake { return .wait }
            port.set(.tail, 0)
            return finish(checksum == Int(reader.checksum.value) ? .completed : .checksumMismatch)
        case .withdrawing(let result):
            if state == StreamStep.running && now - since < times.handshake { return .wait }
            return finish(result)
        case .finished(let result): return .finished(result)
        }
    }

    /// Hands out bytes that arrived, oldest first, in one or two calls of `body`; gives their number.
    ///
    /// The spans are valid inside `body` only. Each byte is handed out once.
    public mutating func takeReadable(atMost limit: Int = .max, _ body: (RawSpan) -> Void) -> Int {
        guard case .data = step else { return 0 }
        return reader.take(atMost: limit, port, body)
    }

    /// The sink is done with the oldest `count` bytes taken: the device gets their room.
    public mutating func confirm(_ count: Int, now: Milliseconds) {
        guard case .data = step else { return }
        reader.confirm(count, port)
        since = now
    }

    /// Gives up. The device is told at the next ``turn(now:connected:)``, and the result is `cancelled` unless the
    /// transfer ended before.
    public mutating func cancel() { isCancelled = true }

    /// Puts the controller's signals to rest after the end (`cmd` IDLE, `tail` 0). Before the end it withdraws at
    /// once, without waiting for the device.
    public mutating func close() {
        if case .finished = step {} else { step = .finished(.cancelled) }
        if hasBegun { port.releaseController() }
    }

    // MARK: Steps

    private mutating func open(
        _ request: TransferRequest, _ state: Int, _ now: Milliseconds
    ) -> DownloadControllerAction {
        if isCancelled { return hasBegun ? fail(.cancelled, now) : finish(.cancelled) }
        var request = request
        let progress = request.turn(port, now: now, times: times)
        hasBegun = request.hasAsked
        step = .opening(request)
        switch progress {
        case .busy: return .busy
        case .wait: return .wait
        case .publish: return .publishAndTurn
        case .begun:
            since = now
            step = .data
            return moveData(state, now)
        case .interrupted: return fail(.refused(.failed), now)
        case .timedOut: return fail(.timedOut, now)
        }
    }

    private mutating func moveData(_ state: Int, _ now: Milliseconds) -> DownloadControllerAction {
        guard state == StreamStep.running || state == StreamStep.completed else {
            return fail(.refused(.failed), now)
        }
        guard reader.noticeHead(port) else { return fail(.protocolViolation, now) }
        if isCancelled { return fail(.cancelled, now) }
        guard reader.ring.used == 0 else { return reader.readable > 0 ? .data(reader.readable) : .wait }
        if state == StreamStep.completed {
            let checksum = port.value(.cs)
            port.set(.cmd, StreamStep.idle)
            since = now
            step = .done(checksum: checksum)
            return .publishAndTurn
        }
        return now - since >= times.idle ? fail(.timedOut, now) : .wait
    }

    private mutating func fail(_ result: DownloadResult, _ now: Milliseconds) -> DownloadControllerAction {
        port.set(.cmd, StreamStep.idle)
        since = now
        step = .withdrawing(result)
        return .publishAndTurn
    }

    private mutating func finish(_ result: DownloadResult) -> DownloadControllerAction {
        var result = result
        if hasBegun { port.set(.cmd, StreamStep.idle) }
        if case .refused = result, port.status.isError { result = .refused(port.status) }
        step = .finished(result)
        return .finished(result)
    }
}
