import Testing

@testable import IOCOM

@Suite("Interruptions in every step")
struct StreamInterruptionTests {
    enum Event: CaseIterable { case cancel, close, deviceFails, disconnect, stateBytesCleared }

    /// Lets controller and device work in turns until `steps` were made.
    private func alternate(_ bench: StreamBench, _ a: any StreamAgent, _ b: any StreamAgent, steps: Int) {
        for step in 0..<steps {
            let agent = step % 2 == 0 ? a : b
            _ = agent.step(bench)
            agent.publish(bench)
            bench.deliver()
        }
    }

    @Test(
        "uploads end on both sides, keep nothing half and leave the device ready", arguments: Event.allCases,
        [true, false])
    func uploads(event: Event, shared: Bool) throws {
        for steps in 0..<14 {
            let bench = try StreamBench(shared: shared)
            let data = randomBytes(600)
            let controller = try Uploader(bench, data: data)
            controller.endsSeparately = true
            let device = try Receiver(bench)
            alternate(bench, controller, device, steps: steps)
            switch event {
            case .cancel: controller.machine.cancel()
            case .close:
                controller.machine.close()
                bench.publishController()
            case .deviceFails: device.machine.fail(.writeFailed)
            case .disconnect: bench.connected = false
            case .stateBytesCleared:
                bench.deviceImp.setByte(0, at: 0)
                bench.controllerExp.setByte(0, at: 0)
            }
            let ended = run(bench, [controller, device], limit: 12_000)
            let isComplete = controller.result == .completed
            #expect(ended, "\(event) after \(steps) steps")
            #expect(device.committed.count == (isComplete || !device.committed.isEmpty ? 1 : 0))
            #expect(device.committed.allSatisfy { $0 == data })
            switch event {
            case .cancel, .close: #expect(isComplete || controller.result == .cancelled)
            case .deviceFails: #expect(isComplete || controller.result == .refused(.writeFailed))
            case .disconnect: #expect(isComplete || controller.result == .connectionGone)
            case .stateBytesCleared: #expect(isComplete || controller.result == .connectionGone)
            }
            if !isComplete && device.committed.isEmpty && event != .deviceFails && !device.selects.isEmpty {
                #expect(device.abandoned.count == 1, "\(event) after \(steps) steps")
            }
            try succeedsAgain(bench, device, closing: controller)
        }
    }

    private func succeedsAgain(_ bench: StreamBench, _ device: Receiver, closing controller: Uploader) throws {
        controller.machine.close()
        bench.publishController()
        try bench.devicePort(.upload).initializeDevice()
        bench.publishDevice()
        bench.reconnect()
        run(bench, [device], limit: 6_000)
        let data = randomBytes(300, seed: 77)
        let next = try Uploader(bench, data: data)
        let before = device.committed.count
        #expect(run(bench, [next, device], limit: 6_000))
        #expect(next.result == .completed && device.committed.count == before + 1 && device.committed.last == data)
    }

    @Test("downloads end on both sides and leave the device ready", arguments: Event.allCases, [true, false])
    func downloads(event: Event, shared: Bool) throws {
        for steps in 0..<14 {
            let bench = try StreamBench(shared: shared)
            let data = randomBytes(600)
            let controller = try Downloader(bench)
            let device = try Sender(bench, source: data)
            alternate(bench, controller, device, steps: steps)
            switch event {
            case .cancel: controller.machine.cancel()
            case .close:
                controller.machine.close()
                bench.publishController()
            case .deviceFails: device.machine.fail(.readFailed)
            case .disconnect: bench.connected = false
            case .stateBytesCleared:
                bench.deviceImp.setByte(0, at: bench.layout.download[.cmd])
                bench.controllerExp.setByte(0, at: bench.layout.download[.state])
            }
            #expect(run(bench, [controller, device], limit: 12_000), "\(event) after \(steps) steps")
            switch controller.result {
            case .completed: #expect(controller.data == data)
            case .cancelled: #expect(event == .cancel || event == .close)
            case .refused(let status): #expect(event == .deviceFails && status == .readFailed)
            case .connectionGone: #expect(event == .disconnect || event == .stateBytesCleared)
            default: Issue.record("\(String(describing: controller.result)) from \(event) after \(steps) steps")
            }
            controller.machine.close()
            bench.publishController()
            try bench.devicePort(.download).initializeDevice()
            bench.publishDevice()
            bench.reconnect()
            let next = try Downloader(bench)
            #expect(run(bench, [next, device], limit: 6_000))
            #expect(next.result == .completed && next.data == data)
        }
    }

