import IOCOM
import IOCOMTestSupport
import Testing

/// Two ends of a serial line in time that is counted: a byte takes as long as at 115,200 baud, and each end needs some time
/// to act on what came.
private final class TimedLine {
    private struct Way {
        /// When each byte is at the other end, µs.
        var travelling: [(at: Int, byte: UInt8)] = []
        var freeAt = 0
        var sent = 0
    }

    let couple: Couple
    /// One byte in so many is changed; 0 for none.
    var corrupts = 0
    private(set) var failures = 0
    private let latency: Int
    private let microsecondsPerByte = 87
    private var now = 0
    private var up = Way()
    private var down = Way()
    private var random = Seeded(4)
    /// Turns both ends' machines after something came or time passed.
    var turn: (Milliseconds) -> Void = { _ in }

    init(_ couple: Couple, latency: Int) {
        self.couple = couple
        self.latency = latency
    }

    var milliseconds: Milliseconds { Milliseconds(now / 1000) }
    var bytesDown: Int { down.sent }

    /// Lets half a millisecond pass.
    func step() {
        now += 500
        deliver(&up, to: couple.listener)
        deliver(&down, to: couple.client)
        for end in [couple.client, couple.listener] {
            do { _ = try end.tick(now: milliseconds) } catch { fail(end) }
        }
        turn(milliseconds)
        send(couple.client, &up)
        send(couple.listener, &down)
    }

    private func send(_ end: End, _ way: inout Way) {
        for byte in end.produce(now: milliseconds) {
            way.freeAt = max(way.freeAt, now) + microsecondsPerByte
            way.sent += 1
            let spoilt = corrupts > 0 && random.oneIn(corrupts)
            way.travelling.append((way.freeAt + latency, spoilt ? byte ^ 1 << UInt8(random.below(8)) : byte))
        }
    }

    private func deliver(_ way: inout Way, to end: End) {
        let count = way.travelling.prefix { $0.at <= now }.count
        guard count > 0 else { return }
        let bytes = way.travelling.prefix(count).map(\.byte)
        way.travelling.removeFirst(count)
        do { try end.receive(bytes, now: milliseconds) } catch { fail(end) }
    }

    private func fail(_ end: End) {
        failures += 1
        end.forgetUnread()
        end.machine.restart(holdingBlocks: true, now: milliseconds)
    }
}

@Suite struct SerialRateTests {
    private struct Outcome {
        var bytes: [UInt8] = []
        var seconds = 0.0
        var failures = 0
        var result: UploadResult?
        var status: StreamStatus?
    }

    /// Uploads `data` through a ring of 1 KiB, as a device and an operator do it.
    private func upload(_ data: [UInt8], latency: Int, corrupts: Int = 0) throws -> Outcome {
        let streams = try StandardStreams(uploadRing: 1024, downloadRing: 1024)
        func blocks() -> [MemoryBlock] {
            [
                MemoryBlock(.gina("conf_exp"), .up, size: streams.deviceBlockSize),
                MemoryBlock(.gina("conf_imp"), .down, size: streams.controllerBlockSize),
            ]
        }
        let device = End(.device(frame: 96, layout: .serial), blocks: blocks())
        let server = End(.server(layout: .serial), blocks: blocks())
        let line = TimedLine(Couple(client: device, listener: server), latency: latency)
        let (own, controls) = (device.blocks, server.blocks)
        var receiver = UploadReceiver(
            port: try StreamPort(controllerBlock: own[1], deviceBlock: own[0], addresses: streams.upload))
        let port = try StreamPort(controllerBlock: controls[1], deviceBlock: controls[0], addresses: streams.upload)
        var controller = try #require(UploadController(port: port, select: 20))
        receiver.port.initializeDevice()
        own[0].publish()
        while !port.isConnected(.state) && line.milliseconds < 5_000 { line.step() }
        line.corrupts = corrupts
        let start = line.milliseconds
        var outcome = Outcome()
        var offset = 0
        line.turn = { now in
            receiving: while own[0].isDrained || !receiver.isActive {
                switch receiver.turn(now: now, connected: own[1].isFed) {
                case .begin: receiver.accept(now: now)
                case .data:
                    let count = receiver.takeReadable { span in
                        span.withUnsafeBytes { outcome.bytes.append(contentsOf: $0) }
                    }
                    receiver.confirm(count, now: now)
                case .finish: receiver.settle(.completed)
                case .publishAndTurn, .idle, .wait: break receiving
                case .abandon(let status):
                    outcome.status = status
                    break receiving
                }
            }
            own[0].publish()
            sending: while controls[1].isDrained, outcome.result == nil {
                switch controller.turn(now: now, connected: controls[0].isFed) {
                case .send:
                    let part = data[offset...]
                    let taken = Array(part).withUnsafeBytes {
                        controller.offer(
                            RawSpan(_unsafeBytes: $0), ended: true, maxChunk: 512, now: now)
                    }
                    offset += taken
                    controls[1].publish()
                case .finished(let result): outcome.result = result
                case .busy, .wait, .publishAndTurn: break sending
                }
            }
            controls[1].publish()
        }
        while outcome.result == nil, line.milliseconds < 120_000 { line.step() }
        outcome.seconds = Double(line.milliseconds - start) / 1000
        outcome.failures = line.failures
        return outcome
    }

