import ByteTools
import GRDB
import Glibc
import HistoryEntries
import Testing

@testable import ServerHistory

@Suite("A history") struct HistoryTests {
    private static let now = HistoryTime.now

    @Test func entriesAreThereAfterTheNextStart() async throws {
        let fixture = try Fixture()
        let entries = (1...2000).map {
            entry($0.isMultiple(of: 50) ? .program : .login, $0, at: Self.now - 10_000_000 + Int64($0))
        }
        let history = fixture.open()
        for entry in entries { history.add(entry) }
        #expect(await history.flush())
        let read = try history.entries(HistoryQuery())
        #expect(read.map { $0.withoutNumber } == entries.reversed())
        #expect(read.map(\.id) == (1...2000).reversed())
        await history.close()
        let again = fixture.open()
        #expect(try again.entriesUntilNow(HistoryQuery()) == read)
        await again.close()
        #expect(fixture.problems.isEmpty)
        #expect(try fixture.integrity() == "ok")
    }

    @Test func everyEntryIsWrittenByItself() async throws {
        let fixture = try Fixture()
        let history = fixture.open()
        for number in 1...8 {
            history.add(entry([.login, .program, .closed, .login][number % 4], number, at: Self.now))
            #expect(
                await eventually {
                    let stored = try? StoredHistory(folder: fixture.folder).entries(HistoryQuery())
                    return stored?.count == number
                })
        }
        await history.close()
    }

    @Test func everyFieldIsStored() async throws {
        let fixture = try Fixture()
        let history = fixture.open()
        let full = HistoryEntry(.program, at: Self.now) {
            ($0.network, $0.user, $0.address, $0.device) = ("cafenet", "root.cafenet", "::1", "candy3.cafenet")
            ($0.block, $0.package, $0.version, $0.hash) = (1, "package.deb", "261124-1200", "abcd")
            ($0.bytes, $0.result, $0.seconds, $0.text) = (1 << 40, "confirmed", 1.25, "done")
            ($0.count, $0.until) = (2, Self.now + 1)
        }
        history.add(full)
        let read = try history.entriesUntilNow(HistoryQuery())
        #expect(read.map { $0.withoutNumber } == [full])
        await history.close()
    }

    @Test func onlyTheOwnerCanReadTheFiles() async throws {
        let fixture = try Fixture()
        let history = fixture.open()
        history.add(entry(.login, 1, at: Self.now))
        #expect(await history.flush())
        for name in ["history.sqlite", "history.sqlite-wal", "history.sqlite-shm"] {
            #expect(fixture.mode(name) == 0o600, "\(name)")
        }
        await history.close()
    }

    @Test func anotherProcessReadsWhileTheServerRunsAndAfterItWasKilled() async throws {
        let fixture = try Fixture()
        #expect(try StoredHistory(folder: fixture.folder).entries(HistoryQuery()).isEmpty)
        let history = fixture.open()
        history.add(entry(.accounts, 1, at: Self.now))
        #expect(await history.flush())
        #expect(try StoredHistory(folder: fixture.folder).entries(HistoryQuery()).count == 1)
        // The files as a killed server leaves them: with a journal that was not taken in.
        let copy = try Fixture()
        for name in ["history.sqlite", "history.sqlite-wal"] {
            let source = try File("\(fixture.folder)/\(name)", .read)
            try ReplacementFile.copy(source, size: try source.byteCount, to: "\(copy.folder)/\(name)")
        }
        #expect(try StoredHistory(folder: copy.folder).entries(HistoryQuery()).count == 1)
        await history.close()
        #expect(try StoredHistory(folder: fixture.folder).entries(HistoryQuery()).count == 1)
    }

    // MARK: Bounds

    @Test func whatIsTooOldIsRemoved() async throws {
        let fixture = try Fixture()
        let history = fixture.open(HistorySettings(days: 10))
        let day: Int64 = 86_400_000
        for age in 0..<20 {
            for number in 0..<100 {
                history.add(entry(.program, age * 100 + number, at: Self.now - Int64(age) * day - 60_000))
            }
        }
        #expect(await history.flush())
        try history.pruneNow()
        let left = try history.entries(HistoryQuery())
        #expect(left.count == 1000)
        #expect(left.allSatisfy { $0.time > Self.now - 10 * day })
        await history.close()
    }

    @Test func theFileStaysWithinItsSizeAndLogsOfChangesStayLongest() async throws {
        let fixture = try Fixture()
        var settings = HistorySettings(megabytes: 1)
        settings.pending.connections = 1_000_000
        let history = fixture.open(settings)
        for number in 0..<30_000 {
            history.add(
                entry(number.isMultiple(of: 100) ? .program : .login, number, at: Self.now - 1_000_000 + Int64(number)))
        }
        #expect(await history.flush())
        try history.pruneNow()
        let left = try history.entries(HistoryQuery())
        #expect(left.count { $0.kind == .program } == 300)
        #expect(left.count > 2000)
        await history.close()
        let size = try File(fixture.path, .read).byteCount
        #expect(size <= 1 << 20, "\(left.count) entries")
        #expect(try fixture.integrity() == "ok")
    }

    @Test func thereAreNotMoreEntriesThanWereAllowed() async throws {
        let fixture = try Fixture()
        let history = fixture.open(HistorySettings(rows: 2_000))
        for number in 0..<4_000 {
            history.add(entry(.configuration, number, at: Self.now - 100_000 + Int64(number)))
        }
        #expect(await history.flush())
        try history.pruneNow()
        let left = try history.entries(HistoryQuery())
        #expect((1_400...2_000).contains(left.count))
        #expect(left.first?.user == "user3999.net")
        await history.close()
    }

    @Test func refusalsAreCountedInTheFile() async throws {
        let fixture = try Fixture()
        let history = fixture.open()
        for number in 0..<300 {
            history.add(
                HistoryEntry(.refused, at: Self.now + Int64(number)) {
                    $0.user = "root.cafenet"
                    $0.address = "10.0.0.1"
                })
            if number == 0 { #expect(await history.flush()) }
        }
        await history.close()
        let left = try StoredHistory(folder: fixture.folder).entries(HistoryQuery())
        #expect(left.map(\.count) == [300])
        #expect(left.first?.until == Self.now + 299)
    }

    // MARK: Damage

    @Test func aFileThatIsNoDatabaseIsMovedAside() async throws {
        let fixture = try Fixture()
        try ReplacementFile.write(
            fixture.path, Array("this is no database, and longer than a header of one is, I hope".utf8))
        let history = fixture.open()
        history.add(entry(.program, 1, at: Self.now))
        #expect(try history.entriesUntilNow(HistoryQuery()).count == 1)
        await history.close()
        #expect(fixture.problems.count == 1)
        #expect(fixture.problems.first?.contains("damaged") == true)
        #expect(fixture.names.count { $0.hasPrefix("history.damaged-") } == 1)
    }

    @Test func damageThatIsFoundAtWorkCostsNoEntryThatComesAfter() async throws {
        let fixture = try Fixture()
        let first = fixture.open()
        for number in 0..<3000 { first.add(entry(.program, number, at: Self.now)) }
        await first.close()
        let size = try File(fixture.path, .read).byteCount
        let file = try File(fixture.path, .update)
        try file.write(at: 4096, [UInt8](repeating: 0x5A, count: size - 4096))
        let second = fixture.open()
        for number in 3000..<3010 { second.add(entry(.program, number, at: Self.now)) }
        #expect(try second.entriesUntilNow(HistoryQuery()).count == 10)
        await second.close()
        #expect(fixture.problems.count == 1)
        #expect(try fixture.integrity() == "ok")
    }

    @Test func whatIsNotAFileIsMovedAsideAndOnlyAFewDamagedFilesAreKept() async throws {
        let fixture = try Fixture()
        try Folder.make(fixture.path)
        for year in 2001...2005 {
            try ReplacementFile.write("\(fixture.folder)/history.damaged-\(year)0101T000000000Z.sqlite", [1])
        }
        let history = fixture.open()
        history.add(entry(.program, 1, at: Self.now))
        #expect(try history.entriesUntilNow(HistoryQuery()).count == 1)
        await history.close()
        #expect(fixture.names.count { $0.hasPrefix("history.damaged-") } == 2)
    }

    @Test func aDamagedFileIsSaidToBeSoByTheReaderToo() throws {
        let fixture = try Fixture()
        try ReplacementFile.write(fixture.path, [UInt8](repeating: 0x5A, count: 10_000))
        #expect(throws: HistoryError.self) { _ = try StoredHistory(folder: fixture.folder) }
    }

    @Test func aFolderThatDoesNotTakeFilesIsToldOnceAndEntriesAreWrittenLater() async throws {
        let fixture = try Fixture()
        let missing = fixture.folder + "/missing"
        let history = History(folder: missing, report: { _ in })
        for number in 0..<10 { history.add(entry(.program, number, at: Self.now)) }
        #expect(await history.flush() == false)
        #expect(throws: HistoryError.self) { _ = try history.entries(HistoryQuery()) }
        try Folder.makePrivate(missing)
        #expect(await history.flush())
        #expect(try history.entries(HistoryQuery()).count == 10)
        await history.close()
        for name in try Folder.names(in: missing, limit: 10).names { try Folder.remove(name, in: missing) }
        rmdir(missing)
    }

    // MARK: Versions

    @Test func olderTablesAreBroughtUpToDateWithTheirEntries() async throws {
        let fixture = try Fixture()
        let first = fixture.open()
        first.add(entry(.program, 1, at: Self.now))
        await first.close()
        var settings = HistorySettings()
        settings.schema.append("ALTER TABLE entry ADD COLUMN note TEXT; CREATE INDEX entry_by_note ON entry (note)")
        let second = fixture.open(settings)
        second.add(entry(.program, 2, at: Self.now))
        #expect(try second.entriesUntilNow(HistoryQuery()).count == 2)
        await second.close()
        #expect(fixture.problems.isEmpty)
        // A way back: the older program begins a new file and keeps the newer one.
        #expect(throws: HistoryError.newer(2)) { _ = try StoredHistory(folder: fixture.folder) }
        let third = fixture.open()
        #expect(try third.entriesUntilNow(HistoryQuery()).isEmpty)
        await third.close()
        #expect(fixture.problems.count == 1)
    }

    @Test func aStepThatFailsLeavesTheTablesAsTheyWere() async throws {
        let fixture = try Fixture()
        let first = fixture.open()
        first.add(entry(.program, 1, at: Self.now))
        await first.close()
        var settings = HistorySettings()
        settings.schema.append("ALTER TABLE entry ADD COLUMN note TEXT; CREATE TABLE entry (id INTEGER)")
        let second = fixture.open(settings)
        #expect(await second.flush() == false)
        await second.close()
        #expect(try StoredHistory(folder: fixture.folder).entries(HistoryQuery()).count == 1)
    }

    // MARK: Against a model

    @Test func queriesGiveWhatAModelGives() async throws {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<6 {
            let fixture = try Fixture()
            var history = fixture.open()
            var model: [HistoryEntry] = []
            for _ in 0..<150 {
                switch Int.random(in: 0..<10, using: &random) {
                case 0:
                    await history.close()
                    history = fixture.open()
                case 1..<7:
                    for _ in 0..<Int.random(in: 1...30, using: &random) {
                        let kind = HistoryKind.allCases.randomElement(using: &random) ?? .login
                        var entry = HistoryEntry(kind, at: Self.now - Int64.random(in: 0...5_000, using: &random)) {
                            $0.network = ["cafenet", "asteroidnet", nil].randomElement(using: &random) ?? nil
                            // Never the same user and address twice: joining has tests of its own.
                            $0.address = "10.0.\(model.count)"
                            let device = Int.random(in: 1...3, using: &random)
                            if Bool.random(using: &random) { $0.device = "candy\(device).cafenet" }
                            let user = Int.random(in: 1...3, using: &random)
                            $0.user = Bool.random(using: &random) ? "candy\(user).cafenet" : "user\(model.count)"
                        }
                        if kind == .refused { entry.kind = .closed }
                        history.add(entry)
                        entry.id = Int64(model.count + 1)
                        model.append(entry)
                    }
                default:
                    let query = Self.anyQuery(using: &random)
                    let expected = model.filter(query.matches).sorted { HistoryPlace($0) > HistoryPlace($1) }
                    #expect(await history.flush())
                    var read: [HistoryEntry] = []
                    var page = query
                    page.limit = Int.random(in: 1...40, using: &random)
                    repeat {
                        let entries = try history.entries(page)
                        read += entries
                        page.after = entries.last.map(HistoryPlace.init)
                    } while page.after != nil
                    #expect(read.map(\.id) == expected.map(\.id), "\(query)")
                    #expect(read == expected)
                }
            }
            await history.close()
            #expect(try fixture.integrity() == "ok")
            #expect(fixture.problems.isEmpty)
        }
    }

    private static func anyQuery(using random: inout SystemRandomNumberGenerator) -> HistoryQuery {
        var query = HistoryQuery()
        if Bool.random(using: &random) {
            query.network = ["cafenet", "asteroidnet", "nonet"].randomElement(using: &random)
        }
        if Bool.random(using: &random) { query.device = "candy\(Int.random(in: 1...4, using: &random)).cafenet" }
        if Bool.random(using: &random) { query.since = now - Int64.random(in: 0...6_000, using: &random) }
        if Bool.random(using: &random) { query.until = now - Int64.random(in: 0...6_000, using: &random) }
        if Bool.random(using: &random) {
            query.kinds = HistoryKind.allCases.filter { _ in Bool.random(using: &random) }
        }
        return query
    }

    @Test func pagesAreFoundWithoutSorting() async throws {
        let fixture = try Fixture()
        let history = fixture.open()
        await history.close()
        let database = try DatabaseQueue(path: fixture.path)
        for condition in [
            "", "WHERE network = 'cafenet'", "WHERE network = 'cafenet' AND time >= 5 AND (time, id) < (7, 8)",
        ] {
            let plan = try database.read { db in
                try Row.fetchAll(
                    db, sql: "EXPLAIN QUERY PLAN SELECT * FROM entry \(condition) ORDER BY time DESC, id DESC LIMIT 5")
            }.map { "\($0["detail"] as String? ?? "")" }
            #expect(!plan.contains { $0.contains("TEMP B-TREE") }, "\(condition): \(plan)")
        }
        try database.close()
    }
}

extension HistoryEntry {
    var withoutNumber: HistoryEntry {
        var entry = self
        entry.id = 0
        return entry
    }
}
