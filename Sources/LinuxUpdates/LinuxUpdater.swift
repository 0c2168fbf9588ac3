public import ByteTools
import Programs

/// Installs packages of one application, watches the trial of the new program and takes it back. Blocking; one call at a
/// time. Works with the rights of its process, which must be able to run dpkg.
public final class LinuxUpdater {
    /// Why a package is not installed; nothing was changed.
    public struct Refusal: Error, Equatable, Sendable, CustomStringConvertible {
        /// Kind, for the status numbers of the protocol.
        public enum Kind: Sendable {
            /// Not a package, or damaged.
            case damaged
            /// For something else.
            case unfit
            /// Not signed, or not rightly.
            case notAuthorized
            /// Another update is under way.
            case busy
            /// It could not be prepared.
            case failed
        }

        /// Kind.
        public let kind: Kind
        /// The reason for people.
        public let description: String

        init(_ kind: Kind, _ description: String) {
            self.kind = kind
            self.description = description
        }
    }

    /// Crashes in a row that end the trial of a program.
    private static let mostCrashes = 3
    /// How often it is looked how the program on trial is doing.
    private static let glance = Duration.seconds(1)
    /// How often going back is tried again.
    private static let retryTime = Duration.seconds(30)

    private let settings: ApplicationSettings
    private let dpkg: Dpkg
    private let control: any ApplicationControl
    private let keeper: PackageKeeper
    private let clock = ContinuousClock()
    private var update: LinuxUpdate
    private var deadline: ContinuousClock.Instant?
    private var nextLook: ContinuousClock.Instant
    private var nextRetry: ContinuousClock.Instant
    /// Instances of the program on trial that proved themselves.
    private var confirmed: Set<String> = []

    /// An updater that keeps its files in `folder`. Call ``start()`` first.
    public init(
        _ settings: ApplicationSettings, folder: String, dpkg: Dpkg, control: any ApplicationControl
    ) throws(StorageFailure) {
        self.settings = settings
        self.dpkg = dpkg
        self.control = control
        keeper = try PackageKeeper(folder: folder, dpkg: dpkg)
        update = LinuxUpdate(try keeper.journal())
        nextLook = clock.now
        nextRetry = clock.now
    }

    /// What is known of the latest update.
    public var journal: UpdateJournal { update.journal }

    /// Finishes or undoes what was interrupted.
    public func start() throws(StorageFailure) {
        if update.isUnderWay { dpkg.waitForOrphans() }
        try perform(update.started(try dpkg.findings(settings.package)))
    }

    /// The version that would be installed when the present program is given up.
    public var previousVersion: String? {
        update.isUnderWay ? update.journal.from : keeper.previousVersion(of: settings.package)
    }

    // MARK: Installing

    /// Called once before the application is stopped for what is asked next.
    public var willRestart: () -> Void = {}

    /// Called before the application is stopped to go back, which takes long: meanwhile it may ask.
    var willGoBack: () -> Void = {}

    /// Called before the application is started: from here on it may ask.
    public var willStart: () -> Void = {}

    /// Called with the last lines of what the package manager says, when there is something new.
    public var says: (String) -> Void = { _ in }

    /// Examines and installs a package. `manifest` is the content of persistent block 13. Returns when the new program was
    /// started on trial, or the installation failed and the old one runs: ``journal`` tells.
    public func install(_ package: some ByteSource, manifest: [UInt8]?) throws {
        guard !update.isUnderWay else { throw Refusal(.busy, "another update of \(settings.package) is under way") }
        let (from, to) = try prepare(package, manifest)
        try perform(update.begin(from: from, to: to))
    }

