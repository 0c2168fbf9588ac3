// modules: IOCOM IOCOMTestSupport
// options: -max_len=256
import IOCOM
import IOCOMTestSupport

/// The four streamer machines against a peer that writes any value into any of its signals at any time, and an owner that
/// calls their methods in any order. Two bytes are one event. A machine settles after a few turns, hands out no more than a
/// ring holds, confirms no more than it handed out, and touches its own signals only.
func fuzz(_ input: [UInt8]) {
    guard input.count >= 2, let layout = try? StandardStreams(uploadRing: 9, downloadRing: 9) else { return }
    let controllerBlock = MemoryBlock(.gina("conf_imp"), .down, size: layout.controllerBlockSize)
    let deviceBlock = MemoryBlock(.gina("conf_exp"), .up, size: layout.deviceBlockSize)
    let isUpload = input[0] & 1 == 0
    guard
        let port = try? StreamPort(
            controllerBlock: controllerBlock, deviceBlock: deviceBlock,
            addresses: isUpload ? layout.upload : layout.download),
        let machine = Machine(port, isController: input[0] & 2 != 0)
    else { preconditionFailure("the standard layout makes no port") }
    if input[0] & 4 != 0 { port.initializeDevice() }
    var peer = Peer(port: port, isController: input[0] & 2 == 0)
    var now: Milliseconds = 0
    var at = 1
    while at + 1 < input.count {
        let (event, value) = (input[at], input[at + 1])
        at += 2
        if event & 8 == 0 {
            peer.write(event, value)
        } else if event & 4 != 0 {
            now += Milliseconds(value) * 40
        } else {
            machine.act(event, value, now: now)
        }
        machine.settle(now: now, connected: event & 0x70 != 0x70)
        peer.check()
    }
    machine.close()
    machine.settle(now: now, connected: true)
    peer.check()
}

/// What a hostile peer does: it writes its own signals, which nobody else may change.
private struct Peer {
    let port: StreamPort
    let isController: Bool
    private var values = [UInt8](repeating: 0, count: StreamSignal.allCases.count)

    init(port: StreamPort, isController: Bool) {
        self.port = port
        self.isController = isController
        remember()
    }

    private var signals: [StreamSignal] {
        StreamSignal.allCases.filter { $0.isControllers(port.direction) == isController }
    }

    /// Bits 0 to 2 of `event` choose the signal; bit 7 leaves its state byte without CONNECTED.
    mutating func write(_ event: UInt8, _ value: UInt8) {
        let signal = signals[Int(event & 7) % signals.count]
        let block = port.block(signal)
        let address = port.addresses[signal]
        block.setByte(event & 0x80 == 0 ? 2 : 0, at: address)
        let width = max(1, signal.width)
        // Small positions are the interesting ones; the highest values become negative.
        let wide = value > 250 ? UInt64.max - UInt64(value - 251) : UInt64(value)
        block.setUnsigned(width == 2 ? UInt64(value) &* 0x101 : wide, at: address + 1, width: width)
        remember()
    }

    private mutating func remember() { for signal in signals { values[signal.rawValue] = first(signal) } }

    private func first(_ signal: StreamSignal) -> UInt8 { port.block(signal).byte(at: port.addresses[signal] + 1) }

    func check() {
        for signal in signals { precondition(values[signal.rawValue] == first(signal)) }
    }
}

/// One of the four machines with a source or sink of its own.
private final class Machine {
    private enum Kind {
        case uploadController(UploadController), uploadReceiver(UploadReceiver)
        case downloadController(DownloadController), downloadSender(DownloadSender)
    }

    private var kind: Kind
    private var delayed: DelayedStatus?
    private let port: StreamPort
    private let bytes = [UInt8](1...64)
    private var handedOut: UInt64 = 0

