import Testing

@testable import IOCOM

/// Writes down which signals each step changed, as `C cmd 1, select 14`.
private final class Tracer {
    let bench: StreamBench
    let port: StreamPort
    private(set) var lines: [String] = []
    private static let names: [(StreamSignal, String)] = [
        (.buf, "buf"), (.select, "select"), (.cs, "cs"), (.cmd, "cmd"), (.err, "err"), (.state, "state"),
        (.head, "head"), (.tail, "tail"),
    ]

    init(_ bench: StreamBench, _ direction: StreamDirection) throws {
        self.bench = bench
        port = try bench.controllerPort(direction)
    }

    func step(_ agent: any StreamAgent) {
        note(agent.isController ? "C" : "D") { _ = agent.step(bench) }
        agent.publish(bench)
    }

    func note(_ actor: String, _ body: () -> Void) {
        let before = Self.names.map { port.value($0.0) }
        body()
        let changes = zip(Self.names, before).compactMap { name, old in
            let value = port.value(name.0)
            guard value != old else { return nil as String? }
            let text = name.0 == .cs ? String(value, radix: 16, uppercase: true) : String(value)
            return "\(name.1) \(text)"
        }
        if !changes.isEmpty { lines.append("\(actor) \(changes.joined(separator: ", "))") }
    }
}

@Suite("Traces of the original (application-layer.md 2.9, 2.10)")
struct StreamTraceTests {
    private func upload(
        _ data: [UInt8], select: Int = 14, refusal: StreamStatus? = nil, outcome: StreamStatus? = .completed
    ) throws -> (trace: [String], result: UploadResult?, receiver: Receiver) {
        let bench = try StreamBench()
        let trace = try Tracer(bench, .upload)
        let controller = try Uploader(bench, select: select, data: data)
        controller.endsSeparately = true
        let device = try Receiver(bench)
        device.refusal = refusal
        device.outcome = outcome
        for _ in 0..<20 {
            trace.step(controller)
            trace.step(device)
            bench.now += 10
        }
        let again = controller.machine.turn(now: bench.now)
        #expect(again == .finished(try controller.result.unwrapped))
        trace.note("C") { controller.machine.close() }
        return (trace.lines, controller.result, device)
    }

    @Test("upload of HELLO to block 14")
    func hello() throws {
        let (trace, result, device) = try upload(Array("HELLO".utf8))
        #expect(
            trace == [
                "C select 14, cmd 1", "D state 1", "C head 5", "D tail 5", "C cs E165, cmd 2",
                "D err 6, state 0, tail 0", "C cmd 0", "C head 0",
            ])
        #expect(result == .completed)
        #expect(device.committed == [Array("HELLO".utf8)] && device.selects == [14])
    }

    @Test("upload of 300 bytes")
    func threeHundred() throws {
        let data = randomBytes(300)
        let (trace, result, device) = try upload(data)
        let checksum = String(CRC16.of(data), radix: 16, uppercase: true)
        #expect(
            trace == [
                "C select 14, cmd 1", "D state 1", "C head 256", "D tail 256", "C head 43", "D tail 43",
                "C cs \(checksum), cmd 2", "D err 6, state 0, tail 0", "C cmd 0", "C head 0",
            ])
        #expect(result == .completed && device.committed == [data])
    }

    @Test("upload of nothing")
    func nothing() throws {
        let (trace, result, device) = try upload([])
        #expect(
            trace == [
                "C select 14, cmd 1", "D state 1", "C cs FFFF, cmd 2", "D err 6, state 0", "C cmd 0",
            ])
        #expect(result == .completed && device.committed == [[]])
    }

    @Test("upload to a protected block")
    func protected() throws {
        let (trace, result, device) = try upload(randomBytes(100), select: 5, refusal: .noAccess)
        #expect(
            trace == [
                "C select 5, cmd 1", "D err 186, state 1", "C head 100", "D state 3", "C cmd 3", "D state 0",
                "C cmd 0", "C head 0",
            ])
        #expect(result == .refused(.noAccess) && device.committed.isEmpty)
    }

    @Test("upload of a program that the installer refuses later")
    func junk() throws {
        let (trace, result, device) = try upload(randomBytes(200), select: 1, outcome: nil)
        #expect(trace.suffix(3) == ["D err 4, state 0, tail 0", "C cmd 0", "C head 0"])
        #expect(result == .completed)
        #expect(device.machine.isActive)
        device.machine.settle(.installationFailed)
        #expect(device.machine.port.status == .installationFailed)
        #expect(!device.machine.isActive)
    }

    private func download(
        _ source: [UInt8], refusal: StreamStatus? = nil
    ) throws -> (trace: [String], downloader: Downloader, sender: Sender) {
        let bench = try StreamBench()
        let trace = try Tracer(bench, .download)
        let controller = try Downloader(bench)
        let device = try Sender(bench, source: source)
        device.refusal = refusal
        for _ in 0..<40 {
            trace.note("C") {
                // The original drains the ring and sees the end in one call.
                while controller.step(bench), !bench.controllerImp.hasUnpublishedChanges || !controller.isDone {}
            }
            controller.publish(bench)
            trace.step(device)
            bench.now += 10
        }
        trace.note("C") { controller.machine.close() }
        return (trace.lines, controller, device)
    }

    @Test("download of 300 bytes")
    func download300() throws {
        let source = randomBytes(300)
        let (trace, controller, device) = try download(source)
        let checksum = String(CRC16.of(source), radix: 16, uppercase: true)
        #expect(
            trace == [
                "C select 2, cmd 1", "D state 1, head 256", "C tail 256", "D cs \(checksum), state 2, head 43",
                "C cmd 0, tail 43", "D err 6, state 0, head 0", "C tail 0",
            ])
        #expect(controller.result == .completed && controller.data == source)
        #expect(device.finished == [.completed])
    }

    @Test("download of a protected block")
    func downloadProtected() throws {
        let (trace, controller, device) = try download([], refusal: .readFailed)
        #expect(trace == ["C select 2, cmd 1", "D err 140, state 1", "D state 3", "C cmd 0", "D state 0"])
        #expect(controller.result == .refused(.readFailed) && device.finished.isEmpty)
    }
}

extension Downloader {
    /// True once `cmd` went down.
    var isDone: Bool { machine.port.value(.cmd) == 0 }
}
