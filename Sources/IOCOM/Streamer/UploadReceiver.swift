/// What the device has to do after ``UploadReceiver/turn(now:connected:)``.
public enum UploadReceiverAction: Sendable, Equatable {
    /// No transfer; call again when a snapshot arrives.
    case idle
    /// A controller wants to write this block. Open the sink, then ``UploadReceiver/accept(now:)`` or
    /// ``UploadReceiver/refuse(_:)``, at once or later.
    case begin(select: Int)
    /// This many bytes can be taken with ``UploadReceiver/takeReadable(atMost:_:)``.
    case data(Int)
    /// Nothing to do until a snapshot arrives, the sink answers or the deadline passes.
    case wait
    /// Publish the device's block now, then call again: the next change must not be in the same snapshot.
    case publishAndTurn
    /// All bytes arrived, the checksum is right and every byte was confirmed: put the data in force, then
    /// ``UploadReceiver/settle(_:)``. Until then the controller reads "pending".
    case finish
    /// The transfer failed: throw away what the sink got.
    case abandon(StreamStatus)
}

/// The device's side of an upload (application-layer.md 2.6).
///
/// ```
/// loop: switch receiver.turn(now: now) { … }     // until .wait or .idle, then publish the device's block
/// ```
///
/// The sink may be slow. Reading and confirming are two steps: what was taken stays in the ring, and the controller
/// gets no room for more, until ``confirm(_:now:)``. No time-out runs while the sink opens or holds bytes.
///
/// **Two operators at once.** The device sees only the merged signals, the last writer wins. It can tell a second
/// writer by: another `select`; `cmd` back at RUNNING after COMPLETED; a changed `head` or `cs` after COMPLETED; a
/// `head` that moved backwards over unread bytes; `cmd` leaving RUNNING. Each ends the transfer with an error rather
/// than mixing data. It cannot tell when the ring is empty and the second writer used the same block number and
/// nothing showed `cmd` 0 in between: then the checksum is what protects, so a sink must not put anything in force
/// before ``UploadReceiverAction/finish``. A transfer only begins with `head` 0, so a controller that goes on with an
/// old transfer after this device restarted is not taken for a new one.
public struct UploadReceiver {
    private enum Step {
        case idle
        case opening
        case receiving
        case interrupting(DeviceInterruption)
        case settling
    }

    /// The signals.
    public let port: StreamPort
    private let times: StreamTimes
    private var step = Step.idle
    private var reader: StreamReader
    /// False after a failed transfer whose command is still there, or the device would begin it again by itself
    /// (application-layer.md 11.5). Not when its controller vanished in the middle: then nobody takes the command away,
    /// and the next transfer shows by its `head` 0.
    private var armed = true
    private var select = 0
    private var runningSince: Milliseconds = 0
    private var idleSince: Milliseconds = 0
    private var sawRunning = false
    /// `head` and `cs` at the moment `cmd` became COMPLETED.
    private var end: (head: Int, cs: Int)?

    /// A receiver at rest. `port` must be of direction ``StreamDirection/upload``.
    public init(port: StreamPort, times: StreamTimes = StreamTimes()) {
        precondition(port.direction == .upload, "an UploadReceiver needs an upload port")
        self.port = port
        self.times = times
        reader = StreamReader(port)
    }

    /// Bytes taken and confirmed of the present or latest transfer.
    public var confirmedBytes: UInt64 { reader.confirmed }

    /// Bytes taken that were not confirmed yet.
    public var unconfirmedBytes: Int { reader.taken }

    /// True from ``UploadReceiverAction/begin(select:)`` until the transfer has ended and its result is known.
    public var isActive: Bool {
        if case .idle = step { return false }
        return true
    }

    /// When ``turn(now:connected:)`` must be called at the latest; nil when only events matter.
    public var deadline: Milliseconds? {
        switch step {
        case .receiving: reader.ring.used == 0 ? idleSince + times.idle : nil
        case .interrupting(let interruption): interruption.deadline(port, times)
        case .idle, .opening, .settling: nil
        }
    }

    /// Looks at the controller's signals and the clock.
    ///
    /// Call it after each snapshot, each call of another method and at the ``deadline``, again and again until it
    /// gives `wait` or `idle`, and publish the device's block afterwards. `connected` is false while no connection
    /// feeds the controller's block.
    public mutating func turn(now: Milliseconds, connected: Bool = true) -> UploadReceiverAction {
        let connected = connected && port.isConnected(.cmd)
        let cmd = port.value(.cmd)
        let wanted = connected && (cmd == StreamStep.running || cmd == StreamStep.completed)
        switch step {
        case .idle:
            return begin(wanted: wanted, cmd: cmd, now: now)
        case .opening, .receiving:
            if !connected { return drop() }
            return receive(wanted: wanted, cmd: cmd, now: now)
        case .interrupting(var interruption):
            sawRunning = sawRunning || port.value(.head) != 0
            let progress = interruption.turn(
                port, connected: connected, wanted: wanted, sawRunning: sawRunning, times: times, now: now)
            step = .interrupting(interruption)
            switch progress {
            case .wait: return .wait
            case .publish: return .publishAndTurn
            case .ended(let withdrawn):
                // Back at 0 it is another transfer, or, hardly ever, the old one whose ring ends there: its checksum is wrong.
                armed = withdrawn || port.value(.head) != 0
                step = .idle
                return .idle
            }
        case .settling:
            return .wait
        }
    }

