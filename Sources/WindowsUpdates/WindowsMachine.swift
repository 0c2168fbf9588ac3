public import ByteTools
import IOCOM
import Installers
public import Programs

/// One application on a Windows: its packages, what is installed, and the way from one to the other. Blocking.
///
/// What is installed and what is kept is never forgotten before the registry says so. What fails and may pass (another
/// installation, a tool that does not answer, a full disk) is tried again at the next start and when an operator asks, or is
/// overtaken by another package. Wherever it is cut, the next start ends with the package before or the one that proved
/// itself. No start fails: the device is its own program and can be reached without the one that it installs.
public struct WindowsMachine: Sendable {
    /// How long a service may take to start, and the program to answer, ms.
    public static let answerTime = 20_000
    /// How long a start waits for an installation that began before it, ms.
    public static let workTime = 60_000
    private static let journalName = "journal.json"
    /// The version of a device on which nothing was installed yet.
    private static let nothing = "200101-0000"
    private static let atWork = "a package is being installed or taken back"

    let application: String
    let architecture: WindowsPackage.Architecture
    private let folder: String
    private let commands: WindowsCommands
    private let lock: WorkLock
    private let workTime: Int

    /// The application of a Windows that `tools` reach; `folder` keeps the packages and what is known of them.
    public init(
        application: String, architecture: WindowsPackage.Architecture, folder: String, tools: WindowsTools,
        msiexec: Msiexec? = nil, answerTime: Int = WindowsMachine.answerTime, workTime: Int = WindowsMachine.workTime
    ) throws(StorageFailure) {
        self.application = application
        self.architecture = architecture
        self.folder = folder
        self.workTime = workTime
        lock = .of(folder)
        commands = WindowsCommands(
            application: application, folder: folder,
            msiexec: msiexec ?? Msiexec(tools, log: folder + "/msiexec.log"), registry: WindowsRegistry(tools: tools),
            services: WindowsServices(tools: tools), answerTime: answerTime)
        try Folder.makePrivate(folder)
    }

    // MARK: Journal

    /// What is written down; can be asked while somebody is at work.
    func journal() throws(StorageFailure) -> WindowsJournal {
        let path = folder + "/" + Self.journalName
        guard case .file(let size) = Folder.entry(path) else { return WindowsJournal() }
        guard size <= WindowsJournal.largestFile,
            let journal = WindowsJournal(parsing: try File(path, .read).read(at: 0, count: size))
        else { throw StorageFailure("\(path) is damaged: what is installed is not known") }
        return journal
    }

    private func save(_ journal: WindowsJournal) throws(StorageFailure) {
        try ReplacementFile.write(folder + "/" + Self.journalName, journal.bytes)
    }

    /// Removes packages that nothing names.
    private func tidy(_ journal: WindowsJournal) {
        let named = Set([journal.current, journal.previous, journal.next].compactMap { $0?.file })
        guard let found = try? Folder.names(in: folder, limit: 100) else { return }
        for name in found.names where name.hasSuffix(".msi") && !named.contains(name) {
            try? Folder.remove(name, in: folder)
        }
    }

    // MARK: Installing

    /// Refuses while a package is installed or on trial. One that could not be taken back is no hindrance: another package
    /// may be the only way on.
    func requireFree() throws(InstallError) {
        guard !lock.isHeld else { throw InstallError(.failed, Self.atWork) }
        let stage: WindowsJournal.Stage
        do throws(StorageFailure) { stage = try journal().stage } catch {
            throw InstallError(.readFailed, error.description)
        }
        guard stage != .proving else { throw InstallError(.failed, WindowsJournal.Refusal.onTrial.text) }
    }

    /// Where a package is collected.
    var spool: String { folder + "/incoming" }

    /// Checks a package that was collected and installs it; it has to prove itself then.
    func install(_ inspection: PackageInspection) throws(InstallError) -> InstalledProgram {
        let done = try lock.alone { () throws(InstallError) in try installAlone(inspection) }
        guard let done else { throw InstallError(.failed, Self.atWork) }
        return done
    }

    private func installAlone(_ inspection: PackageInspection) throws(InstallError) -> InstalledProgram {
        guard case .windows(let package) = inspection.kind else {
            throw InstallError(.programmingFailed, "not a Windows Installer package")
        }
        let kept = WindowsJournal.Kept(
            file: hexadecimal(inspection.sha256.prefix(16)) + ".msi", version: package.versionText,
            productVersion: package.productVersionText, productCode: package.productCode,
            upgradeCode: try check(package), services: package.services)
        var journal = try begin(kept)
        let problem: String?
        do throws(StorageFailure) {
            problem = try commands.put(kept, over: journal.leftovers + (journal.current.map { [$0] } ?? []))
        } catch { problem = error.description }
        if let problem { throw undo("\(kept.version) was not installed: \(problem)", &journal) }
        journal.noteInstalled()
        do throws(StorageFailure) { try save(journal) } catch { throw InstallError(storing: error) }
        return InstalledProgram(
            application: application, version: kept.version, size: inspection.size, digest: inspection.sha256,
            needsRestart: true)
    }

    /// Writes down that a package is about to be installed.
    private func begin(_ kept: WindowsJournal.Kept) throws(InstallError) -> WindowsJournal {
        var journal: WindowsJournal
        let remaining: [WindowsJournal.Kept]
        do throws(StorageFailure) {
            journal = try self.journal()
            remaining = try commands.installed(of: journal.givenUp)
        } catch { throw InstallError(.installationFailed, error.description) }
        do throws(WindowsJournal.Refusal) { try journal.begin(kept, remaining: remaining) } catch {
            if case .otherProduct = error { throw InstallError(.programmingFailed, error.text) }
            throw InstallError(.failed, error.text)
        }
        do throws(StorageFailure) {
            try Folder.replace(kept.file, with: Folder.split(spool).name, in: folder)
            try save(journal)
        } catch { throw InstallError(storing: error) }
        return journal
    }

