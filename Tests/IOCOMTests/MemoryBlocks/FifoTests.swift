import Testing

@testable import IOCOM

@Suite struct FifoTests {
    @Test(arguments: [1, 5, 8, 100])
    func `What comes and goes takes no more memory than was reserved`(_ most: Int) {
        var fifo = Fifo<Int>()
        fifo.reserveCapacity(most)
        let capacity = fifo.capacity
        var (next, expected) = (0, 0)
        var random = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            if fifo.count < most, Bool.random(using: &random) || fifo.isEmpty {
                fifo.append(next)
                next += 1
            } else {
                #expect(fifo.first == expected)
                #expect(fifo.removeFirst() == expected)
                expected += 1
            }
            #expect(fifo.count == next - expected && fifo.isEmpty == (next == expected))
        }
        #expect(most > 64 || fifo.capacity == capacity)
    }

    @Test func `A large one that is always nearly full stays in order`() {
        var fifo = Fifo<Int>()
        for number in 0..<1000 { fifo.append(number) }
        for number in 1000..<20_000 {
            #expect(fifo.removeFirst() == number - 1000)
            fifo.append(number)
        }
        #expect(fifo.count == 1000 && fifo.capacity < 5000)
    }
}
