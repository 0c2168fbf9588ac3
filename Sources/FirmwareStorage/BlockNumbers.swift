/// A set of numbers of persistent blocks, in as many bits.
public struct BlockNumbers: Sendable {
    private var words = InlineArray<8, UInt32>(repeating: 0)

    /// No number.
    public init() {}

    /// True when a number is in it.
    public func contains(_ number: UInt8) -> Bool { words[Int(number >> 5)] & 1 << UInt32(number & 31) != 0 }

    /// Puts a number in.
    public mutating func insert(_ number: UInt8) { words[Int(number >> 5)] |= 1 << UInt32(number & 31) }

    /// Takes a number out.
    public mutating func remove(_ number: UInt8) { words[Int(number >> 5)] &= ~(1 << UInt32(number & 31)) }
}
