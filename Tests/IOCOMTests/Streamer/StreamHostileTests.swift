import Testing

@testable import IOCOM

@Suite("Hostile and mixed up peers")
struct StreamHostileTests {
    static let positions = [-1, Int(Int32.min), Int(Int32.max), 257, 258, 1 << 20]

    /// A receiver that holds 100 bytes of which 40 were taken and confirmed.
    private func receiving() throws -> (StreamBench, Receiver, StreamPort) {
        let bench = try StreamBench()
        let device = try Receiver(bench)
        let port = try bench.controllerPort(.upload)
        port.set(.head, 0)
        port.set(.select, 14)
        port.set(.cmd, 1)
        device.work(bench)
        port.markRing()
        device.takeLimit = 40
        device.sinkDelay = 1_000
        port.set(.head, 100)
        device.work(bench)
        bench.now += 1_000
        device.sinkDelay = 1_000_000
        device.work(bench)
        #expect(port.value(.tail) == 40 && device.sink.count == 80)
        return (bench, device, port)
    }

    @Test("heads outside the ring or moved backwards interrupt an upload", arguments: positions + [99, 41, 40, 39])
    func heads(position: Int) throws {
        let (bench, device, port) = try receiving()
        port.set(.head, position)
        device.work(bench)
        // 39 is what a writer reaches that fills the ring; 40 to 99 would take unread bytes back.
        let isLegal = position == 39
        #expect(device.abandoned == (isLegal ? [] : [.failed]))
        #expect(port.value(.state) == (isLegal ? 1 : 3))
        #expect(device.committed.isEmpty)
    }

    @Test("a ring that was never written, another block number and a second start interrupt an upload")
    func mixedWriters() throws {
        let changes: [(StreamPort, MemoryBlock) -> Void] = [
            { port, imp in imp.setByte(0, at: port.addresses[.buf]) },
            { port, _ in port.set(.select, 15) },
            { port, _ in port.set(.cmd, 0) },
            { port, _ in port.set(.cmd, 3) },
            { port, _ in port.set(.cmd, 77) },
        ]
        for change in changes {
            let (bench, device, port) = try receiving()
            change(port, bench.controllerImp)
            device.work(bench)
            #expect(device.abandoned == [.failed] && device.committed.isEmpty)
            #expect(port.status == .failed)
        }
    }

    @Test("after the end was announced nothing may change any more")
    func changedEnd() throws {
        let changes: [(StreamPort) -> Void] = [
            { $0.set(.cmd, 1) }, { $0.set(.head, 120) }, { $0.set(.cs, 5) }, { $0.set(.select, 1) },
        ]
        for change in changes {
            let (bench, device, port) = try receiving()
            port.set(.cs, 4)
            port.set(.cmd, 2)
            device.work(bench)
            #expect(device.abandoned.isEmpty)
            change(port)
            device.work(bench)
            #expect(device.abandoned == [.failed] && device.committed.isEmpty)
        }
    }

    @Test("a transfer does not begin in the middle, as after a restart of the device")
    func stale() throws {
        let bench = try StreamBench()
        let port = try bench.controllerPort(.upload)
        port.set(.head, 200)
        port.set(.cmd, 1)
        let device = try Receiver(bench)
        device.work(bench)
        #expect(device.selects.isEmpty && port.value(.state) == 0)
        port.set(.cmd, 2)
        port.set(.head, 0)
        device.work(bench)
        #expect(device.selects.isEmpty, "COMPLETED asks for nothing either")
    }

    @Test("a command that outlives its failed transfer does not start another")
    func rearming() throws {
        let bench = try StreamBench()
        let device = try Receiver(bench)
        let port = try bench.controllerPort(.upload)
        port.set(.cmd, 1)
        run(bench, [device], limit: 20_000)
        #expect(device.selects.count == 1 && device.abandoned == [.timeout] && port.status == .timeout)
        #expect(port.value(.state) == 0)
        port.set(.cmd, 0)
        device.work(bench)
        port.set(.cmd, 1)
        device.work(bench)
        #expect(device.selects.count == 2)
    }

