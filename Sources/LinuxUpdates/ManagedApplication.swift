import ByteTools
import Glibc
import Synchronization

/// One application of an installer, with its updater, which one thread at a time may use.
final class ManagedApplication: @unchecked Sendable {
    let settings: ApplicationSettings
    let user: uid_t
    let control: any ApplicationControl
    /// A package that is being installed is the long work: others need not wait for that.
    private let gate = UpdateGate()
    /// Nil when its files can't be used.
    private let updater: LinuxUpdater?
    /// What was known before the package that is being installed.
    private let known = Mutex(InstallerState(stage: .idle))

    init(_ settings: ApplicationSettings, user: uid_t, control: any ApplicationControl, updater: LinuxUpdater?) {
        self.settings = settings
        self.user = user
        self.control = control
        self.updater = updater
    }

    /// Runs `body` alone; nil when a package is being installed, or there is no updater.
    func withUpdater<Value>(_ body: (LinuxUpdater) throws -> Value) rethrows -> Value? {
        guard let updater else { return nil }
        return try gate.pass { try body(updater) }
    }

    /// Runs `body`, which installs, alone; nil as before.
    func installing<Value>(_ body: (LinuxUpdater) throws -> Value) rethrows -> Value? {
        guard let updater else { return nil }
        return try gate.passForLong { work in
            let before = updater.state
            known.withLock { $0 = before }
            work.begin()
            // A program that was started waits until it can ask what it is, and confirm.
            updater.willStart = { work.end() }
            defer { updater.willStart = {} }
            return try body(updater)
        }
    }

    /// How things stand; while a package is being installed, what was known before.
    var state: InstallerState {
        if let state = withUpdater({ $0.state }) { return state }
        var state = known.withLock { $0 }
        if updater != nil, !gate.hasEnded { state.stage = .installing }
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
        gate.end()
        control.retire()
    }
}
