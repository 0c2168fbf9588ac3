/// What the device has to do after ``DownloadSender/turn(now:connected:)``.
public enum DownloadSenderAction: Sendable, Equatable {
    /// No transfer; call again when a snapshot arrives.
    case idle
    /// A controller wants to read this block. Open the source, then ``DownloadSender/accept()`` or
    /// ``DownloadSender/refuse(_:)``, at once or later.
    case begin(select: Int)
    /// The ring has room for this many bytes: ``DownloadSender/put(_:maxChunk:now:)`` when the source has some, and
    /// ``DownloadSender/end(now:)`` when there are no more. A source that has none yet does nothing.
    case fill(space: Int)
    /// Nothing to do until a snapshot arrives, the source answers or the deadline passes.
    case wait
    /// Publish the device's block now, then call again: the next change must not be in the same snapshot.
    case publishAndTurn
    /// Over: close the source. ``StreamStatus/completed`` when the controller took every byte.
    case finished(StreamStatus)
}

/// The device's side of a download (application-layer.md 2.7).
///
/// Only the caller's word ends the data, so a block whose size hits a chunk boundary or is 0 is sent like any other,
/// unlike in the original (11.2, 11.3). A second operator is noticed like in ``UploadReceiver``: another `select`, a
/// `tail` outside the bytes sent, or `cmd` leaving RUNNING end the transfer with an error.
public struct DownloadSender {
    private enum Step {
        case idle
        case opening
        case sending
        case done
        case interrupting(DeviceInterruption)
    }

    /// The signals.
    public let port: StreamPort
    private let times: StreamTimes
    private var step = Step.idle
    private var writer: StreamWriter
    private var armed = true
    private var select = 0
    private var runningSince: Milliseconds = 0
    /// When bytes were last put (a ring that is full became so then) or, after the end, last taken.
    private var progressSince: Milliseconds = 0

    /// A sender at rest. `port` must be of direction ``StreamDirection/download``.
    public init(port: StreamPort, times: StreamTimes = StreamTimes()) {
        precondition(port.direction == .download, "a DownloadSender needs a download port")
        self.port = port
        self.times = times
        writer = StreamWriter(port)
    }

    /// Bytes of the present or latest transfer that the controller has taken.
    public var confirmedBytes: UInt64 { writer.confirmed }

    /// Bytes placed in the ring.
    public var queuedBytes: UInt64 { writer.queued }

    /// True from ``DownloadSenderAction/begin(select:)`` until the transfer has ended.
    public var isActive: Bool {
        if case .idle = step { return false }
        return true
    }

    /// When ``turn(now:connected:)`` must be called at the latest; nil when only events matter.
    public var deadline: Milliseconds? {
        switch step {
        case .idle, .opening: nil
        case .sending: writer.ring.free == 0 ? progressSince + times.idle : nil
        case .done: progressSince + times.handshake
        case .interrupting(let interruption): interruption.deadline(port, times)
        }
    }

    /// Looks at the controller's signals and the clock.
    ///
    /// Call it after each snapshot, each call of another method and at the ``deadline``, until it gives `wait` or
    /// `idle` (or `fill` and the source has nothing), and publish the device's block afterwards. `connected` is false
    /// while no connection feeds the controller's block.
    public mutating func turn(now: Milliseconds, connected: Bool = true) -> DownloadSenderAction {
        let connected = connected && port.isConnected(.cmd)
        let cmd = port.value(.cmd)
        let wanted = connected && (cmd == StreamStep.running || cmd == StreamStep.completed)
        switch step {
        case .idle: return begin(wanted: wanted, cmd: cmd, now: now)
        case .opening, .sending:
            if !connected { return rest(.failed) }
            return send(wanted: wanted, now: now)
        case .done:
            if !connected { return rest(.failed) }
            return waitForEnd(cmd: cmd, now: now)
        case .interrupting(var interruption):
            let progress = interruption.turn(
                port, connected: connected, wanted: wanted, sawRunning: port.value(.tail) != 0, times: times, now: now)
            step = .interrupting(interruption)
            switch progress {
            case .wait: return .wait
            case .publish: return .publishAndTurn
            case .ended(let withdrawn):
                armed = withdrawn || port.value(.tail) != 0
                step = .idle
                return .idle
            }
        }
    }

