@testable import IOCOM
import IOCOMTestSupport
import Testing

@Suite struct RangeSetTests {
    private func bitmap(_ set: RangeSet, _ size: Int) -> [Bool] {
        var bits = [Bool](repeating: false, count: size)
        for i in 0..<set.count { for at in set[i].start..<set[i].end { bits[at] = true } }
        return bits
    }

    @Test func `The set holds what a bitmap holds, and more only where gaps had to be closed`() {
        var random = Seeded(16)
        for round in 0..<400 {
            let size = round % 2 == 0 ? 100 : 2000
            var set = RangeSet()
            var bits = [Bool](repeating: false, count: size)
            for _ in 0..<(5 + random.below(60)) {
                if random.oneIn(12) {
                    let cut = random.below(size)
                    set.clip(to: cut)
                    for i in cut..<size { bits[i] = false }
                } else {
                    let start = random.below(size)
                    let range = ByteRange(start, min(size, start + random.below(12)))
                    let before = bits
                    for i in range.start..<range.end { bits[i] = true }
                    let gap = set.addReportingGap(range)
                    if let gap {
                        let held =
                            bits[gap.start..<gap.end].contains(true) || before[gap.start..<gap.end].contains(true)
                        #expect(!gap.isEmpty && !held, "a gap that was closed held nothing")
                        for i in gap.start..<gap.end { bits[i] = true }
                    }
                }
                #expect(isRight(set, bits))
                let probe = ByteRange(random.below(size), random.below(size))
                #expect(set.overlaps(probe) == bits[probe.start..<min(size, probe.end)].contains(true))
            }
        }
    }

    private func isRight(_ set: RangeSet, _ bits: [Bool]) -> Bool {
        var isApart = true
        for i in 0..<set.count where set[i].isEmpty || (i > 0 && set[i].start <= set[i - 1].end) { isApart = false }
        let bounds = set.bounds.map { [$0.start, $0.end] }
        let expected = bits.firstIndex(of: true).flatMap { first in bits.lastIndex(of: true).map { [first, $0 + 1] } }
        return isApart && bitmap(set, bits.count) == bits && set.count <= RangeSet.capacity
            && set.byteCount == bits.count { $0 } && set.isEmpty == !bits.contains(true) && bounds == expected
    }

    @Test func `The seventeenth range closes the smallest gap`() {
        var set = RangeSet()
        for i in 0..<16 { set.add(ByteRange(i * 100, i * 100 + 10)) }
        var gap = set.addReportingGap(ByteRange(513, 514))
        #expect(gap == ByteRange(510, 513))
        #expect(set.count == 16)
        gap = set.addReportingGap(ByteRange(5000, 5001))
        #expect(gap == ByteRange(514, 600))
        #expect(set.bounds == ByteRange(0, 5001))
    }

    @Test func `Sets are equal when their ranges are, and a set can be added to another`() {
        var a = RangeSet()
        a.add(ByteRange(5, 9))
        a.add(ByteRange(20, 30))
        var b = RangeSet()
        b.add(ByteRange(20, 25))
        b.add(ByteRange(25, 30))
        #expect(a != b)
        b.add(a)
        #expect(a == b)
        b.removeAll()
        #expect(b.isEmpty && b.bounds == nil)
        b.add(ByteRange(7, 3))
        #expect(b.isEmpty)
    }
}
