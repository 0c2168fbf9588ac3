public import IOCOM
public import IONode
import NIOCore
import NIOPosix

/// What the control streams tell the device they belong to.
public enum ControlStreamEvent: Sendable, Equatable {
    /// An upload into a block began.
    case receiving(block: Int)
    /// Bytes of it are safe on the device.
    case received(block: Int, bytes: UInt64)
    /// All bytes came; they are being checked and put in force.
    case verifying(block: Int)
    /// The upload ended well.
    case stored(block: Int, effect: UploadEffect)
    /// The upload failed; nothing changed.
    case uploadFailed(block: Int, StreamStatus, reason: String)
}

/// The two streams of a device over its `conf_exp` and `conf_imp` blocks, with what they write to and read from.
///
/// Confined to the node's loop; the block service works on threads of its own, one call at a time for each direction.
public final class ControlStreams {
    /// Largest piece that is handed to a sink or asked of a source at once.
    private static let pieceSize = 128 * 1024

    private let node: Node
    private let service: any BlockService
    private let report: (ControlStreamEvent) -> Void
    private var receiver: UploadReceiver
    private var sender: DownloadSender
    private var upload: Upload?
    private var download: Download?
    private var mustDrain = false
    private var timer: Scheduled<Void>?
    private var timerDeadline: Milliseconds = 0
    private var isTurning = false
    private var isStopped = false
    private var nextTransfer: UInt64 = 0
    /// Calls of sinks and sources follow one another, also those of a transfer and the one after it.
    private var uploadLine: EventLoopFuture<Void>
    private var downloadLine: EventLoopFuture<Void>

    private struct Upload {
        let id: UInt64
        let block: Int
        var sink: (any BlockSink)?
        var isBusy = true
    }

    private struct Download {
        let id: UInt64
        var reader: (any BlockReader)?
        var isBusy = true
        var waiting: [UInt8] = []
        var hasEnded = false
    }

    /// Streams over ports of both directions on `node`. `report` is called on the loop.
    public init(
        node: Node, upload: StreamPort, download: StreamPort, service: any BlockService,
        report: @escaping (ControlStreamEvent) -> Void
    ) {
        self.node = node
        self.service = service
        self.report = report
        uploadLine = node.loop.makeSucceededVoidFuture()
        downloadLine = node.loop.makeSucceededVoidFuture()
        receiver = UploadReceiver(port: upload)
        sender = DownloadSender(port: download)
        upload.initializeDevice()
        download.initializeDevice()
        upload.deviceBlock.publish()
    }

    /// True while a transfer runs.
    public var isActive: Bool { receiver.isActive || sender.isActive }

    /// True while ``turn()`` may have something to do although no snapshot came.
    public var isAtWork: Bool { isActive || mustDrain }

    /// Ends both transfers.
    public func stop() {
        isStopped = true
        timer?.cancel()
        let sink = upload?.sink
        upload = nil
        download = nil
        if let sink { cancel(sink) }
    }

    /// Something may have changed: a snapshot came, the block was sent, time passed, a connection came or went.
    public func turn() {
        guard !isTurning, !isStopped else { return }
        isTurning = true
        defer { isTurning = false }
        if mustDrain {
            guard receiver.port.deviceBlock.isDrained else { return }
            mustDrain = false
        }
        turnUpload()
        if !mustDrain { turnDownload() }
        receiver.port.deviceBlock.publish()
        schedule()
    }

    private func schedule() {
        let deadlines = [receiver.deadline, sender.deadline].compactMap { $0 }
        guard let deadline = deadlines.min() else {
            timer?.cancel()
            timer = nil
            return
        }
        // A timer that fires too early does no harm, and a new one for each snapshot costs.
        guard timer == nil || deadline < timerDeadline else { return }
        timer?.cancel()
        timerDeadline = deadline
        let bound = NIOLoopBound(self, eventLoop: node.loop)
        timer = node.loop.scheduleTask(in: .milliseconds(max(1, deadline - node.now))) {
            bound.value.timer = nil
            bound.value.turn()
            bound.value.node.flushWaiting()
        }
    }

    /// The next change must leave in a snapshot of its own.
    private func publishAlone() {
        receiver.port.deviceBlock.publish()
        mustDrain = true
    }

    // MARK: Upload

    private func turnUpload() {
        while true {
            let isFed = receiver.port.controllerBlock.isFed
            switch receiver.turn(now: node.now, connected: isFed) {
            case .idle, .wait: return
            case .publishAndTurn: return publishAlone()
            case .begin(let block): beginUpload(block)
            case .data:
                guard let current = upload, let sink = current.sink, !current.isBusy else { return }
                takeUploadData(current.id, sink)
            case .finish:
                guard let current = upload, let sink = current.sink, !current.isBusy else { return }
                finishUpload(current.id, current.block, sink)
            case .abandon(let status): abandonUpload(status)
            }
        }
    }

    private func beginUpload(_ block: Int) {
        let id = makeTransfer()
        upload = Upload(id: id, block: block)
        report(.receiving(block: block))
        let service = service
        work(\.uploadLine, { () throws(BlockServiceError) in try service.openForWriting(block) }) { [self] result in
            switch result {
            case .success(let sink):
                guard upload?.id == id else { return cancel(sink) }
                upload?.sink = sink
                upload?.isBusy = false
                receiver.accept(now: node.now)
            case .failure(let error):
                guard upload?.id == id else { return }
                receiver.refuse(error.status)
                abandonUpload(error.status, error.description)
            }
        }
    }

