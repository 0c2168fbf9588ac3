import Testing

import TerminalUI

@Suite("Numbers for people")
struct ReadableTests {
    @Test(
        "bytes are shown in the largest unit that keeps at most four characters",
        arguments: [
            (0, "0 B"), (1, "1 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536, "1.5 KiB"), (102_348, "99.9 KiB"),
            (102_400, "100 KiB"), (1_048_012, "1023 KiB"), (1_048_064, "1.0 MiB"), (67_108_864, "64.0 MiB"),
            (UInt64.max, "16.0 EiB"),
        ] as [(UInt64, String)])
    func bytes(count: UInt64, text: String) {
        #expect(Readable.bytes(count) == text)
    }

    @Test("rates survive every number")
    func rates() {
        #expect(Readable.rate(2048) == "2.0 KiB/s")
        #expect(Readable.rate(0.2) == "0 B/s")
        #expect(Readable.rate(-1) == "0 B/s")
        #expect(Readable.rate(.nan) == "0 B/s")
        #expect(Readable.rate(.infinity) == "16.0 EiB/s")
    }

    @Test(
        "spans of time have at most two units",
        arguments: [
            (-5, "0 s"), (0, "0 s"), (59, "59 s"), (60, "1 min 00 s"), (125, "2 min 05 s"), (3600, "1 h 00 min"),
            (11_220, "3 h 07 min"), (183_600, "2 d 03 h"),
        ] as [(Int64, String)])
    func durations(seconds: Int64, text: String) {
        #expect(Readable.duration(.seconds(seconds)) == text)
    }

    @Test("short spans have tenths")
    func shortDurations() {
        #expect(Readable.shortDuration(.milliseconds(340)) == "0.3 s")
        #expect(Readable.shortDuration(.milliseconds(350)) == "0.4 s")
        #expect(Readable.shortDuration(.milliseconds(9_949)) == "9.9 s")
        #expect(Readable.shortDuration(.milliseconds(9_951)) == "10 s")
        #expect(Readable.shortDuration(.seconds(75)) == "1 min 15 s")
        #expect(Readable.shortDuration(.milliseconds(-1)) == "0.0 s")
    }
}
