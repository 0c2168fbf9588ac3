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
    /// What is said while others are turned away.
    private let known = Mutex(InstallerState(stage: .idle))

    init(_ settings: ApplicationSettings, user: uid_t, control: any ApplicationControl, updater: LinuxUpdater?) {
        self.settings = settings
        self.user = user
        self.control = control
        self.updater = updater
    }

    /// Runs `body` alone; nil when a package is being installed, or there is no updater.
    func withUpdater<Value>(_ body: (LinuxUpdater) throws -> Value) rethrows -> Value? {
        try alone { updater, _ in try body(updater) }
    }

    /// Runs `body`, which installs, alone; nil as before.
    func installing<Value>(_ body: (LinuxUpdater) throws -> Value) rethrows -> Value? {
        try alone { updater, work in
            begin(work, .installing, updater)
            return try body(updater)
        }
    }

    private func alone<Value>(_ body: (LinuxUpdater, UpdateGate.LongWork) throws -> Value) rethrows -> Value? {
        guard let updater else { return nil }
        return try gate.passForLong { work in
            // A program that is stopped must not wait for an answer then, or it would not see that.
            updater.willGoBack = { self.begin(work, .rollingBack, updater) }
            // A program that was started waits until it can ask what it is, and confirm.
            updater.willStart = { work.end() }
            defer {
                updater.willGoBack = {}
                updater.willStart = {}
            }
            return try body(updater, work)
        }
    }

    private func begin(_ work: UpdateGate.LongWork, _ stage: InstallerState.Stage, _ updater: LinuxUpdater) {
        var state = updater.state
        state.stage = stage
        known.withLock { $0 = state }
        work.begin()
    }

    /// How things stand; while others are turned away, what was known before.
    var state: InstallerState {
        if let state = withUpdater({ $0.state }) { return state }
        var state = known.withLock { $0 }
        if gate.hasEnded { state.stage = .idle }
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