    private func takeUploadData(_ id: UInt64, _ sink: any BlockSink) {
        var bytes: [UInt8] = []
        let taken = receiver.takeReadable(atMost: Self.pieceSize) { span in
            span.withUnsafeBytes { bytes.append(contentsOf: $0) }
        }
        let piece = bytes
        upload?.isBusy = true
        work(\.uploadLine, { () throws(BlockServiceError) in try sink.append(piece) }) { [self] result in
            // A transfer that was abandoned meanwhile has cancelled its sink already.
            guard let current = upload, current.id == id else { return }
            upload?.isBusy = false
            switch result {
            case .success:
                receiver.confirm(taken, now: node.now)
                report(.received(block: current.block, bytes: receiver.confirmedBytes))
            case .failure(let error):
                // The sink has ended itself.
                upload?.sink = nil
                receiver.fail(error.status)
                abandonUpload(error.status, error.description)
            }
        }
    }

    private func finishUpload(_ id: UInt64, _ block: Int, _ sink: any BlockSink) {
        upload?.isBusy = true
        report(.verifying(block: block))
        work(\.uploadLine, { () throws(BlockServiceError) in try sink.finish() }) { [self] result in
            guard upload?.id == id else { return }
            upload = nil
            switch result {
            case .success(let effect):
                receiver.settle(.completed)
                report(.stored(block: block, effect: effect))
            case .failure(let error):
                receiver.settle(error.status)
                report(.uploadFailed(block: block, error.status, reason: error.description))
            }
        }
    }

    private func abandonUpload(_ status: StreamStatus, _ reason: String? = nil) {
        guard let ended = upload else { return }
        upload = nil
        if let sink = ended.sink { cancel(sink) }
        report(.uploadFailed(block: ended.block, status, reason: reason ?? "the transfer ended early: \(status)"))
    }

    private func cancel(_ sink: any BlockSink) { work(\.uploadLine, { sink.cancel() }, then: { _ in }) }

    private func makeTransfer() -> UInt64 {
        nextTransfer += 1
        return nextTransfer
    }

    // MARK: Download

    private func turnDownload() {
        while true {
            switch sender.turn(now: node.now, connected: sender.port.controllerBlock.isFed) {
            case .idle, .wait: return
            case .publishAndTurn: return publishAlone()
            case .begin(let block): beginDownload(block)
            case .fill(let space):
                guard let current = download, !current.isBusy, fillDownload(current, space) else { return }
            case .finished: download = nil
            }
        }
    }

    private func beginDownload(_ block: Int) {
        let id = makeTransfer()
        download = Download(id: id)
        let service = service
        work(\.downloadLine, { () throws(BlockServiceError) in try service.openForReading(block) }) { [self] result in
            guard download?.id == id else { return }
            switch result {
            case .success(let reader):
                download?.reader = reader
                download?.isBusy = false
                sender.accept()
            case .failure(let error):
                download = nil
                sender.refuse(error.status)
            }
        }
    }

    /// Puts waiting bytes into the ring or asks the source for more; true when there may be more to do at once.
    private func fillDownload(_ current: Download, _ space: Int) -> Bool {
        if !current.waiting.isEmpty {
            let taken = sender.put(current.waiting.span.bytes, maxChunk: Self.pieceSize, now: node.now)
            download?.waiting.removeFirst(taken)
            return taken > 0
        }
        guard !current.hasEnded, let reader = current.reader else {
            sender.end(now: node.now)
            return true
        }
        download?.isBusy = true
        let count = min(space, Self.pieceSize)
        let id = current.id
        work(\.downloadLine, { () throws(BlockServiceError) in try reader.read(upTo: count) }) { [self] result in
            guard download?.id == id else { return }
            download?.isBusy = false
            switch result {
            case .success(let bytes):
                download?.waiting = bytes
                download?.hasEnded = bytes.isEmpty
            case .failure(let error):
                download = nil
                sender.fail(error.status)
            }
        }
        return false
    }

    // MARK: Off the loop

    /// Runs `body` on a thread once everything before it in `line` is done, then `then` on the loop, and looks at the
    /// streams again.
    private func work<Value: Sendable>(
        _ line: ReferenceWritableKeyPath<ControlStreams, EventLoopFuture<Void>>,
        _ body: @escaping @Sendable () throws(BlockServiceError) -> Value,
        then: @escaping (Result<Value, BlockServiceError>) -> Void
    ) {
        let bound = NIOLoopBound((self, then), eventLoop: node.loop)
        let loop = node.loop
        self[keyPath: line] = self[keyPath: line].flatMap {
            NIOThreadPool.singleton.runIfActive(eventLoop: loop) { () -> Result<Value, BlockServiceError> in
                do throws(BlockServiceError) { return .success(try body()) } catch { return .failure(error) }
            }
        }.map { result in
            let (streams, then) = bound.value
            then(result)
            streams.turn()
            streams.node.flushWaiting()
        }
    }
}