    @Test(
        "after a controller that vanished the next one is served", arguments: [0, 40],
        [StreamDirection.upload, .download])
    func vanished(position: Int, direction: StreamDirection) throws {
        let bench = try StreamBench()
        let port = try bench.controllerPort(direction)
        let receiver = try Receiver(bench)
        let sender = try Sender(bench, source: randomBytes(5_000))
        port.set(.cmd, 1)
        receiver.work(bench)
        sender.work(bench)
        if direction == .upload { port.markRing() }
        port.set(direction == .upload ? .head : .tail, position)
        run(bench, [receiver, sender], limit: 20_000)
        #expect(port.value(.state) == 0 && port.value(.cmd) == 1)

        // The next controller's block does not know what the one that vanished wrote.
        let data = randomBytes(2_000)
        port.set(.cmd, 0)
        let before = bench.now
        let agents: [any StreamAgent]
        if direction == .upload {
            let next = try Uploader(bench, data: data)
            agents = [next, receiver]
            next.work(bench)
        } else {
            let next = try Downloader(bench)
            agents = [next, sender]
            next.work(bench)
        }
        #expect(port.value(.cmd) == 1, "the device sees no 0 in between")
        #expect(run(bench, agents, limit: 20_000))
        #expect(
            bench.now - before < (position == 0 ? 3_500 : 1_000), "asked again only when nothing shows a new transfer")
        if let next = agents[0] as? Uploader { #expect(next.result == .completed && receiver.committed == [data]) }
        if let next = agents[0] as? Downloader { #expect(next.result == .completed) }
    }

    @Test("a device that waits for a controller that vanished is freed by the next", arguments: [true, false])
    func freed(isUpload: Bool) throws {
        let bench = try StreamBench()
        let port = try bench.controllerPort(isUpload ? .upload : .download)
        let device: any StreamAgent = isUpload ? try Receiver(bench) : try Sender(bench, source: randomBytes(5_000))
        port.set(.cmd, 1)
        device.work(bench)
        port.set(.select, 77)
        run(bench, [device], limit: 1_000)
        #expect(port.value(.state) == 3)
        let before = bench.now
        let next: any StreamAgent = isUpload ? try Uploader(bench, data: randomBytes(2_000)) : try Downloader(bench)
        #expect(run(bench, [next, device], limit: 20_000))
        #expect(bench.now - before < 1_500)
        #expect((next as? Uploader)?.result == (isUpload ? .completed : nil))
        #expect((next as? Downloader)?.result == (isUpload ? nil : .completed))
    }

    @Test("tails outside the bytes sent end an upload for the controller", arguments: positions + [9, 101, 256])
    func uploadTails(position: Int) throws {
        let bench = try StreamBench()
        let controller = try Uploader(bench, data: randomBytes(1_000))
        controller.maxChunk = 100
        let port = try bench.devicePort(.upload)
        controller.work(bench)
        port.set(.tail, 0)
        port.set(.state, 1)
        _ = controller.step(bench)
        port.set(.tail, 10)
        _ = controller.step(bench)
        controller.isDry = true
        #expect(controller.machine.confirmedBytes == 10 && controller.machine.queuedBytes == 200)
        port.set(.tail, position)
        _ = controller.step(bench)
        let isLegal = position == 101
        #expect(port.value(.cmd) == (isLegal ? 1 : 3))
        port.set(.state, 0)
        controller.work(bench)
        #expect(controller.result == (isLegal ? .refused(.failed) : .protocolViolation))
        #expect(port.value(.cmd) == 0)
    }

    @Test("heads outside the ring or moved backwards end a download for the controller", arguments: positions + [99])
    func downloadHeads(position: Int) throws {
        let bench = try StreamBench()
        let controller = try Downloader(bench)
        let port = try bench.devicePort(.download)
        controller.work(bench)
        port.markRing()
        port.set(.head, 100)
        port.set(.state, 1)
        controller.takeLimit = 10
        _ = controller.step(bench)
        port.set(.head, position)
        controller.work(bench)
        port.set(.state, 0)
        controller.work(bench)
        #expect(controller.result == .protocolViolation && controller.data.count == 10)
    }

    @Test(
        "tails outside the bytes sent and another block number interrupt a download", arguments: positions + [9, 101])
    func downloadTails(position: Int) throws {
        let bench = try StreamBench()
        let device = try Sender(bench, source: randomBytes(1_000))
        device.ready = 100
        let port = try bench.controllerPort(.download)
        port.set(.select, 2)
        port.set(.cmd, 1)
        device.work(bench)
        port.set(.tail, 10)
        device.work(bench)
        #expect(device.machine.confirmedBytes == 10)
        if position == 9 { port.set(.select, 3) } else { port.set(.tail, position) }
        device.work(bench)
        #expect(device.finished == [.failed] && port.value(.state) == 3)
        port.set(.cmd, 0)
        device.work(bench)
        #expect(port.value(.state) == 0 && port.value(.head) == 0 && !device.machine.isActive)
    }

    @Test("a second controller is told at once that the device is busy")
    func busy() throws {
        let bench = try StreamBench(shared: false)
        let first = try Uploader(bench, data: randomBytes(5_000))
        let device = try Receiver(bench)
        device.sinkDelay = 500
        device.outcome = nil
        run(bench, [first, device], limit: 1_000)
        // The second has its own copy of conf_imp and sees the same conf_exp.
        let imp = makeBlock("conf_imp", size: bench.layout.controllerBlockSize)
        let port = try StreamPort(
            controllerBlock: imp, deviceBlock: bench.controllerExp, addresses: bench.layout.upload)
        var second = try UploadController(port: port, select: 14).unwrapped
        var action = second.turn(now: bench.now)
        #expect(action == .busy && !imp.hasUnpublishedChanges, "and writes nothing")
        run(bench, [first, device], limit: 30_000)
        #expect(first.result == .completed && port.status == .pending)
        action = second.turn(now: bench.now)
        #expect(action == .busy, "the result of the first must stay readable")
        device.machine.settle(.completed)
        bench.publishDevice()
        bench.deliver()
        action = second.turn(now: bench.now)
        #expect(action == .wait && port.value(.cmd) == 1)
        second.close()
        #expect(port.value(.cmd) == 0)
    }

    @Test("a download of a busy device is told at once")
    func busyDownload() throws {
        let bench = try StreamBench()
        try bench.devicePort(.download).set(.state, 1)
        let controller = try Downloader(bench)
        controller.work(bench)
        #expect(controller.isBusy && !bench.controllerImp.hasUnpublishedChanges)
        controller.machine.cancel()
        controller.work(bench)
        #expect(controller.result == .cancelled)
        controller.machine.close()
        #expect(!bench.controllerImp.hasUnpublishedChanges, "what was never begun is not withdrawn")
    }

    @Test("whatever the signals say, no machine traps or writes outside its own signals", arguments: 0..<12)
    func garbage(seed: Int) throws {
        var generator = SeededGenerator(seed: UInt64(seed) + 1000)
        let bench = try StreamBench(uploadRing: 17, downloadRing: 9)
        let agents: [any StreamAgent] = [
            try Uploader(bench, data: randomBytes(5_000)), try Downloader(bench), try Receiver(bench),
            try Sender(bench, source: randomBytes(5_000)),
        ]
        let own = [
            addresses(bench.layout.upload, ofController: true), addresses(bench.layout.download, ofController: true),
            addresses(bench.layout.upload, ofController: false), addresses(bench.layout.download, ofController: false),
        ]
        for _ in 0..<2_000 {
            let block = Bool.random(using: &generator) ? bench.controllerImp : bench.controllerExp
            let address = Int.random(in: 0..<block.size, using: &generator)
            let mask: UInt8 = [0xFF, 3, 15][Int.random(in: 0..<3, using: &generator)]
            block.setByte(UInt8.random(in: 0...255, using: &generator) & mask, at: address)
            let number = Int.random(in: 0..<4, using: &generator)
            let agent = agents[number]
            let imp = bench.controllerImp.content
            let exp = bench.controllerExp.content
            agent.work(bench)
            let changedImp = imp.indices.filter { imp[$0] != bench.controllerImp.byte(at: $0) }
            let changedExp = exp.indices.filter { exp[$0] != bench.controllerExp.byte(at: $0) }
            #expect((agent.isController ? changedExp : changedImp).isEmpty)
            #expect((agent.isController ? changedImp : changedExp).allSatisfy { own[number].contains($0) })
            bench.now += Milliseconds.random(in: 0...2_000, using: &generator)
        }
    }

    /// All addresses of the signals that one side writes.
    private func addresses(_ layout: StreamAddresses, ofController: Bool) -> Set<Int> {
        var result = Set<Int>()
        for i in 0..<StreamSignal.count {
            guard let signal = StreamSignal(rawValue: i), signal.isControllers(layout.direction) == ofController,
                let range = layout.range(of: signal)
            else { continue }
            result.formUnion(range.start..<range.end)
        }
        return result
    }
}
