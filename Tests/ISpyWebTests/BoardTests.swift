import Testing
import UpdateTesting

@testable import ISpyWeb

struct BoardTests {
    @Test func `Who looks gets everything first, then what changed, however often it changed`() async throws {
        let board = Board<Int>()
        board.set("a", 1)
        board.set("b", 2)
        let first = try #require(await board.changes(after: nil))
        #expect(first.isComplete && first.set == [1, 2])
        board.set("b", 3)
        board.update("b") { $0 += 1 }
        board.set("c", 5)
        board.remove("a")
        let second = try #require(await board.changes(after: first.revision))
        #expect(!second.isComplete && second.set == [4, 5] && second.removed == ["a"])
        board.update("nobody") { $0 = 1 }
        board.remove("nobody")
        let third = try #require(await board.changes(after: second.revision))
        #expect(third.set.isEmpty && third.removed.isEmpty)
    }

    @Test func `Who is too far behind gets everything`() async throws {
        let board = Board<Int>()
        let first = try #require(await board.changes(after: nil))
        for number in 0..<3_000 {
            board.set("\(number)", number)
            if number % 2 == 0 { board.remove("\(number)") }
        }
        let changes = try #require(await board.changes(after: first.revision))
        #expect(changes.isComplete && changes.set.count == 1_500 && changes.set.first == 1)
    }

    @Test func `A change wakes who waits, and cancelling ends the wait`() async {
        let board = Board<Int>()
        let revision = await board.changes(after: nil)?.revision
        async let waiting = board.changes(after: revision)
        board.set("a", 1)
        #expect(await waiting?.set == [1])
        let now = await board.changes(after: nil)?.revision
        let task = Task { await board.changes(after: now)?.set }
        task.cancel()
        #expect(await task.value == nil)
    }
}

struct FeedTests {
    @Test func `A source waits until its event was taken, others do not`() async {
        let feed = Feed()
        #expect(await feed.put("a", "a1"))
        #expect(await feed.put("b", "b1"))
        let second = Task { await feed.put("a", "a2") }
        #expect(await feed.take() == ["a1", "b1"])
        #expect(await second.value)
        #expect(await feed.take() == ["a2"])
        let taker = Task { await feed.take() }
        #expect(await feed.put("c", "c1"))
        #expect(await taker.value == ["c1"])
    }

    @Test func `At the end nobody waits any more`() async {
        let feed = Feed()
        #expect(await feed.put("a", "a1"))
        let putter = Task { await feed.put("a", "a2") }
        let idle = Feed()
        let taker = Task { await idle.take() }
        idle.end()
        #expect(await taker.value == [])
        feed.end()
        #expect(await putter.value == false)
        #expect(await feed.put("b", "b1") == false)
        // What was handed over is still taken.
        #expect(await feed.take() == ["a1"])
        #expect(await feed.take() == [])
    }
}

struct JobHistoryTests {
    @Test func `Ended jobs are there again, others are not`() throws {
        let folder = try TemporaryFolder()
        let history = JobHistory(path: folder.path + "/jobs.json")
        #expect(history.load().isEmpty)
        var ended = Job("7", .write, connection: "1", server: "tls://frank:6369", device: "candy3.cafenet")
        ended.package = "iocafe-candy-261124-1200-esp32-espcam.bin"
        ended.progress("proving", 400)
        ended.say("Setting up")
        ended.end(.rolledBack, "its self-test failed")
        ended.end(.confirmed, "the first end counts")
        var running = Job("8", .rollback, connection: "1", server: "tls://frank:6369", device: "candy3.cafenet")
        running.progress("restarting", 0)
        history.save([ended, running])
        let loaded = try #require(history.load().first)
        #expect(history.load().count == 1 && loaded.connection == "")
        #expect(
            loaded.result == .rolledBack && loaded.reason == "its self-test failed" && loaded.text == ["Setting up"])
        #expect(loaded.started == ended.started && loaded.ended == ended.ended && loaded.package == ended.package)
        // What is damaged is no history.
        for (index, text) in ["", "[]", "{\"jobs\": [1, {\"id\": \"x\"}, {}]}", String(repeating: "[", count: 10_000)]
            .enumerated()
        {
            let damaged = JobHistory(path: try folder.write("damaged\(index).json", Array(text.utf8)))
            #expect(damaged.load().isEmpty, "\(text.prefix(20))")
        }
    }
}
