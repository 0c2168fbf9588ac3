/// The rate of the last seconds: bytes gained over a sliding window of time, so that it is neither nervous nor stale.
struct RateWindow: Sendable, Equatable {
    private struct Sample: Equatable {
        var time: Duration
        var bytes: UInt64
    }

    /// How far back the window reaches.
    let length: Duration
    /// Oldest first; at most `mostSamples`, because samples closer together than a share of the window are joined.
    private var samples: [Sample] = []
    private var newest: Sample?

    private static let mostSamples = 32
    /// Below this span a rate would be guesswork.
    private static let shortestSpan = Duration.milliseconds(250)

    init(length: Duration) { self.length = length }

    /// Forgets everything, for a new phase or an attempt that starts again.
    mutating func reset() {
        samples = []
        newest = nil
    }

    /// Takes the number of bytes that are confirmed at `time`. Fewer bytes than before start the window again.
    mutating func add(_ bytes: UInt64, at time: Duration) {
        if let newest, bytes < newest.bytes || time < newest.time { reset() }
        let sample = Sample(time: time, bytes: bytes)
        newest = sample
        if let last = samples.last, time - last.time < length / Self.mostSamples { return }
        samples.append(sample)
        // One sample from before the window stays: the window's start lies between it and the next.
        while samples.count > 2, samples[1].time <= time - length { samples.removeFirst() }
    }

    /// Bytes a second up to `now`; nil when the window is too short to say. Falls towards 0 while nothing arrives.
    func rate(at now: Duration) -> Double? {
        guard let newest else { return nil }
        let begin = now - length
        let base = samples.last { $0.time <= begin } ?? samples.first
        guard let base, now - base.time >= Self.shortestSpan else { return nil }
        return Double(newest.bytes - base.bytes) / ((now - base.time) / .seconds(1))
    }
}