    @Test(
        "RUNNING and INTERRUPT of a refusal leave in different snapshots",
        arguments: [StreamDirection.upload, .download])
    func refusalTrap(direction: StreamDirection) throws {
        let bench = try StreamBench(shared: false)
        let uploader = try Uploader(bench, data: randomBytes(10))
        let downloader = try Downloader(bench)
        let receiver = try Receiver(bench)
        let sender = try Sender(bench, source: [])
        receiver.refusal = .noAccess
        sender.refusal = .readFailed
        let controller: any StreamAgent = direction == .upload ? uploader : downloader
        let device: any StreamAgent = direction == .upload ? receiver : sender
        controller.work(bench)
        bench.deliver()
        device.work(bench)
        bench.deliver(toDevice: 0)
        let port = try bench.controllerPort(direction)
        #expect(port.value(.state) == 1, "everything the device does at once still shows RUNNING")
        #expect(port.status == (direction == .upload ? .noAccess : .readFailed))
        let started = bench.now
        #expect(run(bench, [controller, device]))
        #expect(bench.now - started < 1_000, "nobody waits for a time-out")
        #expect(uploader.result == (direction == .upload ? .refused(.noAccess) : nil))
        #expect(downloader.result == (direction == .download ? .refused(.readFailed) : nil))
    }

    @Test(
        "a refusal is understood even when RUNNING was lost on the way", arguments: [StreamDirection.upload, .download])
    func missedRunning(direction: StreamDirection) throws {
        let bench = try StreamBench()
        let uploader = try Uploader(bench, data: randomBytes(10))
        let downloader = try Downloader(bench)
        let controller: any StreamAgent = direction == .upload ? uploader : downloader
        controller.work(bench)
        let device = try bench.devicePort(direction)
        device.set(.err, 140)
        device.set(.state, StreamStep.interrupt)
        controller.work(bench)
        #expect(controller.isAtRest)
        #expect(uploader.result == (direction == .upload ? .refused(.readFailed) : nil))
        #expect(downloader.result == (direction == .download ? .refused(.readFailed) : nil))
    }

    @Test("changes that must be seen one after the other wait until they are published")
    func publishing() throws {
        let bench = try StreamBench()
        let port = try bench.controllerPort(.upload)
        var receiver = UploadReceiver(port: try bench.devicePort(.upload))
        port.set(.cmd, 1)
        bench.publishController()
        var action = receiver.turn(now: bench.now)
        #expect(action == .begin(select: 0))
        receiver.refuse(.noAccess)
        for _ in 0..<3 {
            action = receiver.turn(now: bench.now + 100_000)
            #expect(action == .publishAndTurn && port.value(.state) == 1)
        }
        bench.publishDevice()
        action = receiver.turn(now: bench.now + 100_000)
        #expect(action == .publishAndTurn && port.value(.state) == 3)
    }

    @Test("the last bytes are confirmed in a snapshot of their own before the end")
    func lastConfirmation() throws {
        let bench = try StreamBench()
        let controller = try Uploader(bench, data: randomBytes(100))
        var receiver = UploadReceiver(port: try bench.devicePort(.upload))
        controller.work(bench)
        _ = receiver.turn(now: bench.now)
        receiver.accept(now: bench.now)
        bench.publishDevice()
        controller.work(bench)
        var action = receiver.turn(now: bench.now)
        #expect(action == .data(100))
        let count = receiver.takeReadable { _ in }
        receiver.confirm(count, now: bench.now)
        action = receiver.turn(now: bench.now)
        #expect(action == .publishAndTurn)
        bench.publishDevice()
        controller.work(bench)
        #expect(controller.machine.confirmedBytes == 100)
        action = receiver.turn(now: bench.now)
        #expect(action == .finish)
    }

    @Test("a device that never shows RUNNING but gives a reason has refused")
    func unsupported() throws {
        let bench = try StreamBench()
        let controller = try Uploader(bench, select: 1, data: randomBytes(10))
        controller.work(bench)
        try bench.devicePort(.upload).set(.err, 120)
        let before = bench.now
        #expect(run(bench, [controller], limit: 6_000))
        #expect(controller.result == .refused(.notSupported) && bench.now - before < 3_000)
    }

    @Test("an old reason is not taken for a refusal")
    func oldReason() throws {
        let bench = try StreamBench()
        try bench.devicePort(.upload).set(.err, 204)
        let controller = try Uploader(bench, data: randomBytes(10))
        #expect(run(bench, [controller], limit: 9_000))
        #expect(controller.result == .timedOut)
    }
}
