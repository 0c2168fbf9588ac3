import IOCOM

/// Counts the messages of one connection second by second. Pure.
struct MessageMeter {
    private static let second: Milliseconds = 1_000

    private let limit: Int
    private var started: Milliseconds = 0
    private var count = 0

    init(limit: Int) { self.limit = limit }

    /// Messages in the second that `now` is in.
    func count(now: Milliseconds) -> Int { now - started < Self.second ? count : 0 }

    /// Messages that may still be read in the second that `now` is in.
    func room(now: Milliseconds) -> Int { max(0, limit - count(now: now)) }

    /// Adds messages. Gives the time in ms until more may be read: 0 as long as the second has room.
    mutating func add(_ messages: Int, now: Milliseconds) -> Milliseconds {
        if now - started >= Self.second {
            started = now
            count = 0
        }
        count += messages
        return count < limit ? 0 : started + Self.second - now
    }
}
