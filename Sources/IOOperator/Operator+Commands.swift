import DeviceDescription
public import IOCOM
import IONode
import NIOCore

extension Operator {
    /// Between taking a command's value back and setting it: long enough that no server makes one snapshot of both.
    private static let pause = Duration.milliseconds(300)

    /// Sets signals as one snapshot, so that the device sees each of them change even if it was set to the same before: a device
    /// does not obey what it obeyed before a restart until it has seen it different.
    public func command(_ values: [(signal: String, value: String)], of path: DevicePath) async throws {
        _ = try await device(path)
        try await put(values, of: path, reset: true)
        try await Task.sleep(for: Self.pause)
        try await put(values, of: path, reset: false)
    }

    private func put(_ values: [(signal: String, value: String)], of path: DevicePath, reset: Bool) async throws {
        let session = session
        try await loop.submit {
            guard let device = session.value.devices[path], let info = device.info else {
                throw OperatorError(.deviceNotFound, "\(path) went away")
            }
            guard session.value.take(["imp"], of: device), let memory = device.blocks["imp"] else {
                throw OperatorError(.notSupported, "\(path) has no block imp: it takes no commands")
            }
            for (name, text) in values {
                guard let signal = info.signal(name, in: "imp")?.signal else {
                    throw OperatorError(.notSupported, "\(path) has no signal '\(name)', so it cannot do this")
                }
                do throws(SignalValueError) {
                    if reset {
                        // Not connected: for the device it was never set.
                        let none: SignalValue = signal.type == .str ? .text("") : .bool(false)
                        try signal.setValue(none, in: memory, state: [])
                    } else {
                        try signal.setValue(try SignalValue(parsing: text, for: signal), in: memory)
                    }
                } catch { throw OperatorError(.failed, "signal '\(name)' of \(path) was not set: \(error)") }
            }
            memory.publish()
            session.value.node.flushWaiting()
        }.get()
        try await drain()
    }
}
