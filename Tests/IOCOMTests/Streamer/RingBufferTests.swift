import IOCOM
import Testing

@Suite("Ring buffer positions")
struct RingBufferTests {
    @Test("a ring needs 2 elements and has an upper limit")
    func sizes() {
        #expect(RingBuffer(size: 1) == nil)
        #expect(RingBuffer(size: -1) == nil)
        #expect(RingBuffer(size: Limit.largestRing + 1) == nil)
        #expect(RingBuffer(size: 2)?.free == 1)
        #expect(RingBuffer(size: Limit.largestRing)?.free == Limit.largestRing - 1)
    }

    @Test("one element stays free and writing wraps in two runs")
    func wraps() throws {
        var ring = try RingBuffer(size: 257).unwrapped
        #expect(ring.spaceRuns() == RingRuns.of(0, 256, 0))
        ring.advanceHead(by: 256)
        #expect(ring.free == 0 && ring.used == 256 && ring.spaceRuns().count == 0)
        ring.advanceHead(by: 1)
        #expect(ring.head == 256, "a full ring takes nothing")
        ring.advanceTail(by: 100)
        #expect(ring.spaceRuns() == RingRuns.of(256, 1, 99))
        #expect(ring.spaceRuns(atMost: 1) == RingRuns.of(256, 1, 0))
        ring.advanceHead(by: 100)
        #expect(ring.head == 99 && ring.free == 0)
        #expect(ring.dataRuns() == RingRuns.of(100, 157, 99))
        #expect(ring.dataRuns(skipping: 157, atMost: 5) == RingRuns.of(0, 5, 0))
        #expect(ring.dataRuns(skipping: 1000).count == 0)
        #expect(ring.spaceRuns(atMost: -3).count == 0)
    }

    @Test("a head may only move over free elements")
    func heads() throws {
        var ring = try RingBuffer(size: 10).unwrapped
        let first = ring.acceptHead(7)
        #expect(first)
        ring.advanceTail(by: 5)
        let bad = [-1, 10, 11, Int.max, Int.min, 6, 5].filter { ring.acceptHead($0) }
        #expect(bad == [])
        #expect(ring.head == 7)
        let good = [7, 8, 0, 4].filter { ring.acceptHead($0) }
        #expect(good == [7, 8, 0, 4])
        #expect(ring.free == 0)
    }

    @Test("a tail may only move over used elements")
    func tails() throws {
        var ring = try RingBuffer(size: 10).unwrapped
        ring.advanceHead(by: 7)
        let moved = [3, -1, 10, Int.max, Int.min, 2, 0, 8, 9, 3, 7].map { ring.acceptTail($0) }
        #expect(moved == [3, nil, nil, nil, nil, nil, nil, nil, nil, 0, 4])
        #expect(ring.used == 0)
    }

    @Test("used, free and runs agree for all positions of small rings")
    func exhaustive() throws {
        for size in 2...9 {
            for tail in 0..<size {
                for used in 0..<size {
                    var ring = try RingBuffer(size: size).unwrapped
                    ring.advanceHead(by: tail)
                    ring.advanceTail(by: tail)
                    ring.advanceHead(by: used)
                    #expect(ring.tail == tail && ring.used == used && ring.free == size - 1 - used)
                    var seen = Set<Int>()
                    for runs in [ring.dataRuns(), ring.spaceRuns()] {
                        for run in [runs.first, runs.second] { seen.formUnion(run.start..<run.end) }
                    }
                    #expect(seen.count == size - 1, "every element but one is data or space, none is both")
                    #expect(ring.dataRuns().count == used)
                }
            }
        }
    }
}

extension RingRuns {
    /// Runs as a writer sees them: start and length of the first, length of the second.
    static func of(_ start: Int, _ first: Int, _ second: Int) -> ExpectedRuns {
        ExpectedRuns(first: ByteRange(start, start + first), second: ByteRange(0, second))
    }

    static func == (a: RingRuns, b: ExpectedRuns) -> Bool { a.first == b.first && a.second == b.second }
}

struct ExpectedRuns: Equatable {
    let first, second: ByteRange
}
