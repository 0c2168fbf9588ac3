/// Decides what to write about a transfer and when: a bar on a terminal, lines in a log, objects for programs.
///
/// Each method returns the text to write to standard error now; it is empty when there is nothing worth saying.
public struct ProgressReporter: Sendable {
    /// How progress is shown.
    public enum Style: Sendable, Equatable {
        /// One line that is drawn again and again, with ANSI control sequences.
        case bar
        /// Lines: at each new phase, then not sooner than after a second and 10 % (or ten seconds).
        case lines
        /// One JSON object a line with `phase`, `confirmedBytes` and more (DESIGN.md section 4): at each new phase,
        /// then at most four a second.
        case json
        /// Nothing.
        case silent

        /// The style that fits: `json` and `quiet` are the options of the command, `terminal` says whether
        /// standard error is a terminal that understands control sequences.
        public static func fitting(json: Bool, quiet: Bool, terminal: Bool) -> Style {
            if json { return .json }
            if quiet { return .silent }
            return terminal ? .bar : .lines
        }
    }

    /// How progress is shown.
    public let style: Style
    /// The facts.
    public private(set) var bar: ProgressBar

    private let begin: Duration
    private var lastOutput: Duration?
    private var lastPercent = 0
    private var lastBytes: UInt64?
    private var lineIsOpen = false

    /// Starts reporting; nothing is written until the first ``update(phase:confirmedBytes:at:width:)``.
    public init(_ style: Style, _ configuration: ProgressBar.Configuration, phase: String, at now: Duration) {
        self.style = style
        begin = now
        bar = ProgressBar(configuration, phase: phase, at: now)
    }

    /// Takes news from the device. `width` is the width of the terminal in columns.
    public mutating func update(phase: String, confirmedBytes: UInt64, at now: Duration, width: Int = 80) -> String {
        let before = bar.phase
        let wasComplete = bar.percent == 100
        bar.update(phase: phase, confirmedBytes: confirmedBytes, at: now)
        let isMilestone = bar.phase != before || (bar.percent == 100 && !wasComplete)
        return report(at: now, width: width, force: isMilestone || lastOutput == nil)
    }

    /// Lets time pass without news; call it some times a second.
    public mutating func tick(at now: Duration, width: Int = 80) -> String {
        bar.tick(at: now)
        return report(at: now, width: width, force: false)
    }

    /// Ends the report: leaves the last line of the bar on the terminal with the facts as they are, and closes it.
    public mutating func finish(at now: Duration, width: Int = 80) -> String {
        bar.tick(at: now)
        switch style {
        case .bar: return lineIsOpen ? report(at: now, width: width, force: true) + closeLine() : ""
        case .json: return lastBytes == bar.confirmedBytes ? "" : report(at: now, width: width, force: true)
        case .lines, .silent: return ""
        }
    }

    /// Puts a message on a line of its own above the bar.
    public mutating func message(_ text: String) -> String {
        switch style {
        case .silent: return ""
        case .json: return JSONText.object([("phase", .string(bar.phase)), ("text", .string(text))]).text + "\n"
        case .bar, .lines: break
        }
        let clear = lineIsOpen ? Self.clearLine : ""
        lineIsOpen = false
        return clear + DisplayText.clean(text) + "\n"
    }

    private static let clearLine = "\r\u{1B}[K"

    private mutating func closeLine() -> String {
        lineIsOpen = false
        return "\n"
    }

    private mutating func report(at now: Duration, width: Int, force: Bool) -> String {
        guard force || isDue(at: now) else { return "" }
        lastOutput = now
        lastPercent = bar.percent ?? 0
        lastBytes = bar.confirmedBytes
        switch style {
        case .silent: return ""
        case .lines: return bar.drawPlain() + "\n"
        case .json: return object(at: now).text + "\n"
        case .bar:
            lineIsOpen = true
            // The last column stays free: some terminals wrap as soon as it is filled.
            return "\r" + bar.draw(width: max(1, width - 1)) + "\u{1B}[K"
        }
    }

    private func isDue(at now: Duration) -> Bool {
        guard let lastOutput else { return false }
        let passed = now - lastOutput
        switch style {
        case .silent: return false
        case .bar: return passed >= .milliseconds(100)
        case .json: return passed >= .milliseconds(250) && lastBytes != bar.confirmedBytes
        case .lines:
            let gained = (bar.percent ?? 0) / 10 != lastPercent / 10
            return passed >= .seconds(gained ? 1 : 10)
        }
    }

    private func object(at now: Duration) -> JSONText {
        [
            "phase": .string(bar.phase), "confirmedBytes": .number(bar.confirmedBytes),
            "totalBytes": .number(bar.configuration.totalBytes), "bytesPerSecond": .number(bar.rate?.rounded()),
            "seconds": .seconds(now - begin),
        ]
    }
}
