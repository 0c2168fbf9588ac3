public import Bricks
public import IOCOM
import IONode
import NIOCore

extension Operator {
    /// The pictures of a camera, from now on, as long as somebody reads them; who is slow gets the newest.
    ///
    ///     for try await picture in operator_.pictures(of: path, assembly: "camera") { … }
    ///
    /// The camera is asked for the first one when this is called, and delivers nothing once the sequence is cancelled. It
    /// ends with an ``OperatorError`` when the device has no such camera or goes away; after that ask again.
    public func pictures(of path: DevicePath, assembly: String) -> AsyncThrowingStream<Brick, any Error> {
        let (pictures, feed) = AsyncThrowingStream<Brick, any Error>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let session = session
        let loop = loop
        let reception = NIOLoopBoundBox.makeBoxSendingValue(Reception(), eventLoop: loop)
        let opening = Task {
            do {
                let port = try await cameraPort(path, assembly)
                try await loop.submit {
                    guard !reception.value.isOver else { return }
                    guard let device = session.value.devices[path] else {
                        throw OperatorError(.deviceNotFound, "\(path) went away")
                    }
                    let made = PictureJob(
                        session: session.value, device: device, name: assembly, port: port.value,
                        deliver: { feed.yield($0) }, end: { feed.finish(throwing: $0) })
                    reception.value.job = made
                    session.value.start(made)
                }.get()
            } catch { feed.finish(throwing: error) }
        }
        feed.onTermination = { _ in
            opening.cancel()
            loop.execute {
                reception.value.isOver = true
                reception.value.job?.cancel()
                reception.value.job = nil
                session.value.node.flushWaiting()
            }
        }
        return pictures
    }

    /// What one sequence of pictures holds on the session's loop.
    private struct Reception {
        var job: PictureJob?
        var isOver = false
    }

    /// Takes over the blocks of a camera and waits until the device has written its own.
    private func cameraPort(_ path: DevicePath, _ assembly: String) async throws -> NIOLoopBound<CameraPort> {
        let info = try await description(of: path)
        let signals: CameraSignals
        do { signals = try CameraSignals(assembly, in: info) } catch {
            throw OperatorError(.notSupported, "\(path): \(error)")
        }
        guard let up = BlockName(signals.deviceBlock), let down = BlockName(signals.controllerBlock) else {
            throw OperatorError(.notSupported, "\(path): the blocks of camera '\(assembly)' have impossible names")
        }
        let session = session
        let loop = loop
        let port = try await loop.flatSubmit {
            () -> EventLoopFuture<Result<NIOLoopBound<CameraPort>, OperatorError>?> in
            guard let device = session.value.devices[path], session.value.take([up, down], of: device) else {
                return loop.makeSucceededFuture(
                    .failure(OperatorError(.notSupported, "\(path) does not show the blocks \(up) and \(down)")))
            }
            return session.value.wait(.seconds(10)) { session in
                guard session.devices[path] === device else {
                    return .failure(OperatorError(.deviceNotFound, "\(path) went away"))
                }
                guard device.received.contains(up), let deviceBlock = device.blocks[up],
                    let controllerBlock = device.blocks[down]
                else { return nil }
                guard
                    let port = CameraPort(
                        controllerBlock: controllerBlock, deviceBlock: deviceBlock, signals: signals)
                else {
                    return .failure(OperatorError(.notSupported, "the description of \(path) does not fit its blocks"))
                }
                return .success(NIOLoopBound(port, eventLoop: loop))
            }
        }.get()
        guard let port else {
            throw OperatorError(.failed, "\(path) did not send what its camera '\(assembly)' writes in time; try again")
        }
        return try port.get()
    }
}
