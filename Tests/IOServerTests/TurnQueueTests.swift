import Testing

@testable import IOServer

@Suite("Lanes that take turns") struct TurnQueueTests {
    @Test func aLaneWithMuchInItDelaysTheOthersByOneElement() {
        var queue = TurnQueue<String, Int>()
        for i in 0..<1000 { queue.append(i, to: "many") }
        queue.append(1000, to: "few")
        queue.append(1001, to: "few")
        #expect((0..<4).map { _ in queue.removeFirst()?.element } == [0, 1000, 1, 1001])
        #expect(queue.count == 998)
        #expect(queue.count(in: "many") == 998)
        #expect(queue.count(in: "few") == 0)
        #expect((2..<1000).allSatisfy { queue.removeFirst()?.element == $0 })
        #expect(queue.removeFirst() == nil)
        #expect(queue.count == 0)
    }

    @Test func aLaneThatWasEmptyHasItsTurnAgain() {
        var queue = TurnQueue<Int, Int>()
        for round in 0..<2000 {
            queue.append(round, to: round % 3)
            queue.append(-round, to: 7)
            #expect(queue.removeFirst()?.element == round)
            #expect(queue.removeFirst()?.lane == 7)
        }
        #expect(queue.removeFirst() == nil)
    }
}
