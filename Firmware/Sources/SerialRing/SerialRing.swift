/// Bytes between a serial line's interrupts and the program, in a fixed room; `capacity` is a power of two.
///
/// Used with interrupts turned off, or by the interrupt itself.
public struct SerialRing<let capacity: Int> {
    private var storage = InlineArray<capacity, UInt8>(repeating: 0)
    private var head: UInt32 = 0
    private var tail: UInt32 = 0

    /// An empty ring.
    public init() {}

    /// Bytes in it.
    public var count: Int { Int(truncatingIfNeeded: head &- tail) }
    /// Bytes it takes until it is full.
    public var room: Int { capacity - count }

    /// Adds a byte; nothing happens when there is no room.
    public mutating func put(_ byte: UInt8) {
        guard room > 0 else { return }
        storage[Int(truncatingIfNeeded: head) & (capacity - 1)] = byte
        head &+= 1
    }

    /// Adds bytes, as many as there is room for; gives how many.
    public mutating func put(_ bytes: UnsafeRawBufferPointer) -> Int {
        let count = min(bytes.count, room)
        for i in 0..<count { put(bytes[i]) }
        return count
    }

    /// Takes the oldest bytes out, as many as fit into `out`; gives how many.
    public mutating func take(into out: UnsafeMutableRawBufferPointer) -> Int {
        var count = 0
        while count < out.count, let byte = take() {
            out[count] = byte
            count += 1
        }
        return count
    }

    /// Takes the oldest byte out.
    public mutating func take() -> UInt8? {
        guard head != tail else { return nil }
        let byte = storage[Int(truncatingIfNeeded: tail) & (capacity - 1)]
        tail &+= 1
        return byte
    }
}
