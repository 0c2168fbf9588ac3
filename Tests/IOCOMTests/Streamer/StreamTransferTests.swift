import Testing

@testable import IOCOM

@Suite("Whole transfers between real machines")
struct StreamTransferTests {
    static let rings = [2, 257, 1025, 65536]
    static let sizes = [0, 1, 255, 256, 257, 512, 700, 5000, 100_000]

    @Test(
        "uploads of every size through every ring, over shared blocks and over copies", arguments: rings, [true, false])
    func uploads(ring: Int, shared: Bool) throws {
        for size in Self.sizes where ring > 2 || size <= 700 {
            for chunk in [Int.max, 100] {
                let bench = try StreamBench(uploadRing: ring, shared: shared)
                let data = randomBytes(size, seed: UInt64(size + ring))
                let controller = try Uploader(bench, data: data)
                controller.maxChunk = chunk
                let device = try Receiver(bench)
                #expect(run(bench, [controller, device]))
                #expect(controller.result == .completed)
                #expect(device.committed == [data], "size \(size), chunk \(chunk)")
                #expect(controller.machine.queuedBytes == UInt64(size) && device.abandoned.isEmpty)
                #expect(controller.machine.confirmedBytes <= UInt64(size))
                controller.machine.close()
                #expect(controller.machine.port.value(.cmd) == 0 && controller.machine.port.value(.head) == 0)
                var status = DelayedStatus(now: bench.now, times: .block)
                let action1 = status.turn(controller.machine.port, now: bench.now)
                #expect(action1 == .final(.completed))
            }
        }
    }

    @Test(
        "downloads of every size through every ring, also those that end at a chunk boundary", arguments: rings,
        [true, false])
    func downloads(ring: Int, shared: Bool) throws {
        for size in Self.sizes where ring > 2 || size <= 700 {
            for chunk in [Int.max, 100] {
                let bench = try StreamBench(downloadRing: ring, shared: shared)
                let data = randomBytes(size, seed: UInt64(size + ring))
                let controller = try Downloader(bench)
                controller.takeLimit = chunk
                let device = try Sender(bench, source: data)
                device.maxChunk = chunk
                #expect(run(bench, [controller, device]))
                #expect(controller.result == .completed && controller.data == data, "size \(size), chunk \(chunk)")
                #expect(device.finished == [.completed] && device.machine.port.status == .completed)
                #expect(controller.machine.confirmedBytes == UInt64(size))
            }
        }
    }

    @Test("one transfer after the other and both directions at once")
    func repeated() throws {
        let bench = try StreamBench(shared: false)
        let receiver = try Receiver(bench)
        let sender = try Sender(bench, source: randomBytes(3000, seed: 9))
        for round in 0..<5 {
            let data = randomBytes(1000 + round, seed: UInt64(round))
            let uploader = try Uploader(bench, select: 14 + round, data: data)
            let downloader = try Downloader(bench, select: 2 + round)
            #expect(run(bench, [uploader, receiver, downloader, sender]))
            uploader.machine.close()
            downloader.machine.close()
            bench.publishController()
            #expect(uploader.result == .completed && downloader.result == .completed)
            #expect(receiver.committed.last == data && downloader.data == sender.source)
        }
        #expect(receiver.selects == [14, 15, 16, 17, 18] && sender.selects == [2, 3, 4, 5, 6])
    }

    @Test("progress counts what the device confirmed, not what was queued")
    func progress() throws {
        let bench = try StreamBench(uploadRing: 1025)
        let controller = try Uploader(bench, data: randomBytes(5000))
        let device = try Receiver(bench)
        device.sinkDelay = 1_000
        device.takeLimit = 100
        run(bench, [controller, device], limit: 500)
        #expect(controller.machine.confirmedBytes == 0 && controller.machine.queuedBytes == 1024)
        run(bench, [controller, device], limit: 1_000)
        #expect(controller.machine.confirmedBytes == 100 && controller.machine.queuedBytes == 1124)
    }

