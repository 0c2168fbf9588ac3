/// How long to wait before the next attempt to connect: doubling with jitter, so that many devices do not come at once
/// after a server restarted. At least 500 ms between attempts (wire-protocol.md 1.5).
public struct ReconnectDelay: Sendable {
    /// First delay and lower bound, ms.
    public var shortest: Int64
    /// Upper bound, ms.
    public var longest: Int64
    private var failures: Int64 = 0

    /// The usual bounds are 500 ms and 30 s.
    public init(shortest: Int64 = 500, longest: Int64 = 30_000) {
        self.shortest = shortest
        self.longest = longest
    }

    /// A connection worked: the next failure starts over.
    public mutating func succeeded() { failures = 0 }

    /// Delay in ms after one more failure; `random` is in 0..<1.
    public mutating func next(random: Double) -> Int64 {
        let base = min(longest, shortest << min(failures, 16))
        failures += 1
        let jitter = Double(base) * 0.5 * max(0, min(random, 1))
        return max(shortest, base - Int64(jitter))
    }
}
