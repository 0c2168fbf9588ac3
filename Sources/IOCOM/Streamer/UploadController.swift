/// How an upload ended for the controller.
public enum UploadResult: Sendable, Equatable {
    /// The device left RUNNING after all data was in the ring. Whether it accepted the data says ``DelayedStatus``.
    case completed
    /// The device interrupted, with the reason it wrote (``StreamStatus/failed`` when it wrote none).
    case refused(StreamStatus)
    /// The device did not answer or did not move on, or the caller had no data for too long.
    case timedOut
    /// No connection feeds the device's block, or the device has never set its state.
    case connectionGone
    /// ``UploadController/cancel()`` was called.
    case cancelled
    /// The device's position is one that no honest device can have: two writers, or a device that restarted.
    case protocolViolation
}

/// What the controller has to do after ``UploadController/turn(now:connected:)``.
public enum UploadControllerAction: Sendable, Equatable {
    /// The device serves another transfer, or its last one is still pending. Nothing was written; call again later or
    /// give up.
    case busy
    /// Nothing to do until a snapshot arrives or the deadline passes.
    case wait
    /// The ring has room for this many bytes: call ``UploadController/offer(_:ended:maxChunk:now:)``.
    case send(space: Int)
    /// Publish the controller's block now, then call again: the next change must not be in the same snapshot.
    case publishAndTurn
    /// Over. Call ``UploadController/close()``; after `completed` ask ``DelayedStatus``.
    case finished(UploadResult)
}

/// The controller's side of an upload (application-layer.md 2.5).
///
/// Differs from the original where that is a defect: it does not report completion because 5 seconds went by, does not
/// wait for ever for a device that takes nothing more (``StreamTimes/stall``), and refuses positions of the device
/// that cannot be.
///
/// **Two operators at once.** Each controller sees only its own `cmd`. Opening reports busy while the device's state
/// is not IDLE or its result is pending. Between the other's `cmd` and the device's answer there is a gap in which
/// both may begin; then the device's own checks and the checksum decide, see ``UploadReceiver``.
public struct UploadController {
    private enum Step {
        case opening(TransferRequest)
        case data
        case done
        case withdrawing(UploadResult)
        case finished(UploadResult)
    }

    /// The signals.
    public let port: StreamPort
    private let times: StreamTimes
    private var step: Step
    private var writer: StreamWriter
    private var isCancelled = false
    /// False while nothing was written: then the signals may be another transfer's.
    private var hasBegun = false
    /// When the present step began, or data last moved in it.
    private var since: Milliseconds = 0
    /// When the caller last had bytes, or the device still had some of ours.
    private var sourceSince: Milliseconds = 0

    /// An upload into persistent block `select`; nil when the device's `select` signal cannot hold that number.
    /// `port` must be of direction ``StreamDirection/upload``.
    public init?(port: StreamPort, select: Int, times: StreamTimes = StreamTimes()) {
        precondition(port.direction == .upload, "an UploadController needs an upload port")
        guard port.canSelect(select) else { return nil }
        self.port = port
        step = .opening(TransferRequest(select: select))
        self.times = times
        writer = StreamWriter(port)
    }

    /// Bytes the device has taken and confirmed. This is the progress to show. It is never guessed: when the last
    /// confirmation and the end arrive in one snapshot it stays below ``queuedBytes``, and the result tells the rest.
    public var confirmedBytes: UInt64 { writer.confirmed }

    /// Bytes placed in the ring, at most its size ahead of ``confirmedBytes``.
    public var queuedBytes: UInt64 { writer.queued }

    /// When ``turn(now:connected:)`` must be called at the latest; nil when only events matter.
    public var deadline: Milliseconds? {
        switch step {
        case .opening(let request): request.deadline(times)
        case .finished: nil
        case .withdrawing: since + times.handshake
        case .data: writer.ring.used == 0 ? sourceSince + times.idle : since + times.stall
        case .done: since + times.stall
        }
    }

