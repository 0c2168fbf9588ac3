/// A half-open range of byte addresses in a memory block.
public struct ByteRange: Equatable, Sendable {
    /// First address.
    public var start: Int
    /// Address behind the last one.
    public var end: Int

    /// The range `start..<end`; an end before the start makes it empty.
    public init(_ start: Int, _ end: Int) {
        self.start = start
        self.end = max(start, end)
    }

    /// Number of bytes.
    public var count: Int { end - start }
    /// True when there is no byte in the range.
    public var isEmpty: Bool { end <= start }

    /// True when the two ranges share a byte.
    public func overlaps(_ other: ByteRange) -> Bool { start < other.end && other.start < end }

    /// The shared part, empty when there is none.
    public func intersection(_ other: ByteRange) -> ByteRange {
        let from = max(start, other.start)
        return ByteRange(from, max(from, min(end, other.end)))
    }
}

/// The changed parts of a memory block: a few ranges in ascending order that neither touch nor overlap.
///
/// Holds at most ``capacity`` ranges without allocating. When one more is added the two with the smallest gap between
/// them become one, so the set may then cover bytes that were never added; for what it is used (telling a peer the
/// present value of bytes) that is harmless.
public struct RangeSet: Sendable, Equatable {
    /// Ranges kept apart.
    public static let capacity = 16

    /// Number of ranges.
    public private(set) var count = 0
    private var ranges = InlineArray<17, ByteRange>(repeating: ByteRange(0, 0))

    /// The empty set.
    public init() {}

    /// True when nothing is in the set.
    public var isEmpty: Bool { count == 0 }

    /// The range at `index`, ascending; `index` must be below ``count``.
    public subscript(index: Int) -> ByteRange {
        precondition(index >= 0 && index < count, "index past the end of a RangeSet")
        return ranges[index]
    }

    /// From the first to behind the last address; nil when empty.
    public var bounds: ByteRange? {
        count == 0 ? nil : ByteRange(ranges[0].start, ranges[count - 1].end)
    }

    /// Sum of the ranges' lengths.
    public var byteCount: Int {
        var sum = 0
        for i in 0..<count { sum += ranges[i].count }
        return sum
    }

    /// Adds a range; ranges that touch it become one with it.
    public mutating func add(_ range: ByteRange) { _ = addReportingGap(range) }

    /// Adds a range and tells which bytes came in with it only because there was no room for one more range.
    mutating func addReportingGap(_ range: ByteRange) -> ByteRange? {
        guard !range.isEmpty else { return nil }
        var first = 0
        while first < count && ranges[first].end < range.start { first += 1 }
        var last = first
        var merged = range
        while last < count && ranges[last].start <= range.end {
            merged = ByteRange(min(merged.start, ranges[last].start), max(merged.end, ranges[last].end))
            last += 1
        }
        replace(first, last, with: merged)
        return count > Self.capacity ? closeSmallestGap() : nil
    }

    /// Adds all ranges of another set.
    public mutating func add(_ other: RangeSet) {
        for i in 0..<other.count { add(other.ranges[i]) }
    }

    /// True when some byte of `range` is in the set.
    public func overlaps(_ range: ByteRange) -> Bool {
        for i in 0..<count where ranges[i].overlaps(range) { return true }
        return false
    }

    /// Drops everything at `address` and above.
    public mutating func clip(to address: Int) {
        while count > 0 && ranges[count - 1].start >= address { count -= 1 }
        if count > 0 && ranges[count - 1].end > address { ranges[count - 1].end = address }
    }

    /// Forgets all ranges.
    public mutating func removeAll() { count = 0 }

    /// Compares the ranges in use.
    public static func == (a: RangeSet, b: RangeSet) -> Bool {
        guard a.count == b.count else { return false }
        for i in 0..<a.count where a.ranges[i] != b.ranges[i] { return false }
        return true
    }

    private mutating func replace(_ first: Int, _ last: Int, with range: ByteRange) {
        let removed = last - first
        if removed == 0 {
            var i = count
            while i > first {
                ranges[i] = ranges[i - 1]
                i -= 1
            }
        } else if removed > 1 {
            var i = last
            while i < count {
                ranges[i - removed + 1] = ranges[i]
                i += 1
            }
        }
        ranges[first] = range
        count += 1 - removed
    }

    private mutating func closeSmallestGap() -> ByteRange {
        var best = 1
        for i in 1..<count where ranges[i].start - ranges[i - 1].end < ranges[best].start - ranges[best - 1].end {
            best = i
        }
        let gap = ByteRange(ranges[best - 1].end, ranges[best].start)
        replace(best - 1, best + 1, with: ByteRange(ranges[best - 1].start, ranges[best].end))
        return gap
    }
}