    /// The sink is open.
    public mutating func accept(now: Milliseconds) {
        guard case .opening = step else { return }
        idleSince = now
        step = .receiving
    }

    /// The sink cannot be opened, for example ``StreamStatus/noAccess``. A status that is no error counts as `failed`.
    public mutating func refuse(_ status: StreamStatus) { fail(status) }

    /// The sink failed; ends the transfer with this status. Nothing happens when no transfer is open.
    public mutating func fail(_ status: StreamStatus) {
        switch step {
        case .opening, .receiving: interrupt(status)
        case .idle, .interrupting, .settling: break
        }
    }

    /// Hands out bytes that arrived, oldest first, in one or two calls of `body`; gives their number.
    ///
    /// The spans are valid inside `body` only. The bytes count as received: each is handed out once.
    public mutating func takeReadable(atMost limit: Int = .max, _ body: (RawSpan) -> Void) -> Int {
        guard case .receiving = step else { return 0 }
        return reader.take(atMost: limit, port, body)
    }

    /// The sink is done with the oldest `count` bytes taken: the controller gets their room. More than were taken
    /// counts as all.
    public mutating func confirm(_ count: Int, now: Milliseconds) {
        guard case .receiving = step else { return }
        reader.confirm(count, port)
        idleSince = now
    }

    /// The result of ``UploadReceiverAction/finish``: ``StreamStatus/completed`` or an error. Until it is final
    /// (``StreamStatus/isFinal``) no other transfer begins, so that its controller can read it.
    public mutating func settle(_ status: StreamStatus) {
        guard case .settling = step else { return }
        port.set(.err, Int(status.rawValue))
        if status.isFinal { step = .idle }
    }

    // MARK: Steps

    private mutating func begin(wanted: Bool, cmd: Int, now: Milliseconds) -> UploadReceiverAction {
        if !wanted { armed = true }
        guard armed, wanted, cmd == StreamStep.running, port.value(.head) == 0 else { return .idle }
        if port.deviceBlock.hasUnpublishedChanges { return .publishAndTurn }
        port.set(.err, 0)
        port.set(.tail, 0)
        port.set(.state, StreamStep.running)
        reader = StreamReader(port)
        select = port.value(.select)
        runningSince = now
        sawRunning = false
        end = nil
        step = .opening
        return .begin(select: select)
    }

    private mutating func receive(wanted: Bool, cmd: Int, now: Milliseconds) -> UploadReceiverAction {
        guard wanted, port.value(.select) == select, reader.noticeHead(port), endIsSettled(cmd) else {
            return abandon(.failed)
        }
        if cmd == StreamStep.completed || port.value(.head) != 0 { sawRunning = true }
        guard case .receiving = step else { return .wait }
        // Waiting for data begins when the last byte is confirmed; until then the sink has all the time it needs.
        guard reader.ring.used == 0 else { return reader.readable > 0 ? .data(reader.readable) : .wait }
        if let end {
            // The controller shall see the last bytes confirmed before the state that makes it stop looking.
            if port.deviceBlock.hasUnpublishedChanges { return .publishAndTurn }
            return complete(checksum: end.cs)
        }
        return now - idleSince >= times.idle ? abandon(.timeout) : .wait
    }

    /// Notes the end when `cmd` says so; false when it was announced before and differs now.
    private mutating func endIsSettled(_ cmd: Int) -> Bool {
        if let end {
            return cmd == StreamStep.completed && port.value(.head) == end.head && port.value(.cs) == end.cs
        }
        if cmd == StreamStep.completed { end = (port.value(.head), port.value(.cs)) }
        return true
    }

    private mutating func complete(checksum: Int) -> UploadReceiverAction {
        port.set(.state, StreamStep.idle)
        port.set(.tail, 0)
        guard checksum == Int(reader.checksum.value) else {
            port.set(.err, Int(StreamStatus.checksumMismatch.rawValue))
            step = .idle
            return .abandon(.checksumMismatch)
        }
        port.set(.err, Int(StreamStatus.pending.rawValue))
        step = .settling
        return .finish
    }

    private mutating func interrupt(_ status: StreamStatus) {
        port.set(.err, Int((status.isError ? status : .failed).rawValue))
        step = .interrupting(DeviceInterruption(runningSince: runningSince))
    }

    private mutating func abandon(_ status: StreamStatus) -> UploadReceiverAction {
        interrupt(status)
        return .abandon(status)
    }

    /// The connection is gone: own signals to rest at once.
    private mutating func drop() -> UploadReceiverAction {
        port.set(.state, StreamStep.idle)
        port.set(.tail, 0)
        port.set(.err, Int(StreamStatus.failed.rawValue))
        step = .idle
        return .abandon(.failed)
    }
}