    private func prepare(_ source: some ByteSource, _ manifest: [UInt8]?) throws -> (from: String?, to: String) {
        do { try keeper.take(source) } catch { throw Refusal(.failed, error.description) }
        let inspection: PackageInspection
        let package: DebianPackage
        do {
            // From here on only the copy counts: what was examined is what is installed.
            package = try DebianPackage(path: keeper.newPackage)
            inspection = try PackageInspection(path: keeper.newPackage)
        } catch { throw Refusal(.damaged, "\(error)") }
        guard package.package == settings.package else {
            throw Refusal(.unfit, "the package is \(package.package), this application is \(settings.package)")
        }
        let machine = try dpkg.architecture()
        guard package.architecture == machine || package.architecture == "all" else {
            throw Refusal(.unfit, "the package is for \(package.architecture), this machine is \(machine)")
        }
        let findings = try dpkg.findings(settings.package)
        guard findings.isConsistent else {
            throw Refusal(.failed, "dpkg has something half done with \(settings.package); run 'dpkg --configure -a'")
        }
        try checkSignature(manifest, inspection, machine: machine, running: findings.version)
        try fetch(package)
        do {
            if let version = findings.version { try keeper.keepInstalled(settings.package, version: version) }
            try keeper.keepData(settings.data, of: settings.package)
        } catch { throw Refusal(.failed, error.description) }
        return (findings.version, package.version)
    }

    /// Looks whether everything is there that the package needs, before anything is changed.
    private func fetch(_ package: DebianPackage) throws {
        let missing = try dpkg.missing(of: package.dependencies)
        guard !missing.isEmpty else { return }
        let names = missing.map(\.text).joined(separator: ", ")
        guard settings.fetchesDependencies else {
            throw Refusal(
                .unfit,
                "\(package.package) \(package.version) needs what is not installed: \(names); install it on this machine, "
                    + "or allow fetching with \"fetchDependencies\": true")
        }
        let failure = try listening { said throws(StorageFailure) in try dpkg.satisfy(missing, said: said) }
        if let failure {
            throw Refusal(.failed, "\(names) could not be fetched: \(failure)")
        }
        let still = try dpkg.missing(of: package.dependencies)
        guard still.isEmpty else {
            throw Refusal(.failed, "apt did not install \(still.map(\.text).joined(separator: ", "))")
        }
    }

    private func checkSignature(
        _ manifest: [UInt8]?, _ inspection: PackageInspection, machine: String, running: String?
    ) throws {
        // Keys that settings name must be there; those of the machine count as soon as there are some.
        let standard = Folder.exists(ApplicationSettings.standardKeys) ? ApplicationSettings.standardKeys : nil
        guard let path = settings.keys ?? standard else { return }
        do {
            let keys = try TrustedKey.load(path)
            guard !keys.isEmpty else { throw StorageFailure("\(path) holds no key: no package is accepted") }
            guard let manifest else {
                throw StorageFailure("this machine takes signed packages only, and no manifest came before the package")
            }
            let device = ProgramTarget(
                application: inspection.application, os: "linux", hardware: machine,
                version: running.flatMap { try? ProgramVersion($0) })
            try SignedManifest.permitted(manifest, by: keys, on: device)
                .check(size: inspection.size, sha256: inspection.sha256)
        } catch { throw Refusal(.notAuthorized, "\(error)") }
    }

    // MARK: Trial

    /// An instance of the new program proved itself. With the last of them the update is confirmed.
    public func confirm(_ instance: String) throws(StorageFailure) {
        confirmed.insert(instance)
        guard settings.instances.allSatisfy({ confirmed.contains($0.name) }) else { return }
        try perform(update.confirmed())
    }

    /// The new program is given up.
    public func giveUp(_ reason: String) throws(StorageFailure) { try perform(update.gaveUp(reason)) }

    /// Seconds that the new program still has; nil when none is on trial.
    public var secondsLeft: Int? {
        deadline.map { max(0, Int((clock.now.duration(to: $0) / .seconds(1)).rounded(.up))) }
    }

