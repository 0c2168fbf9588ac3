/// A snapshot that a peer wants to write into a block, before any of it is written.
///
/// Valid only during the review it is lent to.
public struct SnapshotProposal {
    /// The block as it is.
    public let block: MemoryBlock
    /// The bytes that are to be written, at their addresses.
    let memory: UnsafeRawBufferPointer
    /// Which bytes are to be written, ascending.
    let runs: ByteRunList

    /// True when any byte of `range` is to be written.
    public func touches(_ range: ByteRange) -> Bool {
        for i in 0..<runs.count where runs[i].overlaps(range) { return true }
        return false
    }

    /// The byte at `address` as it would be afterwards; 0 past the end.
    public func byte(at address: Int) -> UInt8 {
        guard address >= 0, address < block.size else { return 0 }
        return touches(ByteRange(address, address + 1)) ? memory[address] : block.byte(at: address)
    }

    /// A little endian unsigned integer of `width` bytes (1…8) as it would be afterwards; 0 past the end.
    public func unsigned(at address: Int, width: Int) -> UInt64 {
        guard width >= 1, width <= 8 else { return 0 }
        var value: UInt64 = 0
        for i in 0..<width { value |= UInt64(byte(at: address + i)) << UInt64(8 * i) }
        return value
    }
}

/// Decides which bytes of a proposal are not to be written; they stay as they are, and the peer gets them back where the
/// block is bidirectional.
public typealias SnapshotReview = (SnapshotProposal) -> RangeSet

/// A few runs of bytes in ascending order, kept apart, without allocating.
struct ByteRunList {
    /// Runs that fit.
    static let capacity = 64

    private(set) var count = 0
    private var runs = InlineArray<64, ByteRange>(repeating: ByteRange(0, 0))

    /// The run at `index`, below ``count``.
    subscript(index: Int) -> ByteRange { runs[index] }

    /// Adds a run behind the others; one that touches the last becomes part of it. False when there is no room.
    mutating func add(_ run: ByteRange) -> Bool {
        if count > 0, runs[count - 1].end == run.start {
            runs[count - 1].end = run.end
            return true
        }
        guard count < Self.capacity else { return false }
        runs[count] = run
        count += 1
        return true
    }
}

extension ByteRange {
    /// Calls `body` with the parts of this range that are not in `others`, ascending.
    func forEachPart(outside others: borrowing RangeSet, _ body: (ByteRange) -> Void) {
        var at = start
        for i in 0..<others.count where others[i].overlaps(ByteRange(at, end)) {
            if others[i].start > at { body(ByteRange(at, others[i].start)) }
            at = max(at, others[i].end)
        }
        if at < end { body(ByteRange(at, end)) }
    }
}
