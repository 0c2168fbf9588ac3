import Bricks
import IOCOM
import IONode
import NIOCore
import NIOPosix

/// Delivers a camera's pictures while somebody receives them.
///
/// Confined to the node's loop; pictures are made on a thread of their own, one after the other.
final class CameraFeed {
    private let node: Node
    private let source: any PictureSource
    private let started: Milliseconds
    private var sender: BrickSender
    private var timer: Scheduled<Void>?
    private var isStopped = false

    /// A camera over `blocks`, which must have its signals.
    init(_ camera: Camera, blocks: DeviceBlocks, node: Node) throws(DeviceSetupError) {
        let signals: CameraSignals
        do throws(CameraSignalsError) { signals = try CameraSignals(camera.assembly, in: blocks.info) } catch {
            throw DeviceSetupError("\(blocks.path): \(error)")
        }
        guard let controller = blocks.block(signals.controllerBlock), let device = blocks.block(signals.deviceBlock),
            let port = CameraPort(controllerBlock: controller, deviceBlock: device, signals: signals)
        else { throw DeviceSetupError("the camera signals of \(blocks.path) do not fit their blocks") }
        self.node = node
        source = camera.source
        started = node.now
        sender = BrickSender(port: port, times: camera.times)
        port.initializeDevice()
        device.publish()
    }

    /// No more pictures.
    func stop() {
        isStopped = true
        timer?.cancel()
    }

    /// Something may have changed: a snapshot came, the block was sent, time passed, a connection came or went.
    func turn() {
        guard !isStopped else { return }
        switch sender.turn(now: node.now, connected: sender.port.controllerBlock.isFed) {
        case .make: make()
        case .wait: schedule()
        }
    }

    private func make() {
        let source = source
        let timestamp = UInt64(max(0, node.now - started)) * 1000
        let bound = NIOLoopBound(self, eventLoop: node.loop)
        NIOThreadPool.singleton.runIfActive(eventLoop: node.loop) {
            source.picture(timestamp: timestamp)?.encoded
        }.whenComplete { result in
            let feed = bound.value
            guard !feed.isStopped else { return }
            feed.sender.deliver((try? result.get()) ?? nil)
            feed.sender.port.deviceBlock.publish()
            feed.turn()
            feed.node.flushWaiting()
        }
    }

    private func schedule() {
        timer?.cancel()
        timer = nil
        guard let deadline = sender.deadline else { return }
        let bound = NIOLoopBound(self, eventLoop: node.loop)
        timer = node.loop.scheduleTask(in: .milliseconds(max(1, deadline - node.now))) {
            bound.value.timer = nil
            bound.value.turn()
            bound.value.node.flushWaiting()
        }
    }
}
