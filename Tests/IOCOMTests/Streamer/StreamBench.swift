import IOCOM

/// Repeatable random numbers (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

func randomBytes(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
    var generator = SeededGenerator(seed: seed)
    return (0..<count).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
}

func makeBlock(_ name: BlockName, size: Int) -> MemoryBlock {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 8)
    buffer.initializeMemory(as: UInt8.self, repeating: 0)
    let path = BlockPath(block: name, device: DevicePath(name: "candy", number: 1, network: "cafenet"))
    return MemoryBlock(path: path, flags: [], memory: LentMemory(buffer) { $0.deallocate() })
}

extension MemoryBlock {
    var content: [UInt8] { withBytes { span in span.withUnsafeBytes { Array($0) } } }
}

/// A controller's and a device's blocks: the same ones, or copies with snapshots on their way between them.
final class StreamBench {
    let layout: StandardStreams
    /// `conf_imp` and `conf_exp` at the controller.
    let controllerImp, controllerExp: MemoryBlock
    /// The same at the device.
    let deviceImp, deviceExp: MemoryBlock
    let isShared: Bool
    var now: Milliseconds = 1_000
    var connected = true
    private var toDevice: [[UInt8]] = []
    private var toController: [[UInt8]] = []

    init(uploadRing: Int = 257, downloadRing: Int = 257, shared: Bool = true) throws {
        layout = try StandardStreams(uploadRing: uploadRing, downloadRing: downloadRing)
        isShared = shared
        controllerImp = makeBlock("conf_imp", size: layout.controllerBlockSize)
        controllerExp = makeBlock("conf_exp", size: layout.deviceBlockSize)
        deviceImp = shared ? controllerImp : makeBlock("conf_imp", size: layout.controllerBlockSize)
        deviceExp = shared ? controllerExp : makeBlock("conf_exp", size: layout.deviceBlockSize)
        for direction in [StreamDirection.upload, .download] { try devicePort(direction).initializeDevice() }
        publishDevice()
        deliver()
    }

    func controllerPort(_ direction: StreamDirection) throws -> StreamPort {
        try StreamPort(
            controllerBlock: controllerImp, deviceBlock: controllerExp,
            addresses: direction == .upload ? layout.upload : layout.download)
    }

    func devicePort(_ direction: StreamDirection) throws -> StreamPort {
        try StreamPort(
            controllerBlock: deviceImp, deviceBlock: deviceExp,
            addresses: direction == .upload ? layout.upload : layout.download)
    }

    func publishController() {
        guard controllerImp.hasUnpublishedChanges else { return }
        controllerImp.publish()
        if !isShared { toDevice.append(controllerImp.content) }
    }

    func publishDevice() {
        guard deviceExp.hasUnpublishedChanges else { return }
        deviceExp.publish()
        if !isShared { toController.append(deviceExp.content) }
    }

    /// A new connection: both sides send their whole block.
    func reconnect() {
        deliver()
        connected = true
        guard !isShared else { return }
        let imp = controllerImp.content
        deviceImp.write(imp.span.bytes, at: 0)
        deviceImp.publish()
        let exp = deviceExp.content
        controllerExp.write(exp.span.bytes, at: 0)
        controllerExp.publish()
    }

    var isQuiet: Bool { toDevice.isEmpty && toController.isEmpty }

    /// Lets snapshots arrive; several at once are seen as one.
    func deliver(toDevice devices: Int = .max, toController controllers: Int = .max) {
        for _ in 0..<min(devices, toDevice.count) {
            let snapshot = toDevice.removeFirst()
            deviceImp.write(snapshot.span.bytes, at: 0)
            deviceImp.publish()
        }
        for _ in 0..<min(controllers, toController.count) {
            let snapshot = toController.removeFirst()
            controllerExp.write(snapshot.span.bytes, at: 0)
            controllerExp.publish()
        }
    }
}