    /// The source is open.
    public mutating func accept() {
        guard case .opening = step else { return }
        step = .sending
    }

    /// The source cannot be opened, for example ``StreamStatus/readFailed``. A status that is no error counts as
    /// `failed`.
    public mutating func refuse(_ status: StreamStatus) { fail(status) }

    /// The source failed; ends the transfer with this status. Nothing happens when no transfer is open or the end was
    /// announced.
    public mutating func fail(_ status: StreamStatus) {
        switch step {
        case .opening, .sending: interrupt(status)
        case .idle, .done, .interrupting: break
        }
    }

    /// Places bytes in the ring, at most `maxChunk`, so that a large ring is filled in several snapshots; gives the
    /// number taken. The rest is to be put again after the next `fill`.
    public mutating func put(_ bytes: RawSpan, maxChunk: Int = .max, now: Milliseconds) -> Int {
        guard case .sending = step else { return 0 }
        let count = writer.put(bytes, atMost: maxChunk, port)
        if count > 0 { progressSince = now }
        return count
    }

    /// Nothing follows what was put.
    public mutating func end(now: Milliseconds) {
        guard case .sending = step else { return }
        port.set(.cs, Int(writer.checksum.value))
        port.set(.state, StreamStep.completed)
        progressSince = now
        step = .done
    }

    // MARK: Steps

    private mutating func begin(wanted: Bool, cmd: Int, now: Milliseconds) -> DownloadSenderAction {
        if !wanted { armed = true }
        guard armed, wanted, cmd == StreamStep.running, port.value(.tail) == 0 else { return .idle }
        if port.deviceBlock.hasUnpublishedChanges { return .publishAndTurn }
        port.set(.err, 0)
        port.set(.cs, 0)
        port.set(.head, 0)
        port.markRing()
        port.set(.state, StreamStep.running)
        writer = StreamWriter(port)
        select = port.value(.select)
        runningSince = now
        progressSince = now
        step = .opening
        return .begin(select: select)
    }

    private mutating func send(wanted: Bool, now: Milliseconds) -> DownloadSenderAction {
        guard wanted, port.value(.select) == select, writer.noticeTail(port) != nil else {
            return interruptAndFinish(.failed)
        }
        guard case .sending = step else { return .wait }
        if writer.ring.free > 0 { return .fill(space: writer.ring.free) }
        return now - progressSince >= times.idle ? interruptAndFinish(.timeout) : .wait
    }

    private mutating func waitForEnd(cmd: Int, now: Milliseconds) -> DownloadSenderAction {
        // Once cmd is down the position may already be the next transfer's, so it only decides how this one is told.
        let moved = writer.noticeTail(port)
        let isRead = moved != nil && writer.ring.used == 0
        guard cmd == StreamStep.running else { return rest(isRead ? .completed : .failed) }
        guard let moved, port.value(.select) == select else { return rest(.failed) }
        if moved > 0 { progressSince = now }
        guard now - progressSince >= times.handshake else { return .wait }
        armed = port.value(.tail) != 0
        return rest(isRead ? .completed : .timeout)
    }

    private mutating func interrupt(_ status: StreamStatus) {
        port.set(.err, Int((status.isError ? status : .failed).rawValue))
        step = .interrupting(DeviceInterruption(runningSince: runningSince))
    }

    private mutating func interruptAndFinish(_ status: StreamStatus) -> DownloadSenderAction {
        interrupt(status)
        return .finished(status)
    }

    /// Own signals to rest, with the result.
    private mutating func rest(_ status: StreamStatus) -> DownloadSenderAction {
        port.set(.state, StreamStep.idle)
        port.set(.head, 0)
        port.set(.err, Int(status.rawValue))
        step = .idle
        return .finished(status)
    }
}
