import Bricks
import IOCOM
import IONode
import NIOCore

/// Receives the pictures of a camera until nobody wants them or the device is gone. Confined to the session's loop.
final class PictureJob: TransferJob {
    /// Pictures in a row that may come damaged.
    private static let damagedLimit = 3

    private let session: OperatorSession
    private let device: RemoteDevice
    private let name: String
    private let deliver: (Brick) -> Void
    private let end: (OperatorError?) -> Void
    private var receiver: BrickReceiver
    private var damaged = 0
    private var isOver = false
    private var timer: Scheduled<Void>?

    /// `end` is called once, without an error after ``cancel()``.
    init(
        session: OperatorSession, device: RemoteDevice, name: String, port: CameraPort,
        deliver: @escaping (Brick) -> Void, end: @escaping (OperatorError?) -> Void
    ) {
        self.session = session
        self.device = device
        self.name = name
        self.deliver = deliver
        self.end = end
        receiver = BrickReceiver(port: port, command: .random(in: 1...1_000_000))
    }

    func cancel() { finish(nil) }

    func turn() {
        while !isOver {
            let isConnected = session.devices[device.path] === device && receiver.port.deviceBlock.isFed
            switch receiver.turn(now: session.node.now, connected: isConnected) {
            case .picture(let brick):
                damaged = 0
                deliver(brick)
            case .damaged(let error):
                damaged += 1
                guard damaged >= Self.damagedLimit else { break }
                finish(OperatorError(.failed, "camera '\(name)' of \(device.path) sends damaged pictures: \(error)"))
            case .gone:
                finish(OperatorError(.noConnection, "\(device.path) went away; camera '\(name)' stopped"))
            case .wait:
                receiver.port.controllerBlock.publish()
                return schedule()
            }
        }
    }

    private func schedule() {
        timer?.cancel()
        timer = nil
        guard let deadline = receiver.deadline else { return }
        let bound = NIOLoopBound(self, eventLoop: session.node.loop)
        timer = session.node.loop.scheduleTask(in: .milliseconds(max(1, deadline - session.node.now))) {
            bound.value.timer = nil
            bound.value.turn()
            bound.value.session.node.flushWaiting()
        }
    }

    private func finish(_ error: OperatorError?) {
        guard !isOver else { return }
        isOver = true
        timer?.cancel()
        session.finished(self)
        end(error)
    }
}
