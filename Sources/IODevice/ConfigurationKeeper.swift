public import DeviceStorage
import Synchronization

/// `cfg_state`: where a device's configuration stands.
public enum ConfigurationState: Int64, Sendable {
    /// What is stored is in force.
    case inForce = 0
    /// A new configuration is stored and waits for a restart.
    case saved = 1
    /// The device runs with a configuration that has to prove itself.
    case trial = 2
    /// The last good configuration was put back.
    case putBack = 3
}

/// Stores the configuration of a device by ``ConfigurationCourse``. Its calls block and may come from any thread.
public final class ConfigurationKeeper: Sendable {
    private struct State {
        var journal = ConfigurationJournal()
        var running = ConfigurationContents()
        var isOnTrial = false
    }

    /// Where the device's blocks are.
    private let store: any PersistentStore
    private let state = Mutex(State())

    /// A keeper over a device's store; ``start(programIsOnTrial:)`` comes first.
    public init(_ store: any PersistentStore) { self.store = store }

    /// Finds out what the device runs with, and whether that is on trial.
    public func start(
        programIsOnTrial: Bool
    ) throws(PersistentStoreError) -> (contents: ConfigurationContents, isOnTrial: Bool) {
        try state.withLock { state throws(PersistentStoreError) in
            state.journal =
                (try read(PersistentBlock.configurationJournal)).flatMap(ConfigurationJournal.init)
                ?? ConfigurationJournal()
            let start = ConfigurationCourse.start(
                state.journal, try present(), programIsOnTrial: programIsOnTrial)
            state.running = start.runs
            state.isOnTrial = start.isOnTrial
            try take(start.steps, &state)
            return (start.runs, start.isOnTrial)
        }
    }

    /// What the device runs with.
    public var running: ConfigurationContents { state.withLock { $0.running } }

    /// What is stored.
    public func stored() throws(PersistentStoreError) -> ConfigurationContents {
        try state.withLock { _ throws(PersistentStoreError) in try present() }
    }

    /// Where it stands, and why for people.
    public func status() throws(PersistentStoreError) -> (state: ConfigurationState, reason: String) {
        try state.withLock { state throws(PersistentStoreError) in
            switch state.journal.phase {
            case .inForce: return (.inForce, "")
            case .putBack, .restoring: return (.putBack, state.journal.reason)
            case .saved, .switching:
                return (try present() == state.running ? (state.isOnTrial ? .trial : .inForce) : .saved, "")
            case .trial: return (state.isOnTrial ? .trial : .saved, "")
            }
        }
    }

    /// Runs `commit`, which replaces block 2 or 11, once the last good configuration is safe.
    func change(_ commit: () throws(PersistentStoreError) -> Void) throws(PersistentStoreError) {
        try state.withLock { state throws(PersistentStoreError) in
            try take(ConfigurationCourse.saving(state.journal, try present()), &state)
            try commit()
        }
    }

    /// Stores node settings (block 11).
    public func save(settings bytes: [UInt8]) throws(PersistentStoreError) {
        try change { () throws(PersistentStoreError) in try store.write(PersistentBlock.nodeSettings, bytes) }
    }

    /// The configuration that the device runs with proved itself.
    public func proved() throws(PersistentStoreError) {
        try state.withLock { state throws(PersistentStoreError) in
            guard state.isOnTrial else { return }
            try take(ConfigurationCourse.proved(state.journal, running: state.running), &state)
            state.isOnTrial = false
        }
    }

    /// The configuration on trial did not prove itself: puts the last good one back, which counts after a restart.
    public func failed(_ reason: String) throws(PersistentStoreError) {
        try state.withLock { state throws(PersistentStoreError) in
            guard state.isOnTrial else { return }
            try take(ConfigurationCourse.failed(state.journal, reason), &state)
            state.isOnTrial = false
        }
    }

    /// Puts the last good configuration back; false when there is no other than the one in force. It counts after a restart.
    public func goBack() throws(PersistentStoreError) -> Bool {
        try state.withLock { state throws(PersistentStoreError) in
            guard let steps = ConfigurationCourse.back(state.journal, try present()) else { return false }
            try take(steps, &state)
            return true
        }
    }

    private func take(_ steps: [ConfigurationStep], _ state: inout State) throws(PersistentStoreError) {
        for step in steps {
            switch step {
            case .note(let journal):
                try store.write(PersistentBlock.configurationJournal, journal.bytes)
                state.journal = journal
            case .put(let contents):
                try put(contents.network, PersistentBlock.configuration)
                try put(contents.settings, PersistentBlock.nodeSettings)
            }
        }
    }

    private func put(_ value: [UInt8]?, _ block: Int) throws(PersistentStoreError) {
        if let value { try store.write(block, value) } else { try store.remove(block) }
    }

    private func present() throws(PersistentStoreError) -> ConfigurationContents {
        ConfigurationContents(
            network: try read(PersistentBlock.configuration), settings: try read(PersistentBlock.nodeSettings))
    }

    /// A value that is damaged counts as none: a device without its configuration has the built-in one, and one that does not
    /// start has nothing.
    private func read(_ block: Int) throws(PersistentStoreError) -> [UInt8]? {
        do { return try store.read(block) } catch {
            guard case .damaged = error else { throw error }
            return nil
        }
    }
}
