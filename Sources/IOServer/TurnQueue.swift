/// Elements in lanes that take turns, in each lane in the order they came: however many wait in one lane, the others get on.
struct TurnQueue<Lane: Hashable, Element> {
    private struct Waiting {
        var elements: [Element] = []
        var head = 0

        var count: Int { elements.count - head }

        mutating func removeFirst() -> Element? {
            guard head < elements.count else { return nil }
            let element = elements[head]
            head += 1
            if head > 256 {
                elements.removeFirst(head)
                head = 0
            }
            return element
        }
    }

    private var lanes: [Lane: Waiting] = [:]
    /// Lanes that have something, the next one first.
    private var turns: [Lane] = []
    private var nextTurn = 0
    private(set) var count = 0

    /// Number of elements in a lane.
    func count(in lane: Lane) -> Int { lanes[lane]?.count ?? 0 }

    mutating func append(_ element: Element, to lane: Lane) {
        if lanes[lane] == nil { turns.append(lane) }
        lanes[lane, default: Waiting()].elements.append(element)
        count += 1
    }

    /// The next element with its lane, which then has its turn last.
    mutating func removeFirst() -> (lane: Lane, element: Element)? {
        guard nextTurn < turns.count else { return nil }
        let lane = turns[nextTurn]
        nextTurn += 1
        if nextTurn == turns.count || nextTurn > 256 {
            turns.removeFirst(nextTurn)
            nextTurn = 0
        }
        guard let element = lanes[lane]?.removeFirst() else { return nil }
        count -= 1
        if lanes[lane]?.count == 0 { lanes[lane] = nil } else { turns.append(lane) }
        return (lane, element)
    }
}
