import ByteTools
import Glibc
import Synchronization

/// One application of an installer, with its updater, which one thread at a time may use.
final class ManagedApplication: @unchecked Sendable {
    let settings: ApplicationSettings
    let user: uid_t
    let control: any ApplicationControl
    private let lock = Monitor()
    /// Nil when its files can't be used.
    private let updater: LinuxUpdater?
    /// A package is being installed: others need not wait for that.
    private let isInstalling = Mutex(false)
    /// What was known before that.
    private let known = Mutex(InstallerState(stage: .idle))
    private let hasEnded = Mutex(false)

    init(_ settings: ApplicationSettings, user: uid_t, control: any ApplicationControl, updater: LinuxUpdater?) {
        self.settings = settings
        self.user = user
        self.control = control
        self.updater = updater
    }

    /// Runs `body` alone; nil when a package is being installed, or there is no updater.
    func withUpdater<Value>(installs: Bool = false, _ body: (LinuxUpdater) throws -> Value) rethrows -> Value? {
        guard let updater, !isInstalling.withLock({ $0 }) else { return nil }
        return try lock.withLock {
            guard !hasEnded.withLock({ $0 }) else { return nil }
            guard installs else { return try body(updater) }
            let before = updater.state
            known.withLock { $0 = before }
            isInstalling.withLock { $0 = true }
            // A program that was started waits for the lock to ask what it is, and to confirm.
            updater.willStart = { [weak self] in self?.isInstalling.withLock { $0 = false } }
            defer {
                updater.willStart = {}
                isInstalling.withLock { $0 = false }
            }
            return try body(updater)
        }
    }

    /// How things stand; while a package is being installed, what was known before.
    var state: InstallerState {
        if let state = withUpdater({ $0.state }) { return state }
        var state = known.withLock { $0 }
        if updater != nil, !hasEnded.withLock({ $0 }) { state.stage = .installing }
        return state
    }

    /// True while an update is not over.
    var isUnderWay: Bool { state.stage != .idle }

    /// Starts it anew, but not in the middle of an update.
    func restart() throws {
        guard updater != nil else { return try control.restart() }
        let done: Void? = try withUpdater { _ in try control.restart() }
        guard done != nil else { throw StorageFailure("an update of \(settings.package) is under way") }
    }

    /// Ends it; waits for a package that is being installed.
    func end() {
        lock.withLock { hasEnded.withLock { $0 = true } }
        control.retire()
    }
}
