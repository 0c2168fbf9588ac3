import ByteTools
import IOCOM
import IONode
import NIOCore
import NIOPosix

/// Reads a persistent block of a device into a sink. Confined to the session's loop.
final class DownloadJob: TransferJob {
    private static let pieceSize = 256 * 1024

    private let session: OperatorSession
    private let device: RemoteDevice
    private let block: Int
    private let append: @Sendable ([UInt8]) throws -> Void
    private let progress: (UInt64) -> Void
    private let promise: EventLoopPromise<TransferResult>
    private var controller: DownloadController
    private var isWriting = false
    private var mustDrain = false
    private var isTurning = false
    private var isOver = false
    private var writeFailure: OperatorError?
    private var timer: Scheduled<Void>?
    private let startedAt: Milliseconds

    /// `append` is called off the loop, one call at a time. Nil when the device's `select` signal cannot hold `block`.
    init?(
        session: OperatorSession, device: RemoteDevice, port: StreamPort, block: Int,
        append: @escaping @Sendable ([UInt8]) throws -> Void, progress: @escaping (UInt64) -> Void,
        promise: EventLoopPromise<TransferResult>
    ) {
        guard let controller = DownloadController(port: port, select: block) else { return nil }
        self.session = session
        self.device = device
        self.block = block
        self.controller = controller
        self.append = append
        self.progress = progress
        self.promise = promise
        startedAt = session.node.now
    }

    /// Gives up; the device is told.
    func cancel() {
        controller.cancel()
        turn()
        session.node.flushWaiting()
    }

    private var isConnected: Bool { session.devices[device.path] === device && controller.port.deviceBlock.isFed }

    func turn() {
        guard !isTurning, !isOver else { return }
        isTurning = true
        defer { isTurning = false }
        let now = session.node.now
        if mustDrain && isConnected {
            guard controller.port.controllerBlock.isDrained else { return }
        }
        mustDrain = false
        loop: while true {
            switch controller.turn(now: now, connected: isConnected) {
            case .busy:
                if now - startedAt > UploadJob.busyPatience(controller.port) {
                    return finish(
                        nil,
                        OperatorError(
                            .busy, "\(device.path) is busy with another transfer; wait until it has ended and try again"
                        ))
                }
                break loop
            case .wait: break loop
            case .data:
                guard !isWriting else { break loop }
                take()
            case .publishAndTurn:
                controller.port.controllerBlock.publish()
                mustDrain = true
                break loop
            case .finished(let result):
                ended(result)
                return
            }
        }
        controller.port.controllerBlock.publish()
        schedule()
    }

    private func take() {
        var bytes: [UInt8] = []
        let count = controller.takeReadable(atMost: Self.pieceSize) { span in
            span.withUnsafeBytes { bytes.append(contentsOf: $0) }
        }
        let piece = bytes
        let append = append
        isWriting = true
        let bound = NIOLoopBound(self, eventLoop: session.node.loop)
        NIOThreadPool.singleton.runIfActive(eventLoop: session.node.loop) { try append(piece) }
            .whenComplete { result in
                let job = bound.value
                job.isWriting = false
                switch result {
                case .success:
                    job.controller.confirm(count, now: job.session.node.now)
                    job.progress(job.controller.confirmedBytes)
                case .failure(let error):
                    job.writeFailure = OperatorError(.failed, "what was read could not be stored: \(error)")
                    job.controller.cancel()
                }
                job.turn()
                job.session.node.flushWaiting()
            }
    }

    private func ended(_ result: DownloadResult) {
        controller.close()
        controller.port.controllerBlock.publish()
        let name = device.path
        switch result {
        case .completed: finish(.completed, nil)
        case .refused(let status):
            let why =
                status == .readFailed
                ? "the block is empty, or may not be read from outside" : status.description
            finish(status, OperatorError(.failed, "\(name) does not give block \(block): \(why)"))
        case .checksumMismatch:
            finish(
                .checksumMismatch, OperatorError(.failed, "what came from \(name) is damaged (checksum); try again"))
        case .timedOut:
            finish(nil, OperatorError(.failed, "\(name) did not answer in time; see whether it is still connected"))
        case .connectionGone:
            finish(nil, OperatorError(.noConnection, "\(name) went away in the middle of the transfer"))
        case .cancelled: finish(nil, writeFailure ?? OperatorError(.cancelled, "cancelled"))
        case .protocolViolation:
            finish(nil, OperatorError(.busy, "another operator reads from \(name) at the same time; try again"))
        }
    }

    private func schedule() {
        timer?.cancel()
        var deadline = controller.deadline
        if controller.confirmedBytes == 0 { deadline = min(deadline ?? .max, session.node.now + 500) }
        guard let deadline else { return }
        let bound = NIOLoopBound(self, eventLoop: session.node.loop)
        timer = session.node.loop.scheduleTask(in: .milliseconds(max(1, deadline - session.node.now))) {
            bound.value.turn()
            bound.value.session.node.flushWaiting()
        }
    }

    private func finish(_ status: StreamStatus?, _ failure: OperatorError?) {
        guard !isOver else { return }
        isOver = true
        timer?.cancel()
        promise.succeed(
            TransferResult(
                status: status, bytes: controller.confirmedBytes, seconds: Double(session.node.now - startedAt) / 1000,
                failure: failure))
        session.finished(self)
    }
}
