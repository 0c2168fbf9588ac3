import DeviceStorage
import IODevice
import TerminalUI

/// What a start finds out about the configuration: what to run with, and whether that is on trial.
struct ConfigurationStart: Sendable {
    let keeper: ConfigurationKeeper
    let configuration: ModuleConfiguration
    let notes: DeviceNotes
    let isOnTrial: Bool
    let trust: ModuleTrust
    /// What the command line says, with whom the module trusts.
    let started: CandySettings

    /// Finishes what the last run began. Blocking.
    init(
        _ settings: CandySettings, _ store: any PersistentStore, programIsOnTrial: Bool, log: EventLog
    ) throws {
        var notes = try DeviceNotes(in: store)
        if let wipe = notes.wipe {
            try notes.finishWipe(in: store)
            let what = wipe == .factory ? "everything but the program" : "the secret and the trusted certificates"
            log.note("wiped", "\(what) was removed, as an operator asked")
        }
        let trust = try ModuleTrust(settings, TrustKeeper(store))
        var settings = settings
        settings.tls = trust.client
        if trust.standing != .given { settings.tlsWhenFound = trust.client }
        let keeper = ConfigurationKeeper(store)
        var (contents, isOnTrial) = try keeper.start(programIsOnTrial: programIsOnTrial)
        var configuration = ModuleConfiguration(settings, contents)
        if isOnTrial, let problem = configuration.problem {
            // No need to wait for the end of the time.
            try keeper.failed(problem)
            contents = try keeper.stored()
            isOnTrial = false
            log.note("configuration", "the new configuration was put back: \(problem)", [("state", "putBack")])
            configuration = ModuleConfiguration(settings, contents)
        }
        if let problem = configuration.problem { log.note("configuration", problem, [("state", "unusable")]) }
        for note in configuration.notes { log.note("configuration", note) }
        self.trust = trust
        started = settings
        self.keeper = keeper
        self.configuration = configuration
        self.notes = notes
        self.isOnTrial = isOnTrial
    }
}