    /// Looks at the device's signals and the clock.
    ///
    /// Call it after each snapshot, each call of another method and at the ``deadline``, until it gives `wait`, `busy`
    /// or `finished`, and publish the controller's block afterwards. `connected` is false while no connection feeds
    /// the device's block.
    public mutating func turn(now: Milliseconds, connected: Bool = true) -> UploadControllerAction {
        if case .finished(let result) = step { return .finished(result) }
        guard connected, port.isConnected(.state) else { return finish(.connectionGone) }
        let state = port.value(.state)
        switch step {
        case .opening(let request): return open(request, state, now)
        case .data: return moveData(state, now)
        case .done: return waitForEnd(state, now)
        case .withdrawing(let result):
            if state == StreamStep.running && now - since < times.handshake { return .wait }
            return finish(result)
        case .finished(let result): return .finished(result)
        }
    }

    /// Places bytes in the ring: at most `maxChunk` of them, so that a large ring is filled in several snapshots that
    /// travel while the next is filled. Gives the number taken; offer the rest again after the next `send`.
    ///
    /// `ended` says that nothing follows `bytes`; it takes effect when all of them were taken. Offer no bytes with
    /// `ended` false to do nothing: a source that has nothing yet may wait up to ``StreamTimes/idle``.
    public mutating func offer(
        _ bytes: RawSpan, ended: Bool, maxChunk: Int = .max, now: Milliseconds
    ) -> Int {
        guard case .data = step, !isCancelled else { return 0 }
        let wasEmpty = writer.ring.used == 0
        let count = writer.put(bytes, atMost: maxChunk, port)
        if count > 0 {
            sourceSince = now
            if wasEmpty { since = now }
        }
        if ended && count == bytes.byteCount {
            port.set(.cs, Int(writer.checksum.value))
            port.set(.cmd, StreamStep.completed)
            since = now
            step = .done
        }
        return count
    }

    /// Gives up. The device is told at the next ``turn(now:connected:)``, and the result is `cancelled` unless the
    /// transfer ended before.
    public mutating func cancel() { isCancelled = true }

    /// Puts the controller's signals to rest after the end (`cmd` IDLE, `head` 0). Before the end it withdraws at
    /// once, without waiting for the device.
    public mutating func close() {
        if case .finished = step {} else { step = .finished(.cancelled) }
        if hasBegun { port.releaseController() }
    }

    // MARK: Steps

    private mutating func open(
        _ request: TransferRequest, _ state: Int, _ now: Milliseconds
    ) -> UploadControllerAction {
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
            sourceSince = now
            step = .data
            return moveData(state, now)
        case .interrupted: return fail(.refused(.failed), now)
        // A device of the original without an installer never shows RUNNING, only its reason (4.1).
        case .timedOut:
            return fail(request.sawNewStatus && port.status.isError ? .refused(port.status) : .timedOut, now)
        }
    }

    private mutating func moveData(_ state: Int, _ now: Milliseconds) -> UploadControllerAction {
        guard state == StreamStep.running else { return fail(.refused(.failed), now) }
        guard let moved = writer.noticeTail(port) else { return fail(.protocolViolation, now) }
        if moved > 0 { since = now }
        if isCancelled { return fail(.cancelled, now) }
        if writer.ring.used == 0 {
            if moved > 0 { sourceSince = now }
            if now - sourceSince >= times.idle { return fail(.timedOut, now) }
        } else if now - since >= times.stall {
            return fail(.timedOut, now)
        }
        return writer.ring.free > 0 ? .send(space: writer.ring.free) : .wait
    }

    private mutating func waitForEnd(_ state: Int, _ now: Milliseconds) -> UploadControllerAction {
        if state == StreamStep.interrupt { return fail(.refused(.failed), now) }
        guard state == StreamStep.running else { return finish(.completed) }
        guard let moved = writer.noticeTail(port) else { return fail(.protocolViolation, now) }
        if moved > 0 { since = now }
        if isCancelled { return fail(.cancelled, now) }
        return now - since >= times.stall ? fail(.timedOut, now) : .wait
    }

    private mutating func fail(_ result: UploadResult, _ now: Milliseconds) -> UploadControllerAction {
        port.set(.cmd, StreamStep.interrupt)
        since = now
        step = .withdrawing(result)
        return .publishAndTurn
    }

    private mutating func finish(_ result: UploadResult) -> UploadControllerAction {
        var result = result
        if hasBegun { port.set(.cmd, StreamStep.idle) }
        if case .refused = result, port.status.isError { result = .refused(port.status) }
        step = .finished(result)
        return .finished(result)
    }
}
