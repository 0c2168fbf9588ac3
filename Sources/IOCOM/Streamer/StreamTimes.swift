/// How long the streamer waits.
public struct StreamTimes: Sendable, Equatable {
    /// For the peer to answer a change of `cmd` or `state` (application-layer.md 2.4: 5 s).
    public var handshake: Milliseconds = 5_000
    /// Without data where the peer should deliver some or take some (2.4: 5 s).
    public var idle: Milliseconds = 5_000
    /// For a device to move on while it holds data of ours. Longer than the device's own 5 s, because a device may
    /// have to erase flash before it reads on; the original waits without end (11.4).
    public var stall: Milliseconds = 60_000
    /// That a device shows RUNNING before it refuses, when nothing tells that the controller has seen it. A controller
    /// or a server in between may merge snapshots it has not looked at yet; a controller of the original that missed
    /// RUNNING would wait its whole 5 s (2.11).
    public var showRunning: Milliseconds = 200

    /// That a device may be seen to give up another controller's transfer before that one counts as vanished and is
    /// withdrawn in its place.
    public var vanished: Milliseconds = 1_000
    /// That another transfer may be in the way before a controller is told that the device is busy.
    public var busyPatience: Milliseconds = 1_500
    /// The same while the device gives a transfer up whose controller vanished: it is free again after ``handshake``.
    public var givingUpPatience: Milliseconds = 6_500
    /// Between two looks at a device that is busy.
    public var busyLook: Milliseconds = 500

    /// The usual times.
    public init() {}
}
