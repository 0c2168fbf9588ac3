import IOCOM
import IONode
import NIOCore

/// A transfer under way; looked at after every change.
protocol TransferJob: AnyObject {
    func turn()
    /// Gives up; the device is told.
    func cancel()
}

/// What uploads and downloads share: the device's presence, one snapshot at a time, the timer and the end. Confined to the
/// session's loop.
final class Transfer {
    let session: OperatorSession
    let device: RemoteDevice
    let block: Int
    private let port: StreamPort
    private let promise: EventLoopPromise<TransferResult>
    private let startedAt: Milliseconds
    private let times = StreamTimes()
    /// Since when a snapshot that must leave alone waits to leave.
    private var drainsSince: Milliseconds?
    private var isTurning = false
    private var isOver = false
    private var timer: Scheduled<Void>?
    private var timerDeadline: Milliseconds = 0

    init(
        session: OperatorSession, device: RemoteDevice, block: Int, port: StreamPort,
        promise: EventLoopPromise<TransferResult>
    ) {
        self.session = session
        self.device = device
        self.block = block
        self.port = port
        self.promise = promise
        startedAt = session.node.now
    }

    var loop: any EventLoop { session.node.loop }
    var now: Milliseconds { session.node.now }
    var isConnected: Bool { session.devices[device.path] === device && port.deviceBlock.isFed }

    /// Runs `body` unless it runs already, the transfer is over, or a snapshot that must leave alone has not left;
    /// publishes afterwards. `body` gives the time of the next look, nil when only events matter.
    func turn(_ job: any TransferJob, _ body: (Milliseconds) -> Milliseconds?) {
        guard !isTurning, !isOver else { return }
        if let drainsSince, isConnected, !port.controllerBlock.isDrained {
            guard now - drainsSince >= times.stall else { return schedule(drainsSince + times.stall, job) }
            return finish(
                job, nil, bytes: 0,
                OperatorError(.noConnection, "the server takes nothing more for \(device.path), though it is connected")
            )
        }
        drainsSince = nil
        isTurning = true
        let deadline = body(now)
        isTurning = false
        guard !isOver else { return }
        port.controllerBlock.publish()
        schedule(deadline, job)
    }

    /// The next change must be in a snapshot of its own.
    func publishAlone() {
        port.controllerBlock.publish()
        drainsSince = now
    }

    /// Another transfer is in the way: nil as long as that may end soon.
    var busyFailure: OperatorError? {
        guard now - startedAt > (port.isGivingUp ? times.givingUpPatience : times.busyPatience) else { return nil }
        return OperatorError(
            .busy, "\(device.path) is busy with another transfer; wait until it has ended and try again")
    }

    /// When to look again while another transfer is in the way.
    var busyDeadline: Milliseconds { now + times.busyLook }

    private func schedule(_ deadline: Milliseconds?, _ job: any TransferJob) {
        guard let deadline else {
            timer?.cancel()
            timer = nil
            return
        }
        // A timer that fires too early does no harm, and a new one for each snapshot costs.
        guard timer == nil || deadline < timerDeadline else { return }
        timer?.cancel()
        timerDeadline = deadline
        let bound = NIOLoopBound((self, job), eventLoop: loop)
        timer = loop.scheduleTask(in: .milliseconds(max(1, deadline - now))) {
            let (transfer, job) = bound.value
            transfer.timer = nil
            job.turn()
            transfer.session.node.flushWaiting()
        }
    }

    /// Tells the result, once.
    func finish(
        _ job: any TransferJob, _ status: StreamStatus?, bytes: UInt64, _ failure: OperatorError?, lost: Bool = false
    ) {
        guard !isOver else { return }
        isOver = true
        timer?.cancel()
        promise.succeed(
            TransferResult(
                status: status, bytes: bytes, seconds: Double(now - startedAt) / 1000, failure: failure,
                lostAfterLastByte: lost))
        session.finished(job)
    }
}
