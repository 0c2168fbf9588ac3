import ByteTools
import IOCOM
import IONode
import NIOCore
import NIOPosix

/// Reads a persistent block of a device into a sink. Confined to the session's loop.
final class DownloadJob: TransferJob {
    private static let pieceSize = 256 * 1024

    private let transfer: Transfer
    private let append: @Sendable ([UInt8]) throws -> Void
    private let progress: (UInt64) -> Void
    private var controller: DownloadController
    private var isWriting = false
    private var writeFailure: OperatorError?

    /// `append` is called off the loop, one call at a time. Nil when the device's `select` signal cannot hold `block`.
    init?(
        session: OperatorSession, device: RemoteDevice, port: StreamPort, block: Int,
        append: @escaping @Sendable ([UInt8]) throws -> Void, progress: @escaping (UInt64) -> Void,
        promise: EventLoopPromise<TransferResult>
    ) {
        guard let controller = DownloadController(port: port, select: block) else { return nil }
        transfer = Transfer(session: session, device: device, block: block, port: port, promise: promise)
        self.controller = controller
        self.append = append
        self.progress = progress
    }

    func cancel() {
        controller.cancel()
        turn()
        transfer.session.node.flushWaiting()
    }

    func turn() {
        transfer.turn(self) { now in
            while true {
                switch controller.turn(now: now, connected: transfer.isConnected) {
                case .busy:
                    if let failure = transfer.busyFailure { finish(nil, failure) }
                    return transfer.busyDeadline
                case .wait: return controller.deadline
                case .data:
                    guard !isWriting else { return controller.deadline }
                    take()
                case .publishAndTurn:
                    transfer.publishAlone()
                    return controller.deadline
                case .finished(let result):
                    ended(result)
                    return nil
                }
            }
        }
    }

    private func take() {
        var bytes: [UInt8] = []
        let count = controller.takeReadable(atMost: Self.pieceSize) { span in
            span.withUnsafeBytes { bytes.append(contentsOf: $0) }
        }
        let piece = bytes
        let append = append
        isWriting = true
        let bound = NIOLoopBound(self, eventLoop: transfer.loop)
        NIOThreadPool.singleton.runIfActive(eventLoop: transfer.loop) { try append(piece) }
            .whenComplete { result in
                let job = bound.value
                job.isWriting = false
                switch result {
                case .success:
                    job.controller.confirm(count, now: job.transfer.now)
                    job.progress(job.controller.confirmedBytes)
                case .failure(let error):
                    job.writeFailure = OperatorError(.failed, "what was read could not be stored: \(error)")
                    job.controller.cancel()
                }
                job.turn()
                job.transfer.session.node.flushWaiting()
            }
    }

    private func ended(_ result: DownloadResult) {
        controller.close()
        controller.port.controllerBlock.publish()
        let name = transfer.device.path
        switch result {
        case .completed: finish(.completed, nil)
        case .refused(let status):
            let why =
                status == .readFailed
                ? "the block is empty, or may not be read from outside" : status.description
            finish(status, OperatorError(.failed, "\(name) does not give block \(transfer.block): \(why)"))
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

    private func finish(_ status: StreamStatus?, _ failure: OperatorError?) {
        transfer.finish(self, status, bytes: controller.confirmedBytes, failure)
    }
}
