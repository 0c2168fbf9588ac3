import FirmwareCrypto
import FirmwareImages
import FirmwareStorage
import IOCOM

/// The two control streams of a device with what they write to and read from. Everything is done at once: a microcontroller
/// has one thread, and its flash is as quick as its line.
///
/// A class, because it holds some KiB: in a structure they would stand on the stack again at each step of its making.
final class DeviceTransfers<Area: FlashArea> {
    /// What happened, for the update signals.
    enum Event {
        case receiving
        case received(UInt64)
        case installed
        case failed(SlotProblem)
        case notSigned(StaticString)
        case refused
    }

    private enum Sink {
        case none
        case program
        case block
    }

    /// Bytes that are taken from a ring at once.
    private static var pieceSize: Int { 240 }

    var installer: SlotInstaller<Area>
    var log: BlockLog<Area>
    private var receiver: UploadReceiver
    private var sender: DownloadSender
    private var sink = Sink.none
    private var source: BlockLog<Area>.Value?
    private let keys: PackageKeys
    private let manifestTarget: ManifestTarget
    /// The package that comes is checked against what was signed.
    private var check: PackageCheck?
    private var mustDrain = false
    private var event: Event?

    init(
        installer: SlotInstaller<Area>, log: BlockLog<Area>, manifestTarget: ManifestTarget, upload: StreamPort,
        download: StreamPort
    ) {
        keys = PackageKeys(log)
        self.manifestTarget = manifestTarget
        self.installer = installer
        self.log = log
        receiver = UploadReceiver(port: upload)
        sender = DownloadSender(port: download)
        upload.initializeDevice()
        download.initializeDevice()
        upload.deviceBlock.publish()
    }

    /// Keys that packages must be signed with; with none every package is taken.
    var keyCount: Int { keys.count }

    /// Looks at the streams; call it at every step of the device. Gives the last thing that happened
    /// to a program, once.
    func turn(now: Milliseconds) -> Event? {
        event = nil
        if mustDrain {
            guard receiver.port.deviceBlock.isDrained else { return nil }
            mustDrain = false
        }
        turnUpload(now)
        if !mustDrain { turnDownload(now) }
        receiver.port.deviceBlock.publish()
        return event
    }

    private func publishAlone() {
        receiver.port.deviceBlock.publish()
        mustDrain = true
    }

    // MARK: Upload

    private func turnUpload(_ now: Milliseconds) {
        while true {
            switch receiver.turn(now: now, connected: receiver.port.controllerBlock.isFed) {
            case .idle, .wait: return
            case .publishAndTurn: return publishAlone()
            case .begin(let block): begin(block, now)
            case .data: take(now)
            case .finish: receiver.settle(finish())
            case .abandon: abandon()
            }
        }
    }

    private func begin(_ block: Int, _ now: Milliseconds) {
        abandon()
        if block == BlockRules.program {
            event = .receiving
            do throws(ManifestProblem) {
                check = try keys.permitted(log, on: manifestTarget)
            } catch {
                event = .notSigned(error.text)
                return receiver.refuse(.notAuthorized)
            }
            do throws(SlotProblem) {
                try installer.start()
                sink = .program
                receiver.accept(now: now)
            } catch {
                event = .failed(error)
                receiver.refuse(error.status)
            }
            return
        }
        guard BlockRules.mayBeWritten(block) else { return receiver.refuse(.noAccess) }
        do throws(BlockLogProblem) {
            try log.begin(UInt8(truncatingIfNeeded: block))
            sink = .block
            receiver.accept(now: now)
        } catch { receiver.refuse(error.status) }
    }

    private func take(_ now: Milliseconds) {
        var piece = InlineArray<240, UInt8>(repeating: 0)
        var filled = 0
        let taken = receiver.takeReadable(atMost: Self.pieceSize) { span in
            for i in 0..<span.byteCount {
                piece[filled] = span.unsafeLoad(fromByteOffset: i, as: UInt8.self)
                filled += 1
            }
        }
        let bytes = piece.span.bytes.extracting(first: taken)
        switch sink {
        case .none: receiver.fail(.failed)
        case .program:
            guard check?.add(bytes) != false else {
                abandon()
                event = .notSigned("the package is larger than the one that was signed")
                return receiver.fail(.notAuthorized)
            }
            do throws(SlotProblem) { try installer.append(bytes) } catch {
                sink = .none
                event = .failed(error)
                return receiver.fail(error.status)
            }
            receiver.confirm(taken, now: now)
            event = .received(receiver.confirmedBytes)
        case .block:
            do throws(BlockLogProblem) { try log.append(bytes) } catch {
                abandon()
                return receiver.fail(error.status)
            }
            receiver.confirm(taken, now: now)
        }
    }