    @Test(arguments: [0, 2_000, 4_000])
    func `An upload through a ring of 1 KiB uses four fifths of the line, also when the ends take some ms to answer`(
        _ latency: Int
    ) throws {
        let data = Seeded(9).data(49_152)
        let outcome = try upload(data, latency: latency)
        #expect(outcome.result == .completed && outcome.bytes == data)
        let share = Double(data.count) / outcome.seconds / 11_520
        print("serial line, answers after \(latency / 1000) ms: \(Int(share * 100)) % of the line rate")
        #expect(share >= 0.8)
    }

    @Test(arguments: [10_000, 4_000]) func `An upload over a line that changes bytes ends with the right bytes`(
        _ corrupts: Int
    ) throws {
        let data = Seeded(10).data(49_152)
        let outcome = try upload(data, latency: 1_000, corrupts: corrupts)
        #expect(outcome.result == .completed && outcome.bytes == data && outcome.status == nil)
        #expect(outcome.failures > 0)
        print("one byte in \(corrupts) changed: \(outcome.failures) failures, \(Int(outcome.seconds)) s")
    }
}

@Suite struct SerialTwoWayTests {
    /// An operator at a server: both write into a block that flows down, and each has bytes of its own there.
    @Test(arguments: [0, 2_000, 600] as [Int])
    func `What both ends write into a two-way block arrives over a line that changes bytes`(_ corrupts: Int) throws {
        let flags: BlockFlags = [.down, .bidirectional]
        let server = End(
            .server(layout: .serial),
            blocks: [MemoryBlock(.gina("imp"), flags, size: 64), MemoryBlock(.gina("exp"), [.up], size: 32)])
        let ui = End(.operating(layout: .serial))
        ui.createsBlocks = true
        let line = TimedLine(Couple(client: ui, listener: server), latency: 1_000)
        let theirs = server.blocks[0]
        while ui.block("imp") == nil || ui.block("exp") == nil, line.milliseconds < 5_000 { line.step() }
        let ours = try #require(ui.block("imp"))
        for _ in 0..<100 { line.step() }
        line.corrupts = corrupts
        var random = Seeded(UInt64(corrupts + 1))
        var round = 0
        line.turn = { _ in
            guard round < 300, random.oneIn(20) else { return }
            round += 1
            ours.setUnsigned(UInt64(round), at: random.below(4) * 4, width: 4)
            ours.publish()
            theirs.setUnsigned(UInt64(round), at: 32 + random.below(4) * 4, width: 4)
            theirs.publish()
        }
        while round < 300, line.milliseconds < 120_000 { line.step() }
        line.corrupts = 0
        for _ in 0..<3_000 { line.step() }
        #expect(round == 300 && (corrupts == 0) == (line.failures == 0))
        #expect(ours.contents == theirs.contents)
        print("two-way block, one byte in \(corrupts) changed: \(line.failures) failures")
    }
}

extension Seeded {
    fileprivate func data(_ count: Int) -> [UInt8] {
        var copy = self
        return copy.bytes(count)
    }
}
