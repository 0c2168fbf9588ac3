import ByteTools
import Crypto
import DeviceDescription
import IOCOM
import IODevice

/// Follows one upload that passes through the server from its first byte to its result. Time comes in.
struct TransferWatch {
    /// How long a device may take to say how a block was taken, after its last byte.
    static let longestVerdict: Milliseconds = 60_000
    /// How long a new program may take until it has proved itself.
    static let longestTrial: Milliseconds = 30 * 60_000
    /// Bytes of a manifest that are kept to read the name of the package.
    static let mostManifest = 4096

    private enum Phase {
        case moving
        /// The controller withdrew after the last byte, or went: the device's word is due.
        case deciding(since: Milliseconds)
        /// The program is written; it has to restart and prove itself.
        case proving(since: Milliseconds)
    }

    let visitor: Visitor
    let link: UInt64
    let block: Int
    private let startedAt: Milliseconds
    private var phase = Phase.moving
    private var head = 0
    private var bytes: UInt64 = 0
    private var hash: SHA256?
    private(set) var manifest: [UInt8] = []
    private var hasRun = false
    private var hasAll = false
    /// The upload before, when this one is a program and that one was its manifest.
    var package = ""

    init(_ visitor: Visitor, link: UInt64, block: Int, now: Milliseconds) {
        self.visitor = visitor
        self.link = link
        self.block = block
        startedAt = now
        hash = block == PersistentBlock.program ? SHA256() : nil
    }

    private var isProgram: Bool { block == PersistentBlock.program }

    /// What it is now.
    func status(_ device: DevicePath, now: Milliseconds) -> ServerStatus.Transfer {
        ServerStatus.Transfer(
            device: "\(device)", user: visitor.user, block: block, bytes: bytes, seconds: Int((now - startedAt) / 1_000)
        )
    }

    /// True when the transfer is over and only the proof of the new program is waited for.
    var isProving: Bool {
        if case .proving = phase { return true }
        return false
    }

    /// The controller's block changed: takes what is new in the ring.
    mutating func controllerWrote(_ port: StreamPort, now: Milliseconds) {
        guard case .moving = phase else { return }
        let size = port.addresses.ringSize
        let next = port.value(.head)
        if next >= 0, next < size, next != head {
            port.controllerBlock.withBytes { span in
                let base = port.addresses[.buf] + 1
                if next > head {
                    take(span.extracting((base + head)..<(base + next)))
                } else {
                    take(span.extracting((base + head)..<(base + size)))
                    take(span.extracting(base..<(base + next)))
                }
            }
            head = next
        }
        switch port.value(.cmd) {
        case 1: break
        case 2: hasAll = true
        default: phase = .deciding(since: now)
        }
    }

    private mutating func take(_ span: RawSpan) {
        bytes += UInt64(span.byteCount)
        span.withUnsafeBytes { bytes in
            hash?.update(bufferPointer: bytes)
            if block == PersistentBlock.manifest, manifest.count + bytes.count <= Self.mostManifest {
                manifest.append(contentsOf: bytes)
            }
        }
    }

    /// The connection of the controller ended.
    mutating func controllerLeft(now: Milliseconds) {
        if case .moving = phase { phase = .deciding(since: now) }
    }

    /// The device's block changed, or time passed. A result ends the watch. `update` is what the device says of its
    /// program, nil when it says nothing.
    mutating func turn(
        _ port: StreamPort?, update: (phase: UpdatePhase, text: String, version: String)?, now: Milliseconds
    ) -> (result: TransferReport.Result, text: String)? {
        switch phase {
        case .moving, .deciding:
            guard let port else { return deviceLeft(update != nil, now) }
            return verdict(port, update, now)
        case .proving(let since):
            switch update?.phase {
            case .confirmed? where port != nil: return (.confirmed, update?.text ?? "")
            case .rolledBack?: return (.rolledBack, update?.text ?? "")
            case .failed?: return (.failed, update?.text ?? "")
            default: break
            }
            return now - since > Self.longestTrial ? (.unknown, "the device did not say how it went on") : nil
        }
    }

    private mutating func verdict(
        _ port: StreamPort, _ update: (phase: UpdatePhase, text: String, version: String)?, _ now: Milliseconds
    ) -> (result: TransferReport.Result, text: String)? {
        let state = port.value(.state)
        if state == 1 { hasRun = true }
        let status = port.status
        let isOver = hasRun && state != 1
        if isOver, status == .completed, hasAll {
            guard isProgram else { return (.stored, "") }
            guard update != nil else { return (.installed, "") }
            phase = .proving(since: now)
            return nil
        }
        if isOver || !hasRun, status.isError, status != .pending, hasRun || !isMoving {
            let words = update.map(\.text).flatMap { isProgram && !$0.isEmpty ? $0 : nil }
            return (.failed, words ?? "\(status)")
        }
        guard case .deciding(let since) = phase else { return nil }
        if !hasAll, state != 1 || now - since > 10_000 { return (.cancelled, "") }
        return now - since > Self.longestVerdict ? (.unknown, "the device did not say how it ended") : nil
    }

    private var isMoving: Bool {
        if case .moving = phase { return true }
        return false
    }

    /// A device that restarts with a new program may go before it said that all is well (application-layer.md 11.15).
    private mutating func deviceLeft(
        _ hasUpdateSignals: Bool, _ now: Milliseconds
    ) -> (result: TransferReport.Result, text: String)? {
        guard isProgram, hasAll else { return (.cancelled, "the device went away") }
        guard hasUpdateSignals else { return (.installed, "the device went away after the last byte") }
        phase = .proving(since: now)
        return nil
    }

    /// What is reported in the end.
    func report(
        _ device: DevicePath, _ result: TransferReport.Result, _ text: String, version: String, now: Milliseconds
    ) -> TransferReport {
        var digest = ""
        if let hash, hasAll { digest = hexadecimal(hash.finalize()) }
        return TransferReport(
            device: device, visitor: visitor, block: block, bytes: bytes, hash: digest, package: package,
            version: version, result: result, seconds: Double(now - startedAt) / 1000, text: text)
    }
}
