import Testing

@testable import IOCOM

@Suite("Time-outs of the streamer")
struct StreamTimeTests {
    @Test("a device that does not answer is asked again, then given up after 5 s, and told so")
    func noAnswer() throws {
        let bench = try StreamBench()
        let start = bench.now
        var controller = try UploadController(port: bench.controllerPort(.upload), select: 14).unwrapped
        var action = controller.turn(now: bench.now)
        #expect(action == .wait && controller.deadline == start + 2_500)
        action = controller.turn(now: start + 2_499)
        #expect(action == .wait && controller.port.value(.cmd) == 1)
        action = controller.turn(now: start + 2_500)
        #expect(action == .publishAndTurn && controller.port.value(.cmd) == 0, "withdrawn, to ask again")
        #expect(controller.deadline == start + 2_700)
        action = controller.turn(now: start + 2_700)
        #expect(action == .wait && controller.port.value(.cmd) == 1 && controller.deadline == start + 7_700)
        action = controller.turn(now: start + 7_699)
        #expect(action == .wait)
        action = controller.turn(now: start + 7_700)
        #expect(action == .publishAndTurn && controller.port.value(.cmd) == 3)
        action = controller.turn(now: start + 7_700)
        #expect(action == .finished(.timedOut) && controller.port.value(.cmd) == 0)
        #expect(controller.deadline == nil)
    }

    @Test("a download without answer or data is given up after 5 s")
    func noData() throws {
        for answers in [false, true] {
            let bench = try StreamBench()
            let controller = try Downloader(bench)
            controller.work(bench)
            let start = bench.now
            if answers { try bench.devicePort(.download).set(.state, 1) }
            controller.work(bench)
            #expect(controller.machine.deadline == start + (answers ? 5_000 : 2_500))
            for time: Milliseconds in answers ? [4_999] : [2_500, 2_700, 7_699] {
                bench.now = start + time
                controller.work(bench)
            }
            #expect(controller.machine.port.value(.cmd) == 1)
            bench.now += 1
            controller.work(bench)
            #expect(controller.machine.port.value(.cmd) == 0)
            bench.now += answers ? 5_000 : 0
            controller.work(bench)
            #expect(controller.result == .timedOut)
        }
    }

    @Test("an operator whose source dries up is given up after 5 s by both")
    func dry() throws {
        let bench = try StreamBench()
        let controller = try Uploader(bench, data: randomBytes(100))
        controller.isDry = true
        let device = try Receiver(bench)
        let start = bench.now
        #expect(run(bench, [controller, device], limit: 20_000))
        #expect(controller.result == .refused(.timeout), "the device's 5 s began first")
        #expect(bench.now - start < 5_200)
        #expect(device.committed.isEmpty && device.abandoned.count == 1)
    }

    @Test("a device that takes nothing for a minute is given up, even while data waits")
    func stall() throws {
        for size in [100, 10_000] {
            let bench = try StreamBench()
            let controller = try Uploader(bench, data: randomBytes(size))
            controller.work(bench)
            try bench.devicePort(.upload).set(.state, 1)
            controller.work(bench)
            let start = bench.now
            #expect(controller.machine.deadline == start + 60_000)
            #expect(!run(bench, [controller], limit: 59_990))
            #expect(controller.machine.port.value(.cmd) == (size == 100 ? 2 : 1))
            #expect(run(bench, [controller], limit: 6_000))
            #expect(controller.result == .timedOut)
        }
    }

    @Test("a device that takes a little now and then is waited for")
    func slowProgress() throws {
        let bench = try StreamBench()
        let controller = try Uploader(bench, data: randomBytes(256))
        let device = try Receiver(bench)
        device.takeLimit = 50
        device.sinkDelay = 40_000
        #expect(run(bench, [controller, device]))
        #expect(controller.result == .completed && device.committed == [controller.data])
    }

    @Test("a controller that takes a little now and then is waited for")
    func slowReading() throws {
        let bench = try StreamBench()
        let device = try Sender(bench, source: randomBytes(1_000))
        let port = try bench.controllerPort(.download)
        port.set(.cmd, 1)
        for tail in stride(from: 0, to: 1_000, by: 50) {
            device.work(bench)
            bench.now += 4_900
            port.set(.tail, tail % 257)
        }
        device.work(bench)
        #expect(device.finished.isEmpty && device.machine.confirmedBytes == 950)
        #expect(port.value(.state) == 2)
    }

    @Test("a device that got nothing for 5 s interrupts with a time-out")
    func receiverIdle() throws {
        let bench = try StreamBench()
        let device = try Receiver(bench)
        let port = try bench.controllerPort(.upload)
        port.set(.cmd, 1)
        device.work(bench)
        let deadline = try device.machine.deadline.unwrapped
        #expect(deadline == bench.now + 5_000)
        bench.now = deadline - 1
        device.work(bench)
        #expect(port.status == .none)
        bench.now = deadline
        device.work(bench)
        #expect(port.status == .timeout && device.abandoned == [.timeout])
        #expect(port.value(.state) == 3, "5 s are long enough to have shown RUNNING")
        bench.now += 4_999
        device.work(bench)
        #expect(port.value(.state) == 3)
        bench.now += 1
        device.work(bench)
        #expect(port.value(.state) == 0)
    }

