public import DeviceDescription
public import IOCOM
import NIOCore

extension Operator {
    /// Everything about the devices, then what changes, at most once in `milliseconds`. Ends when the task that reads is
    /// cancelled.
    public func deviceChanges(milliseconds: Int64 = 100) -> AsyncStream<DeviceChange> {
        changes { $0.observeDevices(interval: .milliseconds(milliseconds)) }
    }

    /// Whether there is a connection, then each time that changes.
    public func connectionChanges() -> AsyncStream<ConnectionChange> { changes { $0.observeConnection() } }

    /// All signals of a device, then those that change; also across restarts of the device.
    public func signalChanges(of path: DevicePath, milliseconds: Int64 = 100) -> AsyncStream<SignalChange> {
        changes { $0.observeSignals(of: path, interval: .milliseconds(milliseconds)) }
    }

    /// A part of a memory block, each time it changed.
    public func memoryChanges(
        of block: BlockPath, _ range: Range<Int>, milliseconds: Int64 = 250
    ) -> AsyncStream<MemoryPart> {
        changes { $0.observeMemory(block, range, interval: .milliseconds(milliseconds)) }
    }

    /// What a device tells of itself.
    public func description(of path: DevicePath) async throws -> DeviceInfo {
        _ = try await device(path)
        let session = session
        let info = try await loop.submit { session.value.devices[path]?.info }.get()
        guard let info else { throw OperatorError(.failed, "\(path) cannot be read: its description has not come") }
        return info
    }

    private func changes<Change: Sendable>(
        _ observe: @escaping @Sendable (OperatorSession) -> (id: UInt64, Observer<Change>)
    ) -> AsyncStream<Change> {
        let loop = loop
        let session = session
        let made = NIOLoopBoundBox<(id: UInt64, observer: Observer<Change>)?>.makeBoxSendingValue(nil, eventLoop: loop)
        let end: @Sendable () -> Void = {
            loop.execute {
                guard let (id, observer) = made.value else { return }
                session.value.removeObserver(id)
                observer.end()
            }
        }
        // Who stops reading without being cancelled ends it too.
        let lease = Lease(end)
        return AsyncStream {
            defer { withExtendedLifetime(lease) {} }
            let change = try? await loop.flatSubmit { () -> EventLoopFuture<Change?> in
                let (_, observer) =
                    made.value
                    ?? {
                        let (id, observer) = observe(session.value)
                        made.value = (id, observer)
                        return (id, observer)
                    }()
                return observer.next()
            }.get()
            return change ?? nil
        } onCancel: {
            end()
        }
    }
}

/// Does something when nobody holds it any more.
private final class Lease: Sendable {
    private let end: @Sendable () -> Void

    init(_ end: @escaping @Sendable () -> Void) { self.end = end }

    deinit { end() }
}
