import Testing

@testable import TerminalUI

private let mebibyte: UInt64 = 1 << 20

@Suite("Progress bar")
struct ProgressBarTests {
    /// 64 MiB of which 16 arrive in each of the first two seconds.
    private func halfway(unicode: Bool = false) -> ProgressBar {
        var bar = ProgressBar(.init(totalBytes: 64 * mebibyte, unicode: unicode), phase: "receiving", at: .zero)
        bar.update(phase: "receiving", confirmedBytes: 16 * mebibyte, at: .seconds(1))
        bar.update(phase: "receiving", confirmedBytes: 32 * mebibyte, at: .seconds(2))
        return bar
    }

    @Test("shows phase, bar, percent, bytes, time left and rate")
    func complete() {
        #expect(
            halfway().draw(width: 120) == "receiving  [####################....................]   50%  "
                + "32.0 MiB of 64.0 MiB  2 s left  16.0 MiB/s")
        #expect(
            halfway(unicode: true).draw(width: 120) == "receiving  [████████████████████                    ]   50%  "
                + "32.0 MiB of 64.0 MiB  2 s left  16.0 MiB/s")
    }

    @Test("gives up details, then the bar, as the width shrinks", arguments: 1...140)
    func narrow(width: Int) {
        let line = halfway().draw(width: width)
        #expect(DisplayText.width(line) <= width)
        switch width {
        case 73...: #expect(line.hasSuffix("2 s left  16.0 MiB/s"))
        case 61...: #expect(line.hasSuffix("32.0 MiB of 64.0 MiB  2 s left"))
        case 51...: #expect(line.hasSuffix("50%  32.0 MiB of 64.0 MiB"))
        case 29...: #expect(line.hasSuffix("]   50%"))
        case 14...: #expect(line == "receiving  50%")
        default: #expect(line.hasSuffix("…"))
        }
    }

    @Test("100 % means every byte, one byte less is 99 %")
    func percents() {
        var bar = ProgressBar(.init(totalBytes: 1_000_000), phase: "receiving", at: .zero)
        bar.update(phase: "receiving", confirmedBytes: 999_999, at: .seconds(1))
        #expect(bar.percent == 99)
        bar.update(phase: "receiving", confirmedBytes: 1_000_000, at: .seconds(2))
        #expect(bar.percent == 100)
        bar.update(phase: "receiving", confirmedBytes: .max, at: .seconds(3))
        #expect(bar.percent == 100)
        #expect(ProgressBar(.init(totalBytes: 0), phase: "receiving", at: .zero).percent == 100)
    }

    @Test("phases after the last byte show how long they take")
    func laterPhases() {
        var bar = halfway()
        bar.update(phase: "receiving", confirmedBytes: 64 * mebibyte, at: .seconds(4))
        bar.update(phase: "restarting", confirmedBytes: 64 * mebibyte, at: .seconds(5))
        bar.tick(at: .seconds(12))
        #expect(bar.draw(width: 60) == "restarting  [#########################]  100%  64.0 MiB  7 s")
        #expect(bar.drawPlain() == "restarting 100%, 64.0 MiB, 7 s")
    }

    @Test("a transfer of unknown size has no bar and promises no end")
    func unknownTotal() {
        var bar = ProgressBar(.init(totalBytes: nil), phase: "reading", at: .seconds(10))
        bar.update(phase: "reading", confirmedBytes: 4096, at: .seconds(12))
        #expect(bar.percent == nil)
        #expect(bar.draw(width: 80) == "reading  4.0 KiB  2.0 KiB/s  2 s")
        #expect(bar.draw(width: 20) == "reading  4.0 KiB")
        #expect(bar.draw(width: 5) == "read…")
    }

    @Test("a silent device is called silent, with the time, instead of a time left")
    func stalled() {
        var bar = halfway()
        bar.tick(at: .seconds(4))
        #expect(bar.draw(width: 100).hasSuffix("4 s left  8.0 MiB/s"))
        bar.tick(at: .seconds(9))
        #expect(bar.draw(width: 100).hasSuffix("32.0 MiB of 64.0 MiB  nothing for 7 s  0 B/s"))
    }

    @Test("a minute fraction of a rate does not overflow the time left")
    func absurdTimes() {
        var bar = ProgressBar(.init(totalBytes: .max), phase: "receiving", at: .zero)
        bar.update(phase: "receiving", confirmedBytes: 1, at: .seconds(1))
        #expect(bar.draw(width: 100).contains("over 99 h left"))
    }

    @Test("a phase name of a device cannot control the terminal")
    func hostilePhase() {
        let bar = ProgressBar(.init(totalBytes: 1), phase: "\u{1B}[2J", at: .zero)
        #expect(bar.draw(width: 40).hasPrefix("\u{FFFD}[2J  ["))
    }
}

@Suite("Rate over a window")
struct RateWindowTests {
    @Test("needs a quarter of a second before it says anything")
    func early() {
        var window = RateWindow(length: .seconds(5))
        #expect(window.rate(at: .zero) == nil)
        window.add(0, at: .zero)
        window.add(1000, at: .milliseconds(200))
        #expect(window.rate(at: .milliseconds(200)) == nil)
        window.add(2000, at: .milliseconds(250))
        #expect(window.rate(at: .milliseconds(250)) == 8000)
    }

    @Test("forgets a fast beginning when the window has passed")
    func slides() {
        var window = RateWindow(length: .seconds(5))
        var bytes: UInt64 = 0
        for step in 0...200 {
            window.add(bytes, at: .milliseconds(step * 100))
            bytes += step < 100 ? 10_000 : 100
        }
        let rate = window.rate(at: .seconds(20)) ?? -1
        #expect(abs(rate - 1000) < 1)
    }

    @Test("starts again when the count goes back")
    func restarts() {
        var window = RateWindow(length: .seconds(5))
        window.add(1_000_000, at: .zero)
        window.add(10, at: .seconds(1))
        #expect(window.rate(at: .seconds(1)) == nil)
        window.add(110, at: .seconds(2))
        #expect(window.rate(at: .seconds(2)) == 100)
    }

    @Test("stays exact within a few percent under any rhythm of news", arguments: 1...20)
    func rhythms(seed: UInt64) {
        var generator = SplitMix(state: seed)
        var window = RateWindow(length: .seconds(5))
        var milliseconds: Int64 = 0
        while milliseconds < 30_000 {
            // A steady 2,000 bytes a second, reported at irregular moments.
            window.add(UInt64(milliseconds * 2), at: .milliseconds(milliseconds))
            milliseconds += Int64.random(in: 1...400, using: &generator)
        }
        let rate = window.rate(at: .milliseconds(milliseconds)) ?? -1
        #expect(rate > 1_800 && rate <= 2_000)
    }
}

/// A seeded generator, so that a failure can be repeated.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
