public import IOCOM

/// A generator that gives the same numbers for the same seed (SplitMix64).
public struct Seeded: RandomNumberGenerator {
    private var state: UInt64

    /// Starts a series.
    public init(_ seed: UInt64) { state = seed }

    /// The next number.
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// A number in 0..<`bound`.
    public mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(max(1, bound))) }

    /// True once in `n` times.
    public mutating func oneIn(_ n: Int) -> Bool { below(n) == 0 }

    /// `count` bytes.
    public mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) } }
}

/// Bytes of hexadecimal text; everything that is no hexadecimal digit separates nothing and is skipped.
public func hex(_ text: String) -> [UInt8] {
    var bytes: [UInt8] = []
    var high: UInt8?
    for character in text.utf8 {
        let digit: UInt8
        switch character {
        case 0x30...0x39: digit = character - 0x30
        case 0x41...0x46: digit = character - 0x41 + 10
        case 0x61...0x66: digit = character - 0x61 + 10
        default: continue
        }
        if let first = high {
            bytes.append(first << 4 | digit)
            high = nil
        } else {
            high = digit
        }
    }
    return bytes
}

/// Hexadecimal text of bytes, two digits each, with spaces.
public func hexText(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true) }.joined(separator: " ")
}

/// Zeroed heap memory that is freed with the last reference.
public func heapMemory(_ count: Int) -> LentMemory {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 16)
    buffer.initializeMemory(as: UInt8.self, repeating: 0)
    return LentMemory(buffer) { $0.deallocate() }
}

/// What `encode` writes into a buffer of `capacity` bytes.
public func encoded(_ capacity: Int = 1 << 15, _ encode: (UnsafeMutableRawBufferPointer) -> Int) -> [UInt8] {
    withUnsafeTemporaryAllocation(byteCount: capacity, alignment: 16) { buffer in
        let count = encode(buffer)
        return Array(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }
}

extension MemoryBlock {
    /// A block on the heap.
    public convenience init(_ path: BlockPath, _ flags: BlockFlags, size: Int) {
        self.init(path: path, flags: flags, memory: heapMemory(size))
    }

    /// All bytes.
    public var contents: [UInt8] { withBytes { span in span.withUnsafeBytes { Array($0) } } }

    /// Writes an array.
    public func write(_ bytes: [UInt8], at address: Int) { write(bytes.span.bytes, at: address) }
}
