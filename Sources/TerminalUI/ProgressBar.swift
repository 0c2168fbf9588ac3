/// What a transfer's progress line says, as a value: facts and times in, one line of text out.
///
/// Times are spans since any fixed moment of a monotonic clock. Only bytes that the other side has confirmed belong
/// here, never those that are merely queued.
public struct ProgressBar: Sendable, Equatable {
    /// What does not change while the bar lives.
    public struct Configuration: Sendable, Equatable {
        /// Bytes of the whole transfer; nil when nobody knows (reading a block).
        public var totalBytes: UInt64?
        /// Block characters instead of plain ASCII.
        public var unicode: Bool
        /// How far back the shown rate looks.
        public var rateWindow: Duration

        /// Describes a transfer.
        public init(totalBytes: UInt64?, unicode: Bool = false, rateWindow: Duration = .seconds(5)) {
            self.totalBytes = totalBytes
            self.unicode = unicode
            self.rateWindow = max(.seconds(1), rateWindow)
        }
    }

    /// What the bar was made with.
    public let configuration: Configuration
    /// The current phase in one or two words: "receiving", "verifying".
    public private(set) var phase: String
    /// Bytes that the other side has confirmed.
    public private(set) var confirmedBytes: UInt64 = 0

    private var now: Duration
    private var phaseBegin: Duration
    private var lastGain: Duration
    private var window: RateWindow

    static let narrowestBar = 10
    static let widestBar = 40

    /// A bar of nothing confirmed yet, in its first phase.
    public init(_ configuration: Configuration, phase: String, at now: Duration) {
        self.configuration = configuration
        self.phase = DisplayText.clean(phase)
        self.now = now
        phaseBegin = now
        lastGain = now
        window = RateWindow(length: configuration.rateWindow)
        window.add(0, at: now)
    }

    /// Takes news from the device: the phase it is in and the bytes it has confirmed.
    public mutating func update(phase: String, confirmedBytes: UInt64, at now: Duration) {
        let phase = DisplayText.clean(phase)
        if phase != self.phase {
            self.phase = phase
            phaseBegin = now
            lastGain = now
            window.reset()
        }
        if confirmedBytes != self.confirmedBytes {
            self.confirmedBytes = confirmedBytes
            lastGain = now
        }
        window.add(confirmedBytes, at: now)
        self.now = now
    }

    /// Lets time pass without news: the rate falls and the clock of the phase runs.
    public mutating func tick(at now: Duration) { self.now = max(self.now, now) }

    /// Hundredths of the whole, rounded down, so that 100 means all; nil when the whole is unknown.
    public var percent: Int? {
        guard let total = configuration.totalBytes else { return nil }
        guard confirmedBytes < total else { return 100 }
        return min(99, Int(Double(confirmedBytes) / Double(total) * 100))
    }

    /// Bytes a second over the last seconds; nil when it is too early to say.
    public var rate: Double? { window.rate(at: now) }

    /// The line, at most `width` columns, without line end. Details give way when the width is short, then the bar.
    public func draw(width: Int) -> String {
        let details = self.details
        // Every row leaves out one detail more; the first that leaves room for the bar is taken.
        if let percent {
            for count in stride(from: details.count, through: 0, by: -1) {
                let texts = ["\(DisplayText.pad("\(percent)", to: 3, leading: true))%"] + details.prefix(count)
                let tail = texts.joined(separator: "  ")
                let room = width - DisplayText.width(phase) - DisplayText.width(tail) - 6
                guard room >= Self.narrowestBar else { continue }
                return "\(phase)  [\(bar(min(room, Self.widestBar)))]  \(tail)"
            }
            return DisplayText.truncate("\(phase)  \(percent)%", to: width)
        }
        for count in stride(from: details.count, to: 0, by: -1) {
            let line = ([phase] + details.prefix(count)).joined(separator: "  ")
            if DisplayText.width(line) <= width { return line }
        }
        return DisplayText.truncate(phase, to: width)
    }

    /// Everything in one line for logs, without bar and without limit: "receiving 45%, 29.0 MiB of 64.0 MiB, …".
    public func drawPlain() -> String {
        var details = self.details
        if let percent { details.insert("\(percent)%", at: 0) }
        return "\(phase) " + details.joined(separator: ", ")
    }

    /// The texts beside the bar, most important first.
    private var details: [String] {
        let confirmed = Readable.bytes(confirmedBytes)
        guard let total = configuration.totalBytes else {
            return [confirmed, rate.map(Readable.rate), Readable.duration(now - phaseBegin)].compactMap(\.self)
        }
        guard confirmedBytes < total else { return [confirmed, Readable.duration(now - phaseBegin)] }
        return ["\(confirmed) of \(Readable.bytes(total))", timeLeft(total), rate.map(Readable.rate)].compactMap(\.self)
    }

    private func timeLeft(_ total: UInt64) -> String? {
        guard let rate else { return nil }
        if now - lastGain >= configuration.rateWindow { return "nothing for \(Readable.duration(now - lastGain))" }
        guard rate > 0 else { return nil }
        let seconds = (Double(total - confirmedBytes) / rate).rounded(.up)
        // Beyond four days the number says nothing, and would not fit into every integer type.
        return seconds > 360_000 ? "over 99 h left" : "\(Readable.duration(.seconds(Int64(seconds)))) left"
    }

    private func bar(_ columns: Int) -> String {
        guard let total = configuration.totalBytes else { return "" }
        let share = confirmedBytes >= total ? 1 : Double(confirmedBytes) / Double(total)
        guard configuration.unicode else {
            let full = Int(share * Double(columns))
            return String(repeating: "#", count: full) + String(repeating: ".", count: columns - full)
        }
        let eighths = Int(share * Double(columns * 8))
        var result = String(repeating: "█", count: eighths / 8)
        if eighths % 8 > 0 { result.append(Self.partBlocks[eighths % 8 - 1]) }
        return DisplayText.pad(result, to: columns)
    }

    private static let partBlocks: [Character] = ["▏", "▎", "▍", "▌", "▋", "▊", "▉"]
}
