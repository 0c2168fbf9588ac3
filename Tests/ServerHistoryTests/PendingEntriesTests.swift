import HistoryEntries
import Testing

@testable import ServerHistory

@Suite("Entries that wait") struct PendingEntriesTests {
    private func refusal(_ user: String, _ address: String = "10.0.0.1", at time: Int64) -> HistoryEntry {
        HistoryEntry(.refused, at: time) {
            $0.network = "cafenet"
            $0.user = user
            $0.address = address
            $0.text = "wrong password"
        }
    }

    private func takeAll(_ pending: inout PendingEntries, ids: inout Int64) -> PendingEntries.Batch {
        let batch = pending.take(atMost: .max, now: 0)
        pending.stored(
            batch,
            ids: batch.items.map { _ in
                ids += 1
                return ids
            })
        return batch
    }

    @Test func entriesLeaveInTheOrderTheyCame() {
        var pending = PendingEntries()
        let entries = (1...20).map { entry($0.isMultiple(of: 3) ? .accounts : .login, $0) }
        for entry in entries { pending.add(entry) }
        var taken: [HistoryEntry] = []
        while pending.hasEntries { taken += pending.take(atMost: 7, now: 0).items.map(\.entry) }
        #expect(taken == entries)
    }

    @Test func refusalsOfOneUserFromOneAddressAreOneEntryWithACount() {
        var pending = PendingEntries()
        var ids: Int64 = 0
        pending.add(refusal("root.cafenet", at: 1000))
        #expect(takeAll(&pending, ids: &ids).items.count == 1)
        for second in 2...500 { pending.add(refusal("root.cafenet", at: Int64(second) * 1000)) }
        #expect(!pending.hasEntries)
        let batch = takeAll(&pending, ids: &ids)
        #expect(batch.items.isEmpty)
        #expect(batch.grown == [.init(id: 1, count: 500, until: 500_000)])
        // Ten minutes later it is told again.
        pending.add(refusal("root.cafenet", at: 700_000))
        #expect(takeAll(&pending, ids: &ids).items.count == 1)
    }

    @Test func whatRepeatsBeforeItsEntryIsStoredIsCountedToo() {
        var pending = PendingEntries()
        var ids: Int64 = 0
        for second in 1...4 { pending.add(refusal("root.cafenet", at: Int64(second) * 1000)) }
        let first = takeAll(&pending, ids: &ids)
        #expect(first.items.count == 1)
        #expect(first.grown.isEmpty)
        #expect(takeAll(&pending, ids: &ids).grown == [.init(id: 1, count: 4, until: 4000)])
    }

    @Test func manyNamesFromOneAddressEndInOneEntry() {
        var pending = PendingEntries()
        var ids: Int64 = 0
        for number in 1...1000 { pending.add(refusal("name\(number).cafenet", at: 1000 + Int64(number))) }
        let batch = takeAll(&pending, ids: &ids)
        #expect(batch.items.count == 17)
        #expect(batch.items.last?.entry.user == nil)
        #expect(batch.items.last?.entry.address == "10.0.0.1")
        #expect(takeAll(&pending, ids: &ids).grown.map(\.count) == [984])
    }

    @Test func manyAddressesEndInOneEntryToo() {
        var pending = PendingEntries()
        var ids: Int64 = 0
        for number in 1...5000 {
            pending.add(refusal("name.cafenet", "10.0.\(number / 250).\(number % 250)", at: 1000 + Int64(number)))
        }
        #expect(takeAll(&pending, ids: &ids).items.count == 513)
        #expect(takeAll(&pending, ids: &ids).grown.map(\.count) == [5000 - 512])
        // An hour later everything is told apart again.
        pending.add(refusal("name.cafenet", "10.1.0.1", at: 3_600_000))
        #expect(takeAll(&pending, ids: &ids).items.first?.entry.address == "10.1.0.1")
    }

    @Test func aDeviceThatReconnectsWithoutEndFillsNothing() {
        var pending = PendingEntries()
        var ids: Int64 = 0
        for number in 1...10_000 {
            pending.add(
                HistoryEntry(number.isMultiple(of: 2) ? .closed : .login, at: Int64(number) * 10) {
                    $0.device = "candy1.cafenet"
                    $0.user = "candy1.cafenet"
                    $0.address = "10.0.0.1"
                })
        }
        #expect(takeAll(&pending, ids: &ids).items.count == 24)
        #expect(takeAll(&pending, ids: &ids).grown.map(\.count) == [4989, 4989])
    }

    @Test func whenTooMuchWaitsOldConnectionsAreLeftOutAndChangesNever() {
        var limits = PendingEntries.Limits()
        limits.connections = 10
        var pending = PendingEntries(limits)
        for number in 1...100 {
            pending.add(entry(.login, number))
            pending.add(entry(.program, number))
        }
        let batch = pending.take(atMost: .max, now: 77)
        #expect(batch.items.count { $0.entry.kind == .program } == 100)
        #expect(batch.items.filter { $0.entry.kind == .login }.map(\.entry) == (91...100).map { entry(.login, $0) })
        let notices = batch.items.filter { $0.entry.kind == .server }.map(\.entry)
        #expect(notices.map(\.count) == [90])
        #expect(notices.first?.time == 77)
    }

    @Test func aBatchThatCouldNotBeStoredComesAgain() {
        var pending = PendingEntries()
        let entries = (1...9).map { entry($0.isMultiple(of: 2) ? .configuration : .closed, $0) }
        for entry in entries { pending.add(entry) }
        let batch = pending.take(atMost: 5, now: 0)
        pending.add(entry(.login, 10))
        pending.putBack(batch)
        #expect(pending.take(atMost: .max, now: 0).items.map(\.entry) == entries + [entry(.login, 10)])
    }

    @Test func everyEventIsInAnEntryOrCountedAsLeftOut() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            var limits = PendingEntries.Limits()
            limits.connections = Int.random(in: 1...20, using: &random)
            limits.logins = Int.random(in: 1...4, using: &random)
            limits.refusedNames = Int.random(in: 1...4, using: &random)
            limits.refused = Int.random(in: 1...8, using: &random)
            limits.open = Int.random(in: 8...40, using: &random)
            limits.window = 500
            var pending = PendingEntries(limits)
            var counts: [Int64: Int64] = [:]
            var nextID: Int64 = 0
            var added: Int64 = 0
            var time: Int64 = 0
            func take() {
                let batch = pending.take(atMost: Int.random(in: 1...15, using: &random), now: time)
                guard Int.random(in: 0..<4, using: &random) > 0 else { return pending.putBack(batch) }
                var ids: [Int64] = []
                for item in batch.items {
                    nextID += 1
                    ids.append(nextID)
                    counts[nextID] = item.entry.count
                }
                for growth in batch.grown { counts[growth.id] = growth.count }
                pending.stored(batch, ids: ids)
            }
            for _ in 0..<400 {
                time += Int64.random(in: 0...40, using: &random)
                if Int.random(in: 0..<4, using: &random) == 0 { take() }
                let kind = [HistoryKind.login, .closed, .refused, .refused, .program].randomElement(using: &random)
                added += 1
                pending.add(
                    HistoryEntry(kind ?? .login, at: time) {
                        $0.user = "user\(Int.random(in: 1...6, using: &random))"
                        $0.address = "10.0.0.\(Int.random(in: 1...4, using: &random))"
                    })
            }
            while pending.hasEntries || pending.hasGrown { take() }
            #expect(counts.values.reduce(0, +) == added)
        }
    }
}
