public import IOCOM

/// What a device has to do after ``BrickSender/turn(now:connected:)``.
public enum BrickSenderAction: Sendable, Equatable {
    /// Nobody wants a picture, or it is not time for one, or the one before has not left.
    case wait
    /// Make a picture, then ``BrickSender/deliver(_:)``, at once or later.
    case make
}

/// The device's side of a camera: a picture for each time a controller asks, not more often than an interval allows.
///
/// A controller asks again when it has got a picture, so a slow one gets fewer. It may vanish without a word; then nothing
/// more is asked, and nothing is made. What was asked for is delivered even when a controller then says with 0 that it has
/// enough: another one may have asked as well.
public struct BrickSender {
    /// The signals.
    public let port: CameraPort
    private let times: BrickTimes
    private var command: Int64 = 0
    private var isWanted = false
    private var isMaking = false
    private var notBefore: Milliseconds = .min

    /// A camera that nobody has asked.
    public init(port: CameraPort, times: BrickTimes = BrickTimes()) {
        self.port = port
        self.times = times
    }

    /// When ``turn(now:connected:)`` must be called at the latest; nil when only events matter.
    public var deadline: Milliseconds? { isWanted && !isMaking && port.deviceBlock.isDrained ? notBefore : nil }

    /// Looks at the controller's signal and the clock: after each snapshot, when the device's block has left, and at the
    /// ``deadline``. `connected` is false while no connection feeds the controller's block.
    public mutating func turn(now: Milliseconds, connected: Bool = true) -> BrickSenderAction {
        let asked = connected ? port.command ?? 0 : 0
        if asked != command {
            command = asked
            if asked != 0 { isWanted = true }
        }
        if !connected { isWanted = false }
        guard isWanted, !isMaking, now >= notBefore, port.deviceBlock.isDrained else { return .wait }
        isMaking = true
        notBefore = now + times.interval
        return .make
    }

    /// Puts an encoded brick into the device's block, which the caller publishes; nil when there was nothing to deliver:
    /// the next one is then due after the interval. False when it does not fit, or the connection went.
    @discardableResult
    public mutating func deliver(_ encoded: [UInt8]?) -> Bool {
        guard isMaking else { return false }
        isMaking = false
        guard isWanted, let encoded, port.deliver(encoded) else { return false }
        isWanted = false
        return true
    }
}
