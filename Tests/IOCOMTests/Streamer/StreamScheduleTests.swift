import Testing

@testable import IOCOM

@Suite("Random schedules")
struct StreamScheduleTests {
    /// Both directions at once; who works, how long snapshots travel, how many merge and how much is moved is random.
    @Test("no schedule loses, repeats or changes a byte", arguments: 0..<60)
    func transfers(seed: Int) throws {
        var generator = SeededGenerator(seed: UInt64(seed))
        let rings = [2, 5, 257, 1025, 4096]
        let bench = try StreamBench(
            uploadRing: rings.randomElement(using: &generator) ?? 257,
            downloadRing: rings.randomElement(using: &generator) ?? 257, shared: seed % 4 == 0)
        let size = Int.random(in: 0...2_000, using: &generator)
        let uploader = try Uploader(bench, data: randomBytes(size, seed: UInt64(seed)))
        uploader.endsSeparately = Bool.random(using: &generator)
        let downloader = try Downloader(bench)
        let receiver = try Receiver(bench)
        let sender = try Sender(bench, source: randomBytes(2_000 - size, seed: UInt64(seed) + 99))
        let agents: [any StreamAgent] = [uploader, downloader, receiver, sender]
        var steps = 0
        while !agents.allSatisfy(\.isAtRest) && steps < 2_000_000 {
            steps += 1
            uploader.maxChunk = Int.random(in: 1...300, using: &generator)
            downloader.takeLimit = Int.random(in: 1...300, using: &generator)
            receiver.takeLimit = Int.random(in: 1...300, using: &generator)
            receiver.sinkDelay = Bool.random(using: &generator) ? 0 : Milliseconds.random(in: 0...50, using: &generator)
            sender.maxChunk = Int.random(in: 1...300, using: &generator)
            let agent = agents[Int.random(in: 0..<4, using: &generator)]
            _ = agent.step(bench)
            if Bool.random(using: &generator) || agent.isAtRest { agent.publish(bench) }
            bench.deliver(
                toDevice: Int.random(in: 0...2, using: &generator),
                toController: Int.random(in: 0...2, using: &generator))
            if steps % 8 == 0 { bench.now += 1 }
        }
        #expect(uploader.result == .completed && downloader.result == .completed)
        #expect(receiver.committed == [uploader.data] && downloader.data == sender.source)
        #expect(sender.finished == [.completed])
    }

    /// The same with an interruption at a random moment: nothing wrong is ever committed and everybody comes to rest.
    @Test("no interruption commits wrong data or leaves somebody waiting", arguments: 0..<60)
    func interruptions(seed: Int) throws {
        var generator = SeededGenerator(seed: UInt64(seed) + 5_000)
        let bench = try StreamBench(uploadRing: 64, downloadRing: 64, shared: false)
        let uploader = try Uploader(bench, data: randomBytes(500, seed: UInt64(seed)))
        let downloader = try Downloader(bench)
        let receiver = try Receiver(bench)
        let sender = try Sender(bench, source: randomBytes(500, seed: UInt64(seed) + 99))
        let agents: [any StreamAgent] = [uploader, downloader, receiver, sender]
        let moment = Int.random(in: 0..<150, using: &generator)
        for step in 0..<150 {
            let agent = agents[Int.random(in: 0..<4, using: &generator)]
            _ = agent.step(bench)
            agent.publish(bench)
            bench.deliver(
                toDevice: Int.random(in: 0...2, using: &generator),
                toController: Int.random(in: 0...2, using: &generator))
            bench.now += 1
            guard step == moment else { continue }
            switch Int.random(in: 0..<4, using: &generator) {
            case 0:
                uploader.machine.cancel()
                downloader.machine.cancel()
            case 1:
                receiver.machine.fail(.writeFailed)
                sender.machine.fail(.readFailed)
            case 2: bench.connected = false
            default:
                uploader.machine.close()
                downloader.machine.close()
                bench.publishController()
            }
        }
        #expect(run(bench, agents, limit: 30_000))
        #expect(receiver.committed.allSatisfy { $0 == uploader.data })
        #expect(uploader.result != .completed || receiver.committed.count == 1)
        #expect(downloader.result != .completed || downloader.data == sender.source)
        for direction in [StreamDirection.upload, .download] {
            #expect(try bench.devicePort(direction).value(.state) == 0)
            #expect(try bench.controllerPort(direction).value(.cmd) == 0)
        }
    }
}