    @Test("a bounded chunk spreads a large ring over several snapshots")
    func chunks() throws {
        let bench = try StreamBench(uploadRing: 65536)
        let controller = try Uploader(bench, data: randomBytes(50_000))
        controller.maxChunk = 8_000
        let device = try Receiver(bench)
        _ = controller.step(bench)
        bench.publishController()
        device.work(bench)
        for expected in [8_000, 16_000, 24_000] {
            _ = controller.step(bench)
            #expect(controller.machine.queuedBytes == UInt64(expected))
        }
    }

    @Test("a sink that takes 30 seconds for each piece is waited for")
    func slowSink() throws {
        let bench = try StreamBench(shared: false)
        let data = randomBytes(2_000)
        let controller = try Uploader(bench, data: data)
        let device = try Receiver(bench)
        device.sinkDelay = 30_000
        #expect(run(bench, [controller, device]))
        #expect(controller.result == .completed && device.committed == [data])
    }

    @Test("a sink that opens slowly is waited for by both sides")
    func slowOpening() throws {
        let bench = try StreamBench()
        let controller = try Uploader(bench, data: randomBytes(2_000))
        var receiver = UploadReceiver(port: try bench.devicePort(.upload))
        controller.work(bench)
        let action2 = receiver.turn(now: bench.now)
        #expect(action2 == .begin(select: 14))
        bench.publishDevice()
        for _ in 0..<300 {
            bench.now += 100
            controller.work(bench)
            let action3 = receiver.turn(now: bench.now)
            #expect(action3 == .wait)
        }
        receiver.accept(now: bench.now)
        let action4 = receiver.turn(now: bench.now)
        #expect(action4 == .data(256))
        #expect(controller.result == nil)
    }

    @Test("a source that has no bytes yet is not at its end")
    func slowSource() throws {
        let bench = try StreamBench(shared: false)
        let data = randomBytes(1_000)
        let controller = try Downloader(bench)
        let device = try Sender(bench, source: data)
        for ready in stride(from: 0, through: 1_000, by: 100) {
            device.ready = ready
            #expect(!run(bench, [controller, device], limit: ready == 1_000 ? 0 : 4_000))
        }
        device.ready = .max
        #expect(run(bench, [controller, device]))
        #expect(controller.result == .completed && controller.data == data)
    }

    @Test("damage in the ring is a checksum error for the device and is never committed")
    func damagedUpload() throws {
        let bench = try StreamBench()
        let controller = try Uploader(bench, data: randomBytes(200))
        let device = try Receiver(bench)
        for _ in 0..<2 {
            controller.work(bench)
            if controller.machine.queuedBytes == 0 { device.work(bench) }
        }
        let byte = bench.controllerImp.byte(at: 50)
        bench.controllerImp.setByte(byte ^ 0x10, at: 50)
        #expect(run(bench, [controller, device]))
        #expect(device.committed.isEmpty && device.abandoned == [.checksumMismatch])
        #expect(controller.result == .completed, "that is all the signals say at this point")
        var status = DelayedStatus(now: bench.now, times: .block)
        let action5 = status.turn(controller.machine.port, now: bench.now)
        #expect(action5 == .final(.checksumMismatch))
    }

    @Test("damage in the ring is a checksum error for the controller")
    func damagedDownload() throws {
        let bench = try StreamBench()
        let controller = try Downloader(bench)
        let device = try Sender(bench, source: randomBytes(200))
        controller.work(bench)
        device.work(bench)
        bench.controllerExp.setByte(bench.controllerExp.byte(at: 50) ^ 1, at: 50)
        #expect(run(bench, [controller, device]))
        #expect(controller.result == .checksumMismatch)
    }

    @Test("the checksum is of the bytes the sink got, even if the ring changes before they are confirmed")
    func changedAfterTaking() throws {
        let bench = try StreamBench()
        let controller = try Uploader(bench, data: randomBytes(100))
        let device = try Receiver(bench)
        device.sinkDelay = 100
        controller.work(bench)
        device.work(bench)
        controller.work(bench)
        device.work(bench)
        #expect(device.sink.count == 100)
        bench.controllerImp.setByte(bench.controllerImp.byte(at: 50) ^ 1, at: 50)
        #expect(run(bench, [controller, device]))
        #expect(device.committed == [controller.data])
    }
}