/// An application around one of the machines.
protocol StreamAgent: AnyObject {
    /// One call of `turn` and what it asks for; true when another call is due at once.
    func step(_ bench: StreamBench) -> Bool
    var isController: Bool { get }
    var isAtRest: Bool { get }
    /// When to step again without an event.
    var deadline: Milliseconds? { get }
}

extension StreamAgent {
    func publish(_ bench: StreamBench) {
        if isController { bench.publishController() } else { bench.publishDevice() }
    }

    /// Steps until there is nothing to do, publishing after each.
    func work(_ bench: StreamBench) {
        var count = 0
        while step(bench) && count < 100_000 {
            publish(bench)
            count += 1
        }
        publish(bench)
    }
}

final class Uploader: StreamAgent {
    var machine: UploadController
    let data: [UInt8]
    var maxChunk = Int.max
    /// "End" in a call of its own, as the original does.
    var endsSeparately = false
    var isBusy = false
    /// No bytes and no end.
    var isDry = false
    private(set) var offset = 0
    private(set) var result: UploadResult?

    init(_ bench: StreamBench, select: Int = 14, data: [UInt8]) throws {
        machine = try UploadController(port: bench.controllerPort(.upload), select: select).unwrapped
        self.data = data
    }

    var isController: Bool { true }
    var isAtRest: Bool { result != nil }
    var deadline: Milliseconds? { machine.deadline }

    func step(_ bench: StreamBench) -> Bool {
        if result != nil { return false }
        let action = machine.turn(now: bench.now, connected: bench.connected)
        isBusy = action == .busy
        switch action {
        case .busy, .wait: return false
        case .send:
            if isDry { return false }
            let data = data
            let rest = data.span.bytes.extracting(offset..<data.count)
            let ended = !endsSeparately || rest.byteCount == 0
            offset += machine.offer(rest, ended: ended, maxChunk: maxChunk, now: bench.now)
            return !endsSeparately
        case .publishAndTurn: return true
        case .finished(let result):
            self.result = result
            return false
        }
    }
}

final class Receiver: StreamAgent {
    var machine: UploadReceiver
    /// Refuse at once with this.
    var refusal: StreamStatus?
    /// What `finish` leads to; nil leaves it pending.
    var outcome: StreamStatus? = .completed
    /// How long the sink holds bytes before it confirms them.
    var sinkDelay: Milliseconds = 0
    var takeLimit = Int.max
    private(set) var selects: [Int] = []
    private(set) var sink: [UInt8] = []
    private(set) var committed: [[UInt8]] = []
    private(set) var abandoned: [StreamStatus] = []
    private var confirmAt: Milliseconds?

    init(_ bench: StreamBench, times: StreamTimes = StreamTimes()) throws {
        machine = UploadReceiver(port: try bench.devicePort(.upload), times: times)
    }

    var isController: Bool { false }
    var isAtRest: Bool { !machine.isActive }
    var deadline: Milliseconds? { [machine.deadline, confirmAt].compactMap(\.self).min() }

    func step(_ bench: StreamBench) -> Bool {
        if let confirmAt, bench.now >= confirmAt {
            machine.confirm(machine.unconfirmedBytes, now: bench.now)
            self.confirmAt = nil
        }
        switch machine.turn(now: bench.now, connected: bench.connected) {
        case .idle, .wait: return false
        case .begin(let select):
            selects.append(select)
            sink = []
            confirmAt = nil
            if let refusal { machine.refuse(refusal) } else { machine.accept(now: bench.now) }
            return true
        case .data:
            if confirmAt != nil { return false }
            let count = machine.takeReadable(atMost: takeLimit) { span in
                span.withUnsafeBytes { sink.append(contentsOf: $0) }
            }
            if sinkDelay == 0 { machine.confirm(count, now: bench.now) } else { confirmAt = bench.now + sinkDelay }
            return confirmAt == nil
        case .publishAndTurn: return true
        case .finish:
            committed.append(sink)
            if let outcome { machine.settle(outcome) }
            return true
        case .abandon(let status):
            abandoned.append(status)
            confirmAt = nil
            return true
        }
    }
}

