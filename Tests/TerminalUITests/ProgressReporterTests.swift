import Testing

import TerminalUI

@Suite("Progress reports")
struct ProgressReporterTests {
    /// 100,000 bytes in 10 seconds, news every 50 ms, then two seconds of verifying; returns what was written.
    private func transfer(_ style: ProgressReporter.Style) -> [String] {
        var reporter = ProgressReporter(style, .init(totalBytes: 100_000), phase: "receiving", at: .zero)
        var written: [String] = []
        for step in 1...200 {
            written.append(reporter.update(phase: "receiving", confirmedBytes: UInt64(step) * 500, at: time(step)))
        }
        written.append(reporter.update(phase: "verifying", confirmedBytes: 100_000, at: time(210)))
        for step in 211...250 { written.append(reporter.tick(at: time(step))) }
        written.append(reporter.finish(at: time(250)))
        return written.filter { !$0.isEmpty }
    }

    private func time(_ step: Int) -> Duration { .milliseconds(step * 50) }

    @Test("the style follows the options, then the terminal")
    func styles() {
        #expect(ProgressReporter.Style.fitting(json: true, quiet: true, terminal: true) == .json)
        #expect(ProgressReporter.Style.fitting(json: false, quiet: true, terminal: true) == .silent)
        #expect(ProgressReporter.Style.fitting(json: false, quiet: false, terminal: true) == .bar)
        #expect(ProgressReporter.Style.fitting(json: false, quiet: false, terminal: false) == .lines)
    }

    @Test("a log gets one line for each 10 %, each phase and the end, and no control sequence")
    func lines() {
        let written = transfer(.lines)
        #expect(written.count == 12)
        #expect(written[0] == "receiving 0%, 500 B of 97.7 KiB\n")
        // The first line came at 0.05 s, the others a second after the one before.
        #expect(written[5] == "receiving 50%, 49.3 KiB of 97.7 KiB, 5 s left, 9.8 KiB/s\n")
        #expect(written[10] == "receiving 100%, 97.7 KiB, 10 s\n")
        #expect(written[11] == "verifying 100%, 97.7 KiB, 0 s\n")
        #expect(!written.joined().contains("\u{1B}") && !written.joined().contains("\r"))
    }

    @Test("a fast transfer does not flood a log")
    func fastLines() {
        var reporter = ProgressReporter(.lines, .init(totalBytes: 1000), phase: "receiving", at: .zero)
        var count = 0
        for step in 1..<1000 {
            let text = reporter.update(
                phase: "receiving", confirmedBytes: UInt64(step), at: .milliseconds(step))
            if !text.isEmpty { count += 1 }
        }
        #expect(count == 1)
    }

    @Test("a slow transfer gives a sign of life every ten seconds")
    func slowLines() {
        var reporter = ProgressReporter(.lines, .init(totalBytes: 1_000_000), phase: "receiving", at: .zero)
        var count = 0
        for second in 1...60 {
            let text = reporter.update(phase: "receiving", confirmedBytes: UInt64(second), at: .seconds(second))
            if !text.isEmpty { count += 1 }
        }
        #expect(count == 6)
    }

    @Test("programs get objects with phase and confirmed bytes, four a second at most")
    func objects() {
        let written = transfer(.json)
        #expect(
            written[0] == #"{"phase":"receiving","confirmedBytes":500,"totalBytes":100000,"#
                + #""bytesPerSecond":null,"seconds":0.05}"# + "\n")
        #expect(written.allSatisfy { $0.hasPrefix(#"{"phase":""#) && $0.hasSuffix("}\n") })
        #expect(written.count <= 42)
        #expect(written.contains { $0.hasPrefix(#"{"phase":"receiving","confirmedBytes":100000,"#) })
        #expect(written.last?.hasPrefix(#"{"phase":"verifying","confirmedBytes":100000,"#) == true)
    }

    @Test("a terminal gets one line that is redrawn, ten times a second at most, and closed at the end")
    func bar() {
        let written = transfer(.bar)
        #expect(written.count <= 125)
        #expect(written.allSatisfy { $0.hasPrefix("\r") && $0.contains("\u{1B}[K") })
        #expect(written.dropLast().allSatisfy { !$0.contains("\n") })
        #expect(written.last?.hasSuffix("\u{1B}[K\n") == true)
    }

    @Test("a message clears the bar and the next report draws it below")
    func messages() {
        var reporter = ProgressReporter(.bar, .init(totalBytes: 10), phase: "receiving", at: .zero)
        #expect(reporter.message("before") == "before\n")
        _ = reporter.update(phase: "receiving", confirmedBytes: 1, at: .seconds(1))
        #expect(reporter.message("lost the\u{7} connection") == "\r\u{1B}[Klost the\u{FFFD} connection\n")
        #expect(reporter.finish(at: .seconds(2)) == "")
        var json = ProgressReporter(.json, .init(totalBytes: 10), phase: "installing", at: .zero)
        #expect(json.message("Unpacking \"x\"") == #"{"phase":"installing","text":"Unpacking \"x\""}"# + "\n")
        var silent = ProgressReporter(.silent, .init(totalBytes: 10), phase: "installing", at: .zero)
        #expect(silent.message("x") == "")
    }

    @Test("silence is silence")
    func silent() {
        #expect(transfer(.silent).isEmpty)
    }
}