    /// Installs the previous package again because an operator wants it.
    public func rollBack() throws {
        if update.isUnderWay { return try giveUp("an operator asked for it") }
        guard let previous = previousVersion, let running = try dpkg.findings(settings.package).version else {
            throw Refusal(.failed, "no previous package of \(settings.package) is kept")
        }
        try keeper.takePrevious()
        try perform(update.goBack(from: running, to: previous, "an operator asked for it"))
    }

    /// To be called often: gives the new program up when it crashes or its time is over, and tries again to go back.
    public func tick() throws(StorageFailure) {
        let now = clock.now
        switch update.journal.stage {
        case .idle, .installing: return
        case .rollingBack:
            guard now >= nextRetry else { return }
            nextRetry = now + Self.retryTime
            try perform(update.retry())
        case .proving:
            if let deadline, now >= deadline {
                if !settings.confirmsItself, control.crashes() == nil { return try perform(update.confirmed()) }
                return try giveUp("it did not prove itself within \(settings.proofSeconds) s")
            }
            guard now >= nextLook else { return }
            nextLook = now + Self.glance
            guard let crashes = control.crashes(), crashes.isFinal || crashes.count >= Self.mostCrashes else { return }
            try giveUp("it crashed \(crashes.count == 1 ? "once" : "\(crashes.count) times"): \(crashes.reason)")
        }
    }

    /// How things stand.
    public var state: InstallerState {
        let journal = update.journal
        var state = InstallerState(
            stage: .idle, secondsLeft: secondsLeft, version: (try? dpkg.findings(settings.package))?.version,
            previous: previousVersion, result: journal.result, reason: journal.reason, said: journal.said)
        switch journal.stage {
        case .idle: break
        case .installing: state.stage = .installing
        case .proving: state.stage = .proving
        case .rollingBack(let reason):
            state.stage = .rollingBack
            state.reason = reason
        }
        return state
    }

    // MARK: Steps

    private func install(_ path: String) throws(StorageFailure) -> LinuxUpdate.Run {
        try listening { said throws(StorageFailure) in
            try dpkg.install(path, package: settings.package, said: said)
        }
    }

    /// Passes on and keeps what a run says.
    private func listening<Value>(
        _ run: ((ArraySlice<UInt8>) -> Void) throws(StorageFailure) -> Value
    ) throws(StorageFailure) -> Value {
        var text = SaidText()
        defer {
            update.note(said: text.text)
            says(text.text)
        }
        return try run { bytes in
            let before = text.finishedText
            text.append(bytes)
            let after = text.finishedText
            if after != before { says(after) }
        }
    }

    private func sayFarewell() {
        willRestart()
        willRestart = {}
    }

    private func perform(_ actions: [LinuxUpdate.Action]) throws(StorageFailure) {
        var actions = actions
        while let action = actions.first {
            actions.removeFirst()
            try keeper.save(update.journal)
            switch action {
            case .repair:
                _ = try listening { said throws(StorageFailure) in
                    try dpkg.repair(package: settings.package, said: said)
                }
                actions += update.started(try dpkg.findings(settings.package))
            case .installNew:
                actions += update.installed(try install(keeper.newPackage))
            case .installPrevious:
                deadline = nil
                // Who says farewell may have to ask for it.
                willGoBack()
                sayFarewell()
                try control.stop()
                let run = try install(keeper.currentPackage)
                if run.failure == nil {
                    try control.stop()
                    try keeper.restoreData(settings.data)
                }
                nextRetry = clock.now + Self.retryTime
                actions += update.wentBack(run)
            case .startTrial:
                sayFarewell()
                confirmed = []
                deadline = clock.now + .seconds(settings.proofSeconds)
                willStart()
                try control.restart()
                nextLook = clock.now + Self.glance
            case .start:
                deadline = nil
                willStart()
                try control.restart()
            case .keepNew:
                deadline = nil
                try keeper.keepNew()
            }
        }
        try keeper.save(update.journal)
    }
}
