public import Bricks

/// Where a camera's pictures come from.
public protocol PictureSource: Sendable {
    /// The next picture, taken `timestamp` microseconds after the device started; nil when there is none now.
    ///
    /// Called on a thread, one call at a time, and only while somebody receives.
    func picture(timestamp: UInt64) -> Brick?
}

/// A camera of a device.
public struct Camera: Sendable {
    /// Name of the assembly in the device's description.
    public var assembly: String
    /// Where the pictures come from.
    public var source: any PictureSource
    /// How often.
    public var times: BrickTimes

    /// Composes a camera.
    public init(_ source: any PictureSource, assembly: String = "camera", times: BrickTimes = BrickTimes()) {
        self.source = source
        self.assembly = assembly
        self.times = times
    }
}