    /// Takes back what was not installed and starts the program before it, for the device does not restart. What can't be
    /// done now is done by the next start.
    private func undo(_ text: String, _ journal: inout WindowsJournal) -> InstallError {
        journal.noteFailed(text)
        do throws(StorageFailure) {
            try save(journal)
            try takeBack(&journal)
            if let current = journal.current, let problem = try commands.startProgram(current) {
                return InstallError(
                    .installationFailed, "\(text); and then \(current.version) did not start: \(problem)")
            }
        } catch { return InstallError(.installationFailed, "\(text); and \(error)") }
        return InstallError(.installationFailed, text)
    }

    /// Refuses a package that is not for this device; gives its upgrade code.
    private func check(_ package: WindowsPackage) throws(InstallError) -> String {
        func refuse(_ text: String) throws(InstallError) -> Never { throw InstallError(.programmingFailed, text) }
        if package.application != application {
            try refuse("the package is the application \(package.application), this device runs \(application)")
        }
        if package.architecture != architecture {
            try refuse("the package is for \(package.architecture.rawValue), this Windows is \(architecture.rawValue)")
        }
        if let file = package.externalFiles.first {
            try refuse("the package needs \(file) beside it, which was not sent")
        }
        guard let code = package.upgradeCode else {
            try refuse("the package has no upgrade code: it could never be replaced")
        }
        return code
    }

    // MARK: Going back

    /// Removes what was given up and installs what was before, then says so in the journal.
    private func takeBack(_ journal: inout WindowsJournal) throws(StorageFailure) {
        try commands.takeBack(journal.givenUp, to: journal.current)
        journal.noteWentBack()
        try save(journal)
        tidy(journal)
    }

    /// Gives up the program that runs for the one before, which the next start runs. One that was given up and could not be
    /// taken back is tried again.
    func goBack(_ reason: String) throws(StorageFailure) {
        let done: Void? = try lock.alone { () throws(StorageFailure) in
            var journal = try journal()
            if journal.stage == .idle, let previous = journal.previous, !commands.isKept(previous) {
                throw StorageFailure("the package of \(previous.version) is not kept any more")
            }
            do throws(WindowsJournal.Refusal) { try journal.giveUp(reason) } catch { throw StorageFailure(error.text) }
            try save(journal)
            try takeBack(&journal)
        }
        guard done != nil else { throw StorageFailure(Self.atWork) }
    }

    /// Version that going back would start.
    func previousVersion() -> String? {
        guard let journal = try? journal() else { return nil }
        return journal.stage == .idle ? journal.previous?.version : journal.current?.version ?? Self.nothing
    }

    // MARK: Life

    /// What a start found.
    public struct Start: Sendable, Equatable {
        /// Version that is installed.
        public let version: String
        /// The program is on trial.
        public let isOnTrial: Bool
        /// Why the program does not run, or the update before is not taken back; nil when it answered.
        public let problem: String?
    }

    /// Finishes or undoes what was cut, and starts the program. Never fails: what can't be done now is told as a problem.
    public func start() -> Start {
        lock.alone(waiting: workTime) { startAlone() }
            ?? Start(version: installedVersion(), isOnTrial: false, problem: "\(Self.atWork) since before this start")
    }

    private func startAlone() -> Start {
        var journal: WindowsJournal
        do throws(StorageFailure) {
            journal = try self.journal()
            let before = journal
            journal.noteStart()
            if journal != before { try save(journal) }
        } catch { return Start(version: installedVersion(), isOnTrial: false, problem: error.description) }
        if journal.stage == .rollingBack {
            do throws(StorageFailure) { try takeBack(&journal) } catch {
                let problem = "the update before is not taken back yet: \(error)"
                return Start(version: installedVersion(), isOnTrial: false, problem: problem)
            }
        }
        tidy(journal)
        let isOnTrial = journal.stage == .proving
        guard let kept = isOnTrial ? journal.next : journal.current else {
            return Start(version: Self.nothing, isOnTrial: false, problem: nil)
        }
        do throws(StorageFailure) {
            guard try commands.isInstalled(kept) else {
                return Start(
                    version: Self.nothing, isOnTrial: isOnTrial, problem: "\(kept.version) is not installed any more")
            }
            return Start(version: kept.version, isOnTrial: isOnTrial, problem: try commands.startProgram(kept))
        } catch { return Start(version: kept.version, isOnTrial: isOnTrial, problem: error.description) }
    }

    /// The version that Windows knows, when the journal leaves several.
    private func installedVersion() -> String {
        let found = (try? commands.installed(of: journal().all)) ?? []
        return found.first?.version ?? Self.nothing
    }

    /// The program on trial proved itself: nil. When it ended meanwhile it did not, for the reason given.
    func confirm() throws(StorageFailure) -> String? {
        let done = try lock.alone { () throws(StorageFailure) -> String? in
            var journal = try journal()
            if journal.stage == .proving, let next = journal.next, let problem = try commands.problem(of: next) {
                return problem
            }
            let isNew: Bool
            do throws(WindowsJournal.Refusal) { isNew = try journal.confirm() } catch {
                throw StorageFailure(error.text)
            }
            if isNew {
                try save(journal)
                tidy(journal)
            }
            return nil
        }
        guard let done else { throw StorageFailure(Self.atWork) }
        return done
    }
}
