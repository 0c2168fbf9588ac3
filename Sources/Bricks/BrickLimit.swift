public import IOCOM

/// Numbers of the brick format and the limits on what is made and accepted.
public enum BrickLimit {
    /// Bytes of the header.
    public static let header = 24
    /// Pixels in a row, as the original has it.
    public static let width = 50_000
    /// Rows, as the original has it.
    public static let height = 3_000
    /// Bytes of a whole brick: no block that holds a larger one is accepted by a node.
    public static let brick = 16 << 20
    /// Quality that fits into the header; 0 means that it is not known.
    public static let quality: UInt8 = 0x7F
}

/// When a camera's two sides act.
public struct BrickTimes: Sendable, Equatable {
    /// Between two pictures that a device makes: about two a second.
    public var interval: Milliseconds = 500
    /// After which a controller that got nothing asks again, as the original does.
    public var askAgain: Milliseconds = 3_000

    /// The usual times.
    public init() {}
}
