/// Numbers of the protocol and the limits this implementation sets on what a peer may ask for.
public enum Limit {
    /// Last frame number before it starts over at 1 (wire-protocol.md 2.3).
    public static let lastFrameNumber: UInt8 = 200
    /// Largest frame, header included, that may be announced (2.6).
    public static let largestFrame = 16384
    /// Smallest frame size that may be announced (2.6).
    public static let smallestFrame = 96
    /// Frame size of the original on a PC; used until the peer announced its own (section 0).
    public static let originalFrame = 1392
    /// Frame size on a serial line (section 0).
    public static let serialFrame = 96
    /// First id given to a block (3.2).
    public static let firstBlockID: UInt32 = 8
    /// Last id that an original peer can store (3.2).
    public static let lastCompatibleBlockID: UInt32 = 32767
    /// Last id given to a block on a connection with a peer that can store larger ids.
    public static let lastBlockID: UInt32 = 1_000_000
    /// Smallest block a node creates from received info (section 0).
    public static let smallestBlock = 24
    /// Largest block accepted from a peer.
    public static let largestBlock = 64 << 20
    /// Ids in one remove request (7.1).
    public static let removeIDs = 16
    /// Number of frames that may be in the air (2.7).
    public static let windowFrames = 44
}

/// Monotonic time in milliseconds; the core never asks for it, it is told.
public typealias Milliseconds = Int64
