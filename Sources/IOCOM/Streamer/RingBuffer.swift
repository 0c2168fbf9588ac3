/// Up to two runs of ring indexes: the second is used when the first one reaches the end of the ring.
public struct RingRuns: Sendable, Equatable {
    /// From the position on; empty when there is nothing.
    public let first: ByteRange
    /// From index 0 on; empty unless the first run ends at the end of the ring.
    public let second: ByteRange

    /// Bytes in both runs.
    public var count: Int { first.count + second.count }

    /// `count` bytes from `position` in a ring of `size` elements; `position` < `size`, `count` ≤ `size`.
    init(position: Int, count: Int, size: Int) {
        let untilEnd = min(count, size - position)
        first = ByteRange(position, position + untilEnd)
        second = ByteRange(0, count - untilEnd)
    }
}

/// Position arithmetic of a stream's ring buffer (application-layer.md 2.2); it holds no data.
///
/// `head` is the next index to write, `tail` the next to read; equal means empty, and one element is always left free.
/// Own positions move with ``advanceHead(by:)`` and ``advanceTail(by:)``; the peer's are taken over with
/// ``acceptHead(_:)`` and ``acceptTail(_:)``, which refuse what an honest peer cannot have reached.
public struct RingBuffer: Sendable, Equatable {
    /// Number of elements, 2…``Limit/largestRing``.
    public let size: Int
    /// Next index to write.
    public private(set) var head = 0
    /// Next index to read.
    public private(set) var tail = 0

    /// An empty ring; nil when `size` is outside 2…``Limit/largestRing``.
    public init?(size: Int) {
        guard size >= 2, size <= Limit.largestRing else { return nil }
        self.size = size
    }

    /// An empty ring of a size that was checked by ``StreamPort``.
    init(checkedSize: Int) { size = checkedSize }

    /// Bytes between tail and head.
    public var used: Int { head >= tail ? head - tail : head - tail + size }

    /// Bytes that can be written before head would catch up with tail.
    public var free: Int { size - 1 - used }

    /// Where the next bytes go: at most `limit`, at most ``free``.
    public func spaceRuns(atMost limit: Int = .max) -> RingRuns {
        RingRuns(position: head, count: max(0, min(limit, free)), size: size)
    }

    /// Where the next bytes are, after `skipped` bytes: at most `limit`, at most what is there.
    public func dataRuns(skipping skipped: Int = 0, atMost limit: Int = .max) -> RingRuns {
        let skipped = max(0, min(skipped, used))
        return RingRuns(position: wrap(tail + skipped), count: max(0, min(limit, used - skipped)), size: size)
    }

    /// Moves the write position over `count` bytes, at most ``free``.
    public mutating func advanceHead(by count: Int) { head = wrap(head + max(0, min(count, free))) }

    /// Moves the read position over `count` bytes, at most ``used``.
    public mutating func advanceTail(by count: Int) { tail = wrap(tail + max(0, min(count, used))) }

    /// Takes over the writer's position, as the reader.
    ///
    /// False, and nothing changes, when it is no index of the ring or when the head would have moved backwards or
    /// past the tail: unread bytes cannot become fewer unless the reader reads. While the ring is empty every index
    /// can be reached, so then a jump cannot be told from data.
    public mutating func acceptHead(_ position: Int) -> Bool {
        guard position >= 0, position < size else { return false }
        var moved = self
        moved.head = position
        guard moved.used >= used else { return false }
        self = moved
        return true
    }

    /// Takes over the reader's position, as the writer; gives the number of bytes the reader moved over.
    ///
    /// Nil, and nothing changes, when it is no index of the ring or not between tail and head.
    public mutating func acceptTail(_ position: Int) -> Int? {
        guard position >= 0, position < size else { return nil }
        var moved = self
        moved.tail = position
        guard moved.used <= used else { return nil }
        let count = used - moved.used
        self = moved
        return count
    }

    private func wrap(_ index: Int) -> Int { index >= size ? index - size : index }
}
