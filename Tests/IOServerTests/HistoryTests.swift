import ByteTools
import HistoryEntries
import IOCOM
import IOOperator
import IOServer
import ServerData
import ServerHistory
import Testing

@Suite("The history of a server", .serialized) struct HistoryTests {
    private static let accounts = DevicePath(name: "accounts", number: 1, network: "cafenet")

    private func wait(
        for kind: HistoryKind, in fixture: ServerFixture, _ isMeant: @Sendable (HistoryEntry) -> Bool = { _ in true }
    ) async -> Bool {
        await eventually {
            let stored = try? StoredHistory(folder: fixture.folder).entries(HistoryQuery(kinds: [kind]))
            return stored?.contains(where: isMeant) ?? false
        }
    }

    @Test func loginsRefusalsAndChangesAreRecordedAndReadByAnAdministrator() async throws {
        let fixture = try await ServerFixture()
        let device = try await TestDevice("candy", 3, at: fixture)
        #expect(await wait(for: .login, in: fixture) { $0.device == "candy3.cafenet" })
        await #expect(throws: OperatorError.self) {
            _ = try await fixture.makeOperator("root", password: "a wrong one")
        }
        let session = try await fixture.makeOperator()
        let bytes = try await session.read(block: 21, of: Self.accounts).bytes
        #expect(try await session.write(bytes, block: 21, of: Self.accounts) == .completed)
        await device.stop()
        #expect(await wait(for: .closed, in: fixture) { $0.device == "candy3.cafenet" })

        let entries = try await session.history(of: "cafenet")
        #expect(entries.allSatisfy { $0.network == "cafenet" })
        let logins = entries.filter { $0.kind == .login }
        #expect(logins.contains { $0.device == "candy3.cafenet" && $0.result == "device" && $0.address == "127.0.0.1" })
        #expect(logins.contains { $0.user == "root.cafenet" && $0.result == "admin" && $0.device == nil })
        let refused = try #require(entries.first { $0.kind == .refused })
        #expect(refused.user == "root.cafenet")
        #expect(refused.text?.isEmpty == false)
        #expect(entries.contains { $0.kind == .accounts && $0.result == "replaced" })
        #expect(zip(entries, entries.dropFirst()).allSatisfy { HistoryPlace($0) > HistoryPlace($1) })

        let ofDevice = try await session.history(of: "cafenet", HistoryQuery(device: "candy3.cafenet"))
        #expect(ofDevice.map(\.kind) == [.closed, .login])
        #expect(try await session.history(of: "cafenet", HistoryQuery(limit: 1)).count == 1)
        #expect(try await session.history(of: "cafenet", HistoryQuery(kinds: [.accounts])).map(\.kind) == [.accounts])
        await session.close()
        await fixture.stop()
    }

    @Test func anotherNetworksEntriesAreNotShown() async throws {
        let fixture = try await ServerFixture()
        let device = try await TestDevice("candy", 3, "asteroidnet", at: fixture)
        #expect(await wait(for: .login, in: fixture) { $0.device == "candy3.asteroidnet" })
        let session = try await fixture.makeOperator()
        let entries = try await session.history(of: "cafenet")
        #expect(!entries.isEmpty)
        #expect(entries.allSatisfy { $0.network == "cafenet" && $0.device != "candy3.asteroidnet" })
        await session.close()
        await device.stop()
        await fixture.stop()
    }

    @Test func whoIsNoAdministratorIsRefused() async throws {
        let fixture = try await ServerFixture()
        let watcher = try await fixture.makeOperator("watcher", password: "look")
        do {
            _ = try await watcher.history(of: "cafenet")
            Issue.record("an operator read the history")
        } catch let error as OperatorError {
            #expect(error.kind == .loginRefused)
            #expect(error.description.contains("administrators"))
        }
        await watcher.close()
        await fixture.stop()
    }

    @Test func nobodyWritesTheHistoryOverTheNetwork() async throws {
        let fixture = try await ServerFixture()
        let session = try await fixture.makeOperator()
        #expect(try await session.write([1, 2, 3], block: 60, of: Self.accounts) == .noAccess)
        await session.close()
        await fixture.stop()
    }

    @Test func aLongHistoryComesPageByPageAndReadingEndsWhenEnoughCame() async throws {
        let count = 6_000
        let fixture = try await ServerFixture(prepare: { _ in })
        await fixture.stop(keepingFolder: true)
        let history = History(folder: fixture.folder, report: { _ in })
        let now = HistoryTime.now
        for number in 0..<count {
            history.add(
                HistoryEntry(.configuration, at: now - 10_000_000 + Int64(number)) {
                    $0.network = "cafenet"
                    $0.device = "candy\(number).cafenet"
                    $0.text = "written for the test, with a text as long as such a text may well be"
                })
            // Changes wait in memory; not all of them at once.
            if number.isMultiple(of: 8_000) { await history.flush() }
        }
        await history.close()
        let again = try await ServerFixture(reusing: fixture.folder)
        let session = try await again.makeOperator()
        let all = try await session.history(of: "cafenet", HistoryQuery(kinds: [.configuration]))
        #expect(all.count == count)
        #expect(all.first?.device == "candy\(count - 1).cafenet")
        #expect(all.last?.device == "candy0.cafenet")
        // The transfer is cancelled each time, and the next one begins at once.
        for limit in [1, 10, 1000] {
            let some = try await session.history(of: "cafenet", HistoryQuery(kinds: [.configuration], limit: limit))
            #expect(some == Array(all.prefix(limit)))
        }
        let since = now - 10_000_000 + Int64(count - 50)
        #expect(
            try await session.history(of: "cafenet", HistoryQuery(since: since, kinds: [.configuration])).count == 50)
        await session.close()
        await again.stop()
    }

    @Test func aDamagedHistoryDoesNotKeepAServerFromStarting() async throws {
        let fixture = try await ServerFixture()
        await fixture.stop(keepingFolder: true)
        try ReplacementFile.write("\(fixture.folder)/history.sqlite", [UInt8](repeating: 0x5A, count: 20_000))
        let again = try await ServerFixture(reusing: fixture.folder)
        let session = try await again.makeOperator()
        #expect(try await session.history(of: "cafenet").contains { $0.kind == .login })
        #expect(
            await again.events.wait {
                if case .problem(let text) = $0 { text.contains("moved to history.damaged-") } else { false }
            })
        await session.close()
        await again.stop()
    }
}
