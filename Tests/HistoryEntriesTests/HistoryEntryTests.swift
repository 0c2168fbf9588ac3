import HistoryEntries
import PackedJSON
import Testing

@Suite("Entries of a history") struct HistoryEntryTests {
    private static let full = HistoryEntry(.program, at: 1_795_694_400_123) {
        $0.id = 7
        $0.network = "cafenet"
        $0.user = "root.cafenet"
        $0.address = "127.0.0.1"
        $0.device = "candy3.cafenet"
        $0.block = 1
        $0.package = "iocafe-candy-261124-1200-linux-amd64.deb"
        $0.version = "261124-1200"
        $0.hash = String(repeating: "ab", count: 32)
        $0.bytes = 123_456_789
        $0.result = "confirmed"
        $0.seconds = 12.5
        $0.text = "quoted \"text\" with ü and \\"
        $0.count = 3
        $0.until = 1_795_694_500_000
    }

    @Test func everythingSurvivesALineOfJSON() throws {
        for entry in [Self.full, HistoryEntry(.login, at: 0)] {
            let json = try JSON(parsing: entry.line)
            #expect(HistoryEntry(json) == entry)
        }
        #expect(Self.full.line.last == UInt8(ascii: "\n"))
    }

    @Test func linesAreReadHoweverTheirBytesCome() throws {
        let entries = (1...5).map { number in
            HistoryEntry(.refused, at: Int64(number) * 1000) {
                $0.id = Int64(number)
                $0.user = "user\(number).cafenet"
            }
        }
        let bytes = entries.flatMap(\.line)
        for piece in 1...bytes.count {
            var lines = HistoryLines()
            var read: [HistoryEntry] = []
            for start in stride(from: 0, to: bytes.count, by: piece) {
                read += try lines.take(Array(bytes[start..<min(bytes.count, start + piece)]))
            }
            #expect(read == entries, "pieces of \(piece) bytes")
        }
    }

    @Test func whatIsNoHistoryIsRefused() throws {
        var lines = HistoryLines()
        #expect(throws: HistoryLineError.self) { _ = try lines.take(Array("no json\n".utf8)) }
        var long = HistoryLines()
        #expect(throws: HistoryLineError.tooLong) { _ = try long.take([UInt8](repeating: 0x20, count: 9000)) }
    }

    @Test func aKindOfANewerServerIsPassedOver() throws {
        var lines = HistoryLines()
        let newer = #"{"id":2,"time":"2026-11-26T00:00:00.000Z","kind":"dream","more":[1]}"# + "\n"
        #expect(try lines.take(Array(newer.utf8) + Self.full.line) == [Self.full])
    }

    @Test func textsOfPeersAreShortAndWithoutControlCharacters() {
        let hostile = HistoryEntry(.refused, at: 1) {
            $0.user = "\u{1B}[31mroot\u{202E}\n." + String(repeating: "é", count: 500)
            $0.text = String(repeating: "\u{1F600}", count: 1000)
            $0.result = ""
            $0.seconds = .infinity
            $0.count = -4
        }
        let entry = hostile.cleaned
        #expect(entry.user?.utf8.count ?? 0 <= HistoryLimits.name)
        #expect(entry.text?.utf8.count ?? 0 <= HistoryLimits.text)
        #expect(entry.user?.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x202E } == false)
        #expect(entry.result == nil)
        #expect(entry.seconds == nil)
        #expect(entry.count == 1)
        #expect(entry.cleaned == entry)
    }

    @Test func theLongestEntryIsShorterThanALineMayBe() {
        let long = String(repeating: "\"", count: 1000)
        let entry = HistoryEntry(.program, at: .max) {
            ($0.network, $0.user, $0.address, $0.device, $0.package) = (long, long, long, long, long)
            ($0.version, $0.hash, $0.result, $0.text) = (long, long, long, long)
            ($0.id, $0.block, $0.bytes, $0.count, $0.until) = (.max, .max, .max, .max, .max)
            $0.seconds = 1 / 3
        }.cleaned
        #expect(entry.line.count < HistoryLimits.line)
    }
}

@Suite("Times of a history") struct HistoryTimeTests {
    @Test func timesAreWrittenInUTC() {
        #expect(HistoryTime.iso(0) == "1970-01-01T00:00:00.000Z")
        #expect(HistoryTime.iso(1_795_694_400_123) == "2026-11-26T12:00:00.123Z")
        #expect(HistoryTime.iso(.max) == "9999-12-31T23:59:59.999Z")
        for time in [0, 1, 999, 1_795_694_400_123, 4_102_444_799_999] as [Int64] {
            #expect(HistoryTime.parseISO(HistoryTime.iso(time)) == time)
        }
    }

    @Test func peopleSayHowLongAgo() {
        let now: Int64 = 1_795_694_400_000
        #expect(HistoryTime.parse("90s", now: now) == now - 90_000)
        #expect(HistoryTime.parse("30m", now: now) == now - 1_800_000)
        #expect(HistoryTime.parse("12h", now: now) == now - 43_200_000)
        #expect(HistoryTime.parse("3d", now: now) == now - 259_200_000)
        #expect(HistoryTime.parse("2w", now: now) == now - 1_209_600_000)
        #expect(HistoryTime.parse("999999999d", now: now) == 0)
    }

    @Test func peopleNameADate() throws {
        #expect(HistoryTime.parse("2026-11-26T12:00Z", now: 0) == 1_795_694_400_000)
        #expect(HistoryTime.parse("2026-11-26T12:00:05Z", now: 0) == 1_795_694_405_000)
        let midnight = try #require(HistoryTime.parse("2026-11-20", now: 0))
        #expect(HistoryTime.local(midnight).hasPrefix("2026-11-20 00:00:00 "))
        let noon = try #require(HistoryTime.parse("2026-11-20T12:30", now: 0))
        #expect(HistoryTime.local(noon).hasPrefix("2026-11-20 12:30:00 "))
    }

    @Test(arguments: [
        "", "d", "-3d", "+3d", "3y", "3.5d", "yesterday", "2026-11-31", "2026-02-30", "2026-13-01", "26-11-20",
        "2026-11-20Z",
        "2026-11-20T", "2026-11-20T25:00", "2026-11-20T12", "2026-11-20 12:00", "2026-11-20T12:00:00:00", "1960-01-01",
    ])
    func everythingElseIsRefused(_ text: String) {
        #expect(HistoryTime.parse(text, now: 1_795_694_400_000) == nil)
    }
}