    private func finish() -> StreamStatus {
        let open = sink
        sink = .none
        switch open {
        case .none: return .failed
        case .program:
            guard check?.isRight() != false else {
                installer.cancel()
                event = .notSigned("the package is not the one that was signed")
                return .notAuthorized
            }
            do throws(SlotProblem) { try installer.finish() } catch {
                event = .failed(error)
                return error.status
            }
            event = .installed
            return .completed
        case .block:
            do throws(BlockLogProblem) { try log.commit() } catch { return error.status }
            return .completed
        }
    }

    private func abandon() {
        switch sink {
        case .none: break
        case .program:
            installer.cancel()
            event = .refused
        case .block: log.abort()
        }
        sink = .none
    }

    // MARK: Download

    private func turnDownload(_ now: Milliseconds) {
        while true {
            switch sender.turn(now: now, connected: sender.port.controllerBlock.isFed) {
            case .idle, .wait: return
            case .publishAndTurn: return publishAlone()
            case .begin(let block): open(block)
            case .fill(let space): if !fill(space, now) { return }
            case .finished: source = nil
            }
        }
    }

    private func open(_ block: Int) {
        guard BlockRules.mayBeRead(block) else { return sender.refuse(.readFailed) }
        do throws(BlockLogProblem) {
            source = try log.value(UInt8(truncatingIfNeeded: block))
        } catch { source = nil }
        if source == nil { sender.refuse(.readFailed) } else { sender.accept() }
    }

    /// False when there is nothing to do before the next turn.
    private func fill(_ space: Int, _ now: Milliseconds) -> Bool {
        guard var value = source else {
            sender.end(now: now)
            return true
        }
        guard space > 0 else { return false }
        var piece = InlineArray<240, UInt8>(repeating: 0)
        let wanted = min(space, Self.pieceSize)
        let count: Int
        do throws(BlockLogProblem) {
            var span = piece.mutableSpan
            count = try span.withUnsafeMutableBytes { out throws(BlockLogProblem) in
                try log.read(&value, into: UnsafeMutableRawBufferPointer(rebasing: out[..<wanted]))
            }
        } catch {
            source = nil
            sender.fail(.readFailed)
            return true
        }
        guard count > 0 else {
            source = nil
            return true
        }
        source = value
        _ = sender.put(piece.span.bytes.extracting(first: count), maxChunk: count, now: now)
        return true
    }
}

extension SlotProblem {
    /// The number for the controller.
    var status: StreamStatus {
        switch self {
        case .image(let problem): problem.status
        case .flash, .notWritten, .records: .programmingFailed
        case .onTrial, .restarting: .failed
        case .notStarted: .installerNotStarted
        }
    }

    /// The reason for people.
    var text: StaticString {
        switch self {
        case .image(.tooLarge): "the program is larger than its slot"
        case .image(.application): "the program is another application"
        case .image(.hardware), .image(.os): "the program is for other hardware"
        case .image(.loadAddress): "the program is linked for another address"
        case .image(.notAnImage): "not a program: it has no descriptor"
        case .image(.hash): "the program's bytes do not match its hash"
        case .image(.tooShort): "the program ends before its last byte"
        case .image(.tooLong): "bytes follow after the end of the program"
        case .image: "the program is damaged"
        case .flash: "the flash failed"
        case .notWritten: "the flash does not hold what was written"
        case .records: "the flash does not say rightly which program runs; restart the device, and look at its flash"
        case .onTrial: "the running program has not proved itself yet; try again when it has"
        case .restarting: "the device is about to restart; try again when it is back"
        case .notStarted: "no installation was started"
        }
    }
}

extension BlockLogProblem {
    /// The number for the controller.
    var status: StreamStatus {
        switch self {
        case .full: .discFull
        case .busy: .noAccess
        case .flash, .changed, .notStarted: .writeFailed
        }
    }
}
