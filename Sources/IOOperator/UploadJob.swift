import ByteTools
public import IOCOM
import IONode
import NIOCore
import NIOPosix

/// How a transfer into a block ended.
public struct TransferResult: Sendable {
    /// The device's final word; nil when it gave none.
    public var status: StreamStatus?
    /// Bytes the device confirmed, or that were read.
    public var bytes: UInt64
    /// Time from the first byte to the result.
    public var seconds: Double
    /// What went wrong, nil when the device reported success.
    public var failure: OperatorError?
    /// The device went away after it had taken all bytes, before it said how it ended: it may have restarted.
    public var lostAfterLastByte = false
}

/// Writes the bytes of a source into a persistent block of a device. Confined to the session's loop.
final class UploadJob: TransferJob {
    /// Bytes read ahead from the source.
    private static let pieceSize = 512 * 1024
    private let transfer: Transfer
    private let source: any ByteSource & Sendable
    private let total: Int
    private let progress: (UInt64) -> Void
    private var controller: UploadController
    private var delayed: DelayedStatus?
    private var piece: [UInt8] = []
    private var pieceOffset = 0
    private var sourceOffset = 0
    private var isReading = false
    private var readFailure: OperatorError?

    /// `total` is the size of `source`. Nil when the device's `select` signal cannot hold `block`.
    init?(
        session: OperatorSession, device: RemoteDevice, port: StreamPort, block: Int,
        source: any ByteSource & Sendable, total: Int, progress: @escaping (UInt64) -> Void,
        promise: EventLoopPromise<TransferResult>
    ) {
        guard let controller = UploadController(port: port, select: block) else { return nil }
        transfer = Transfer(session: session, device: device, block: block, port: port, promise: promise)
        self.controller = controller
        self.source = source
        self.total = total
        self.progress = progress
    }

    func cancel() {
        controller.cancel()
        if delayed != nil {
            finish(
                nil,
                OperatorError(
                    .cancelled, "cancelled while \(transfer.device.path) was finishing; its result is not known"))
        }
        turn()
        transfer.session.node.flushWaiting()
    }

    /// Leaves room for several snapshots in a ring, so that one travels while the next is made; two in a small ring, where
    /// the work for each snapshot counts and not the time that it travels.
    private var chunk: Int {
        let ring = controller.port.addresses.ringSize
        return max(256, min(ring / 2, 2048), min(ring / 4, 256 * 1024))
    }

    func turn() {
        transfer.turn(self) { now in
            if delayed != nil { return pollStatus(now) }
            let confirmed = controller.confirmedBytes
            let deadline = move(now)
            if controller.confirmedBytes != confirmed { progress(controller.confirmedBytes) }
            return deadline
        }
    }

    /// Lets the controller do what it can; gives the time of the next look.
    private func move(_ now: Milliseconds) -> Milliseconds? {
        while true {
            switch controller.turn(now: now, connected: transfer.isConnected) {
            case .busy:
                if let failure = transfer.busyFailure { finish(nil, failure) }
                return transfer.busyDeadline
            case .wait: return controller.deadline
            case .send:
                guard controller.port.controllerBlock.isDrained, offer(now) else { return controller.deadline }
            case .publishAndTurn:
                transfer.publishAlone()
                return controller.deadline
            case .finished(let result): return ended(result, now)
            }
        }
    }

    private func offer(_ now: Milliseconds) -> Bool {
        let isLast = sourceOffset >= total && readFailure == nil
        guard pieceOffset < piece.count || isLast else {
            read()
            return false
        }
        let taken = controller.offer(
            piece.span.bytes.extracting(pieceOffset..<piece.count), ended: isLast, maxChunk: chunk, now: now)
        pieceOffset += taken
        controller.port.controllerBlock.publish()
        if piece.count - pieceOffset < Self.pieceSize / 2 { read() }
        return taken > 0 || isLast
    }

    /// Reads the next piece behind what is left of the present one.
    private func read() {
        guard !isReading, readFailure == nil, sourceOffset < total else { return }
        isReading = true
        let source = source
        let offset = sourceOffset
        let count = min(Self.pieceSize, total - offset)
        let bound = NIOLoopBound(self, eventLoop: transfer.loop)
        NIOThreadPool.singleton.runIfActive(eventLoop: transfer.loop) { try source.read(at: offset, count: count) }
            .whenComplete { result in
                let job = bound.value
                job.isReading = false
                switch result {
                case .success(let bytes):
                    job.piece.removeFirst(job.pieceOffset)
                    job.pieceOffset = 0
                    job.piece.append(contentsOf: bytes)
                    job.sourceOffset = offset + count
                case .failure(let error):
                    job.readFailure = OperatorError(.failed, "the file could not be read further: \(error)")
                    job.controller.cancel()
                }
                job.turn()
                job.transfer.session.node.flushWaiting()
            }
    }

    private func ended(_ result: UploadResult, _ now: Milliseconds) -> Milliseconds? {
        controller.close()
        controller.port.controllerBlock.publish()
        let name = transfer.device.path
        switch result {
        case .completed:
            progress(controller.queuedBytes)
            delayed = DelayedStatus(now: now, times: .forBlock(transfer.block))
            return pollStatus(now)
        case .refused(let status):
            finish(status, OperatorError(.failed, "\(name) refused the data: \(status)"))
        case .timedOut:
            finish(
                nil,
                OperatorError(
                    .failed, "\(name) did not answer in time; see whether it is still connected and try again"))
        case .connectionGone:
            let all = controller.queuedBytes == UInt64(total) && controller.confirmedBytes == controller.queuedBytes
            finish(nil, OperatorError(.noConnection, "\(name) went away in the middle of the transfer"), lost: all)
        case .cancelled:
            finish(nil, readFailure ?? OperatorError(.cancelled, "cancelled; \(name) was told and stays as it was"))
        case .protocolViolation:
            finish(
                nil,
                OperatorError(
                    .busy,
                    "another operator writes to \(name) at the same time, or it restarted; nothing was put in force"))
        }
        return nil
    }

    private func pollStatus(_ now: Milliseconds) -> Milliseconds? {
        guard var delayed else { return nil }
        let action = delayed.turn(controller.port, now: now, connected: transfer.isConnected)
        self.delayed = delayed
        let name = transfer.device.path
        switch action {
        case .wait: return delayed.deadline
        case .final(let status):
            finish(status, status.isError ? OperatorError(.failed, "\(name) refused the data: \(status)") : nil)
        case .unknown(let last):
            finish(
                last,
                OperatorError(
                    .failed,
                    "\(name) took all bytes but did not say in time how it ended; ask it again with 'ispy program status'"
                ))
        case .connectionGone(let last):
            finish(last, OperatorError(.noConnection, "\(name) went away after it had taken all bytes"), lost: true)
        }
        return nil
    }

    private func finish(_ status: StreamStatus?, _ failure: OperatorError?, lost: Bool = false) {
        let bytes = failure == nil ? controller.queuedBytes : controller.confirmedBytes
        transfer.finish(self, status, bytes: bytes, failure, lost: lost)
    }
}
