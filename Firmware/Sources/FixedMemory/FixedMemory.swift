/// Memory on request from a fixed piece of RAM: blocks of a few sizes, each size with its list of free blocks.
///
/// A block that was given back is used again for a request of its size, and never split or joined: taking and giving back
/// have a fixed cost, and a program that asks for the same things again and again needs no more than at first. Nothing else
/// keeps memory from being used up, so a program takes what it needs at its start; the counters show whether it keeps to it.
public struct FixedMemory {
    /// What a program has asked for.
    public struct Use: Equatable, Sendable {
        /// Requests, also those that got nothing.
        public internal(set) var requests: UInt32 = 0
        /// Requests that got nothing.
        public internal(set) var refused: UInt32 = 0
        /// Bytes of the blocks in use, with what it takes to keep them.
        public internal(set) var inUse: UInt32 = 0
        /// The most that was in use at a time.
        public internal(set) var peak: UInt32 = 0
    }

    /// Bytes in front of a block: its size class, and whether it is in use.
    private static var headerSize: UInt { 8 }
    private static var taken: UInt32 { 0x5AFE_0000 }
    private static var free: UInt32 { 0xF4EE_0000 }
    /// Size classes: 32, 48, 64, 96 … 49152 bytes with header.
    private static var classCount: Int { 22 }

    private let end: UInt
    private var next: UInt
    private var lists = InlineArray<22, UInt>(repeating: 0)
    /// What was asked for up to now.
    public private(set) var use = Use()

    /// Memory from `start` up to, not including, `end`.
    public init(start: UInt, end: UInt) {
        // Blocks are aligned to 16 bytes behind their header.
        next = (start + Self.headerSize + 15) & ~15 - Self.headerSize
        self.end = end
    }

    /// Bytes of a block of a class, with header.
    static func size(ofClass index: Int) -> UInt {
        (index & 1 == 0 ? 32 : 48) << UInt(index >> 1)
    }

    /// Address of at least `size` bytes at a multiple of 16; 0 when there is no room.
    public mutating func take(_ size: UInt) -> UInt {
        use.requests &+= 1
        var index = 0
        while index < Self.classCount, size > Self.size(ofClass: index) - Self.headerSize { index += 1 }
        guard index < Self.classCount else { return refuse() }
        let bytes = Self.size(ofClass: index)
        var address = lists[index]
        if address != 0 {
            lists[index] = Self.word(address).pointee
        } else {
            guard next < end, end - next >= bytes else { return refuse() }
            address = next + Self.headerSize
            next += bytes
        }
        Self.mark(address).pointee = Self.taken | UInt32(truncatingIfNeeded: index)
        use.inUse += UInt32(truncatingIfNeeded: bytes)
        use.peak = max(use.peak, use.inUse)
        return address
    }

    private mutating func refuse() -> UInt {
        use.refused &+= 1
        return 0
    }

    /// Takes a block back; false when the address is not one of a block in use.
    public mutating func giveBack(_ address: UInt) -> Bool {
        let mark = Self.mark(address)
        let index = Int(mark.pointee & 0xFFFF)
        guard mark.pointee & 0xFFFF_0000 == Self.taken, index < Self.classCount else { return false }
        mark.pointee = Self.free | UInt32(truncatingIfNeeded: index)
        Self.word(address).pointee = lists[index]
        lists[index] = address
        use.inUse -= UInt32(truncatingIfNeeded: Self.size(ofClass: index))
        return true
    }

    private static func word(_ address: UInt) -> UnsafeMutablePointer<UInt> {
        // Addresses come from the arena, which does not start at 0.
        UnsafeMutablePointer<UInt>(bitPattern: address).unsafelyUnwrapped
    }

    private static func mark(_ address: UInt) -> UnsafeMutablePointer<UInt32> {
        UnsafeMutablePointer<UInt32>(bitPattern: address - headerSize).unsafelyUnwrapped
    }
}
