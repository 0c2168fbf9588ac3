/// The first byte of every signal (wire-protocol.md 6.1); no bit set means that it was never written.
public struct StateBits: OptionSet, Sendable, Hashable {
    /// The state byte.
    public let rawValue: UInt8

    /// A state byte from a block.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Value of a boolean; for other single values it tells that the value is not zero.
    public static let value = StateBits(rawValue: 1)
    /// The value is valid: its writer is there.
    public static let connected = StateBits(rawValue: 2)
    /// Something is wrong, level orange.
    public static let orange = StateBits(rawValue: 4)
    /// Something is wrong, level yellow.
    public static let yellow = StateBits(rawValue: 8)
    /// Something is wrong, level red.
    public static let red: StateBits = [.orange, .yellow]
    /// Used inside the original's pins library.
    public static let noReadSupport = StateBits(rawValue: 16)
    /// Free for applications.
    public static let toggle2 = StateBits(rawValue: 32)
    /// Free for applications.
    public static let toggle1 = StateBits(rawValue: 64)
}