final class Downloader: StreamAgent {
    var machine: DownloadController
    var takeLimit = Int.max
    private(set) var data: [UInt8] = []
    private(set) var result: DownloadResult?
    private(set) var isBusy = false

    init(_ bench: StreamBench, select: Int = 2) throws {
        machine = try DownloadController(port: bench.controllerPort(.download), select: select).unwrapped
    }

    var isController: Bool { true }
    var isAtRest: Bool { result != nil }
    var deadline: Milliseconds? { machine.deadline }

    func step(_ bench: StreamBench) -> Bool {
        if result != nil { return false }
        let action = machine.turn(now: bench.now, connected: bench.connected)
        isBusy = action == .busy
        switch action {
        case .busy, .wait: return false
        case .data:
            let count = machine.takeReadable(atMost: takeLimit) { span in
                span.withUnsafeBytes { data.append(contentsOf: $0) }
            }
            machine.confirm(count, now: bench.now)
            return true
        case .publishAndTurn: return true
        case .finished(let result):
            self.result = result
            return false
        }
    }
}

final class Sender: StreamAgent {
    var machine: DownloadSender
    let source: [UInt8]
    var refusal: StreamStatus?
    var maxChunk = Int.max
    /// Bytes the source has ready so far.
    var ready = Int.max
    private(set) var offset = 0
    private(set) var finished: [StreamStatus] = []
    private(set) var selects: [Int] = []

    init(_ bench: StreamBench, source: [UInt8]) throws {
        machine = DownloadSender(port: try bench.devicePort(.download))
        self.source = source
    }

    var isController: Bool { false }
    var isAtRest: Bool { !machine.isActive }
    var deadline: Milliseconds? { machine.deadline }

    func step(_ bench: StreamBench) -> Bool {
        switch machine.turn(now: bench.now, connected: bench.connected) {
        case .idle, .wait: return false
        case .begin(let select):
            selects.append(select)
            offset = 0
            if let refusal {
                machine.refuse(refusal)
                return true
            }
            machine.accept()
            return fill(bench)
        case .fill: return fill(bench)
        case .publishAndTurn: return true
        case .finished(let status):
            finished.append(status)
            return true
        }
    }

    private func fill(_ bench: StreamBench) -> Bool {
        let available = min(ready, source.count)
        let source = source
        let count = machine.put(
            source.span.bytes.extracting(offset..<available), maxChunk: maxChunk, now: bench.now)
        offset += count
        if offset == source.count { machine.end(now: bench.now) }
        return count > 0
    }
}

struct UnexpectedNil: Error {}

extension Optional {
    var unwrapped: Wrapped {
        get throws {
            guard let self else { throw UnexpectedNil() }
            return self
        }
    }
}

/// Lets all agents work in rounds of 10 ms until they rest or `limit` has passed; true when they rest.
@discardableResult
func run(_ bench: StreamBench, _ agents: [any StreamAgent], limit: Milliseconds = 600_000) -> Bool {
    let end = bench.now + limit
    while bench.now < end {
        for agent in agents { agent.work(bench) }
        if bench.isQuiet && agents.allSatisfy(\.isAtRest) { return true }
        bench.deliver()
        bench.now += 10
    }
    return false
}

/// Lets agents work only when snapshots arrive or a deadline has come, as on an event loop; true when they rest.
func runByEvents(_ bench: StreamBench, _ agents: [any StreamAgent]) -> Bool {
    for _ in 0..<10_000 {
        for agent in agents { agent.work(bench) }
        if !bench.isQuiet {
            bench.deliver()
            bench.now += 1
        } else if agents.allSatisfy(\.isAtRest) {
            return true
        } else {
            guard let next = agents.compactMap(\.deadline).min(), next > bench.now else { return false }
            bench.now = next
        }
    }
    return false
}
