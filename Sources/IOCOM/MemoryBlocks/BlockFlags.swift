/// Flags of a memory block as they travel in block info (wire-protocol.md 3.1).
public struct BlockFlags: OptionSet, Sendable, Hashable {
    /// The flag word, at most 16 bits on the wire.
    public let rawValue: UInt16

    /// A flag word from the wire or from constants.
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// Data flows from the upper to the lower end (`imp`).
    public static let down = BlockFlags(rawValue: 1)
    /// Data flows from the lower to the upper end (`exp`).
    public static let up = BlockFlags(rawValue: 2)
    /// The block can do transfer in both directions.
    public static let bidirectional = BlockFlags(rawValue: 8)
    /// Created from received block info.
    public static let dynamic = BlockFlags(rawValue: 16)
    /// May grow.
    public static let allowResize = BlockFlags(rawValue: 32)
    /// Constant content, sent raw.
    public static let `static` = BlockFlags(rawValue: 64)
    /// Only over cloud connections.
    public static let cloudOnly = BlockFlags(rawValue: 128)
    /// Never over cloud connections.
    public static let noCloud = BlockFlags(rawValue: 256)
    /// Never announced downward.
    public static let floor = BlockFlags(rawValue: 512)
}