    init?(_ port: StreamPort, isController: Bool) {
        self.port = port
        switch (port.direction, isController) {
        case (.upload, true):
            guard let machine = UploadController(port: port, select: 14) else { return nil }
            kind = .uploadController(machine)
            delayed = DelayedStatus(now: 0, times: .program)
        case (.upload, false): kind = .uploadReceiver(UploadReceiver(port: port))
        case (.download, true):
            guard let machine = DownloadController(port: port, select: 14) else { return nil }
            kind = .downloadController(machine)
        case (.download, false): kind = .downloadSender(DownloadSender(port: port))
        }
    }

    private func take(_ count: Int, _ span: RawSpan) {
        precondition(count <= port.addresses.ringSize - 1 && span.byteCount <= port.addresses.ringSize - 1)
    }

    /// One call of the owner.
    func act(_ event: UInt8, _ value: UInt8, now: Milliseconds) {
        let count = Int(value & 31)
        let bytes = self.bytes
        let part = bytes.span.bytes.extracting(first: count)
        let status = StreamStatus(rawValue: value)
        switch kind {
        case .uploadController(var machine):
            switch event & 3 {
            case 0, 1: _ = machine.offer(part, ended: value > 240, maxChunk: 1 + Int(value >> 5), now: now)
            case 2: if value > 200 { machine.cancel() }
            default: if value > 230 { machine.close() }
            }
            precondition(machine.confirmedBytes <= machine.queuedBytes)
            kind = .uploadController(machine)
        case .uploadReceiver(var machine):
            switch event & 3 {
            case 0: machine.accept(now: now)
            case 1: handedOut += UInt64(machine.takeReadable(atMost: count) { take(0, $0) })
            case 2: machine.confirm(count, now: now)
            default: if value & 1 == 0 { machine.fail(status) } else { machine.settle(status) }
            }
            precondition(machine.unconfirmedBytes <= port.addresses.ringSize - 1)
            kind = .uploadReceiver(machine)
        case .downloadController(var machine):
            switch event & 3 {
            case 0: handedOut += UInt64(machine.takeReadable(atMost: count) { take(0, $0) })
            case 1: machine.confirm(count, now: now)
            case 2: if value > 200 { machine.cancel() }
            default: if value > 230 { machine.close() }
            }
            precondition(machine.confirmedBytes <= handedOut)
            kind = .downloadController(machine)
        case .downloadSender(var machine):
            switch event & 3 {
            case 0: machine.accept()
            case 1: _ = machine.put(part, maxChunk: Int(value >> 5), now: now)
            case 2: machine.end(now: now)
            default: machine.fail(status)
            }
            precondition(machine.confirmedBytes <= machine.queuedBytes)
            kind = .downloadSender(machine)
        }
    }

    /// Turns until the machine waits, publishing as asked.
    func settle(now: Milliseconds, connected: Bool) {
        for _ in 0..<10 {
            guard turn(now: now, connected: connected) else { return publish() }
            publish()
        }
        preconditionFailure("a machine turns without end")
    }

    private func publish() {
        port.controllerBlock.publish()
        port.deviceBlock.publish()
    }

    private func turn(now: Milliseconds, connected: Bool) -> Bool {
        switch kind {
        case .uploadController(var machine):
            let action = machine.turn(now: now, connected: connected)
            _ = machine.deadline
            kind = .uploadController(machine)
            if case .finished(.completed) = action { _ = delayed?.turn(port, now: now, connected: connected) }
            return action == .publishAndTurn
        case .uploadReceiver(var machine):
            let action = machine.turn(now: now, connected: connected)
            _ = machine.deadline
            kind = .uploadReceiver(machine)
            return action == .publishAndTurn
        case .downloadController(var machine):
            let action = machine.turn(now: now, connected: connected)
            _ = machine.deadline
            kind = .downloadController(machine)
            return action == .publishAndTurn
        case .downloadSender(var machine):
            let action = machine.turn(now: now, connected: connected)
            _ = machine.deadline
            kind = .downloadSender(machine)
            return action == .publishAndTurn
        }
    }

    func close() {
        switch kind {
        case .uploadController(var machine):
            machine.close()
            kind = .uploadController(machine)
        case .downloadController(var machine):
            machine.close()
            kind = .downloadController(machine)
        case .uploadReceiver, .downloadSender: break
        }
    }
}
