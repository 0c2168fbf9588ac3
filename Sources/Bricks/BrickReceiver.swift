public import IOCOM

/// What a controller has to do after ``BrickReceiver/turn(now:connected:)``.
public enum BrickReceiverAction: Sendable, Equatable {
    /// Nothing to do until a snapshot arrives or the deadline passes.
    case wait
    /// A new picture; call again.
    case picture(Brick)
    /// What came is no picture. Another one was asked for; call again.
    case damaged(BrickError)
    /// No connection feeds the device's block any more.
    case gone
}

/// The controller's side of a camera: asks for pictures, one after the other.
///
/// Several controllers may ask the same camera: all of them get each picture. Who has enough just asks no more. Saying so
/// with 0 would only hide the request of another one, where a node on the way makes one snapshot of both.
public struct BrickReceiver {
    /// The signals.
    public let port: CameraPort
    private let times: BrickTimes
    private var command: Int64
    private var askedAt: Milliseconds?
    private var state: Int64 = 0

    /// A controller that has not asked. Its requests are numbered from behind `command` on: a random number keeps those of
    /// several controllers apart.
    public init(port: CameraPort, command: Int64 = 0, times: BrickTimes = BrickTimes()) {
        self.port = port
        self.command = command
        self.times = times
    }

    /// When ``turn(now:connected:)`` must be called at the latest; nil when only events matter.
    public var deadline: Milliseconds? { askedAt.map { $0 + times.askAgain } }

    /// Looks at the device's signals and the clock: after each snapshot and at the ``deadline``. The caller publishes the
    /// controller's block afterwards. `connected` is false while no connection feeds the device's block.
    public mutating func turn(now: Milliseconds, connected: Bool = true) -> BrickReceiverAction {
        guard connected else { return .gone }
        guard port.isConnected else { return .wait }
        guard let askedAt else {
            // The picture that is there already may be from long ago.
            state = port.state
            ask(now)
            return .wait
        }
        guard port.state == state else {
            state = port.state
            ask(now)
            guard state != 0 else { return .wait }
            do { return .picture(try port.brick()) } catch { return .damaged(error) }
        }
        if now - askedAt >= times.askAgain { ask(now) }
        return .wait
    }

    private mutating func ask(_ now: Milliseconds) {
        command = port.nextCommand(after: command)
        port.setCommand(command)
        askedAt = now
    }
}
