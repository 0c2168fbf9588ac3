import IOOperator
import Synchronization

/// Configurations that were saved here and count after a restart that has not been seen yet.
final class SavedConfigurations: Sendable {
    /// When a device had appeared whose configuration was saved, by its path.
    private let saved = Mutex<[String: Int64]>([:])

    func note(_ device: DeviceSummary) { saved.withLock { $0[device.path] = device.appeared } }

    /// A device that was away since then has started with it.
    func waits(_ device: DeviceSummary) -> Bool {
        saved.withLock { saved in
            guard let then = saved[device.path] else { return false }
            if then == device.appeared { return true }
            saved[device.path] = nil
            return false
        }
    }
}
