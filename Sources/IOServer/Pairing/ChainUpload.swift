import IOCOM
import IODevice
import IONode

/// Writes the certificates that devices have to trust into block 9 of a device that asked for them in its authentication
/// (application-layer.md 7.8). The device restarts with them. Confined to the loop.
final class ChainUpload {
    /// How long a device may take to tell of its blocks, and to take the certificates.
    static let patience: Milliseconds = 60_000

    /// How it goes on.
    enum Step: Equatable {
        case goesOn
        case done
        case failed(String)
    }

    /// The connection of the device.
    let link: UInt64
    private let traffic: DeviceTraffic
    private let chain: [UInt8]
    private let startedAt: Milliseconds
    private var controller: UploadController?
    private var delayed: DelayedStatus?
    private var offset = 0
    private var mustDrain = false

    /// `chain` is PEM text with a zero byte at its end (application-layer.md 3.5).
    init(_ chain: [UInt8], to traffic: DeviceTraffic, on link: UInt64, now: Milliseconds) {
        self.chain = chain
        self.traffic = traffic
        self.link = link
        startedAt = now
    }

    /// Does what can be done now; to be called when something of the device changed, and now and then.
    func turn(now: Milliseconds) -> Step {
        if now - startedAt > Self.patience { return .failed("it did not take them within \(Self.patience / 1000) s") }
        if controller == nil {
            guard let port = traffic.claimUpload() else { return .goesOn }
            controller = UploadController(port: port, select: PersistentBlock.clientChain)
        }
        guard var controller else { return .failed("it can't address block \(PersistentBlock.clientChain)") }
        let block = controller.port.controllerBlock
        if mustDrain {
            guard block.isDrained else { return .goesOn }
            mustDrain = false
        }
        defer {
            self.controller = controller
            block.publish()
        }
        if delayed != nil { return verdict(controller.port, now) }
        while true {
            switch controller.turn(now: now, connected: controller.port.deviceBlock.isFed) {
            case .busy, .wait: return .goesOn
            case .publishAndTurn:
                mustDrain = true
                return .goesOn
            case .send:
                guard block.isDrained else { return .goesOn }
                let rest = Array(chain.dropFirst(offset))
                offset += controller.offer(rest.span.bytes, ended: true, now: now)
                return .goesOn
            case .finished(let result):
                controller.close()
                guard result == .completed else { return .failed("the transfer ended early: \(result)") }
                delayed = DelayedStatus(now: now, times: .block)
                return verdict(controller.port, now)
            }
        }
    }

    private func verdict(_ port: StreamPort, _ now: Milliseconds) -> Step {
        guard var delayed else { return .goesOn }
        let action = delayed.turn(port, now: now, connected: port.deviceBlock.isFed)
        self.delayed = delayed
        switch action {
        case .wait: return .goesOn
        case .final(let status): return status.isError ? .failed("it refused them: \(status)") : .done
        // It restarts with them, or has no word for it.
        case .unknown, .connectionGone: return .done
        }
    }

    /// Withdraws what was begun.
    func stop() {
        controller?.close()
        traffic.releaseUpload()
    }
}