    @Test("a controller that reads nothing for 5 s while the ring is full is a time-out for the device")
    func senderFull() throws {
        let bench = try StreamBench()
        let device = try Sender(bench, source: randomBytes(1_000))
        let port = try bench.controllerPort(.download)
        port.set(.cmd, 1)
        device.work(bench)
        #expect(device.machine.deadline == bench.now + 5_000)
        bench.now += 4_999
        device.work(bench)
        #expect(device.finished.isEmpty)
        bench.now += 1
        device.work(bench)
        #expect(device.finished == [.timeout] && port.status == .timeout)
        run(bench, [device], limit: 10_000)
        #expect(port.value(.state) == 0, "after 5 s more, although cmd stays")
        bench.now += 10_000
        device.work(bench)
        #expect(device.selects.count == 1, "and does not begin again")
    }

    @Test("a download whose end nobody acknowledges ends after 5 s and does not start again")
    func senderDone() throws {
        let bench = try StreamBench()
        let device = try Sender(bench, source: randomBytes(100))
        let port = try bench.controllerPort(.download)
        port.set(.cmd, 1)
        device.work(bench)
        #expect(port.value(.state) == 2 && device.machine.deadline == bench.now + 5_000)
        bench.now += 5_000
        device.work(bench)
        #expect(device.finished == [.timeout] && port.value(.state) == 0 && device.selects.count == 1)
    }

    @Test("the outcome is waited for, longer while it is pending and longest for programs")
    func delayed() throws {
        let bench = try StreamBench()
        let port = try bench.controllerPort(.upload)
        for (select, none, pending) in [(14, 2_000, 60_000), (1, 60_000, 300_000)] as [(Int, Int64, Int64)] {
            port.set(.err, 0)
            var status = DelayedStatus(now: 0, times: .forBlock(select))
            var action = status.turn(port, now: none - 1)
            #expect(action == .wait && status.deadline == none)
            var other = status
            action = other.turn(port, now: none)
            #expect(action == .unknown(lastSeen: .none))
            port.set(.err, 4)
            action = status.turn(port, now: none - 1)
            #expect(action == .wait && status.deadline == pending)
            action = status.turn(port, now: pending - 1, connected: false)
            #expect(action == .connectionGone(lastSeen: .pending))
            port.set(.err, 0)
            action = status.turn(port, now: pending - 1)
            #expect(action == .wait)
            other = status
            action = other.turn(port, now: pending)
            #expect(action == .unknown(lastSeen: .pending))
            port.set(.err, 168)
            action = status.turn(port, now: pending - 1)
            #expect(action == .final(.installationFailed))
        }
    }

    @Test("a result that is not valid counts as none")
    func invalid() throws {
        let bench = try StreamBench()
        let port = try bench.controllerPort(.upload)
        port.set(.err, 6)
        bench.controllerExp.setByte(0, at: 2)
        var status = DelayedStatus(now: 0, times: .block)
        let action = status.turn(port, now: 1)
        #expect(action == .wait)
    }

    @Test("deadlines and snapshots alone carry every transfer to its end", arguments: 0..<8)
    func deadlines(scenario: Int) throws {
        let bench = try StreamBench(shared: false)
        let uploader = try Uploader(bench, data: randomBytes(1_000))
        let downloader = try Downloader(bench)
        let receiver = try Receiver(bench)
        let sender = try Sender(bench, source: randomBytes(1_000))
        var agents: [any StreamAgent] = [uploader, downloader, receiver, sender]
        var expected = (UploadResult.completed, DownloadResult.completed)
        switch scenario {
        case 0: break
        case 1:
            receiver.refusal = .noAccess
            sender.refusal = .readFailed
            expected = (.refused(.noAccess), .refused(.readFailed))
        case 2:
            uploader.isDry = true
            sender.ready = 300
            expected = (.refused(.timeout), .timedOut)
        case 3:
            receiver.sinkDelay = 20_000
        case 4:
            receiver.sinkDelay = 100_000
            expected.0 = .timedOut
        case 5:
            agents = [uploader, downloader]
            expected = (.timedOut, .timedOut)
        case 6:
            agents = [receiver, sender]
            uploader.work(bench)
            downloader.work(bench)
        default:
            bench.connected = false
            expected = (.connectionGone, .connectionGone)
        }
        #expect(runByEvents(bench, agents))
        if scenario == 6 {
            #expect(receiver.abandoned == [.timeout] && sender.finished == [.timeout])
        } else {
            #expect(uploader.result == expected.0 && downloader.result == expected.1)
        }
    }
}
