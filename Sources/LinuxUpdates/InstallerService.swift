import ByteTools
import Glibc
import IOCOM
import Synchronization

/// The installer of a machine: takes packages from the applications it is configured for, as the users they run as, and
/// from nobody else. Has the rights to run dpkg; the applications have not.
public final class InstallerService: Sendable {
    /// Connections that are served at once.
    private static let mostConnections = 16
    private static let requestSeconds = 10
    /// Longest time that an application gets to tell its operators that it restarts, ms.
    static let farewell: Int32 = 2_000
    /// Bytes of a reason in a list.
    private static let listedReason = 300

    /// What happened, for a log.
    public typealias Report = @Sendable (String) -> Void
    /// Starts and stops the application of these settings.
    public typealias MakeControl = @Sendable (ApplicationSettings) -> any ApplicationControl

    private let folder: String
    private let dpkg: Dpkg
    private let makeControl: MakeControl
    private let settings: @Sendable () throws -> [ApplicationSettings]
    private let listener: LocalListener
    private let report: Report
    private let applications = Mutex<[ManagedApplication]>([])
    private let open = Mutex(0)
    private let isStopped = Mutex(false)
    private let isReloading = Mutex(())

    /// Finishes what was interrupted, begins all applications that `settings` gives, and listens: at the socket that
    /// systemd holds for this process, else at `path`. `folder` is where packages are kept.
    public init(
        folder: String, path: String, dpkg: Dpkg, report: @escaping Report,
        settings: @escaping @Sendable () throws -> [ApplicationSettings], control: @escaping MakeControl
    ) throws {
        self.folder = folder
        self.dpkg = dpkg
        self.report = report
        self.settings = settings
        makeControl = control
        try Folder.makePrivate(folder)
        listener = try LocalListener() ?? LocalListener(path)
        try reload()
    }

    /// Runs ``run()`` on a thread of its own.
    public func start() {
        WorkThread.start { [self] in run() }
    }

    /// Serves until ``stop()``.
    func run() {
        WorkThread.start { [self] in
            while !isStopped.withLock({ $0 }) {
                for application in applications.withLock({ $0 }) { tick(application) }
                usleep(200_000)
            }
        }
        while let connection = listener.accept() {
            let count = open.withLock { count in
                count += 1
                return count
            }
            guard count <= Self.mostConnections else {
                open.withLock { $0 -= 1 }
                continue
            }
            let lent = Lent(connection)
            let isStarted = WorkThread.start { [self] in
                serve(lent.connection)
                open.withLock { $0 -= 1 }
            }
            if !isStarted { open.withLock { $0 -= 1 } }
        }
    }

    /// Ends ``run()`` and what it started. Waits for packages that are being installed.
    public func stop() {
        isStopped.withLock { $0 = true }
        listener.close()
        for application in applications.withLock({ $0 }) { application.end() }
    }

    private func tick(_ application: ManagedApplication) {
        do { _ = try application.withUpdater { try $0.tick() } } catch {
            report("\(application.settings.package): \(error)")
        }
    }

    /// A connection that its thread has for itself.
    private struct Lent: @unchecked Sendable {
        let connection: LocalConnection
        init(_ connection: LocalConnection) { self.connection = connection }
    }

    // MARK: Applications

    /// Takes over what the settings say now. What did not change goes on.
    private func reload() throws {
        try isReloading.withLock { _ in
            let all = try settings()
            let before = applications.withLock { $0 }
            var now: [ManagedApplication] = []
            var new: [ManagedApplication] = []
            for settings in all {
                if let same = before.first(where: { $0.settings == settings }) {
                    now.append(same)
                    continue
                }
                if let changed = before.first(where: { $0.settings.package == settings.package }) {
                    if changed.isUnderWay {
                        report(
                            "\(settings.package): an update is under way; its new settings count after the next reload")
                        now.append(changed)
                        continue
                    }
                    changed.end()
                }
                if let made = manage(settings) { new.append(made) }
            }
            now += new
            let kept = Set(now.map(\.settings.package))
            applications.withLock { $0 = now }
            // From here on they can ask.
            for application in new { application.control.begin() }
            for application in before where !kept.contains(application.settings.package) { application.end() }
            if before.isEmpty || before.map(\.settings) != all {
                report(
                    now.isEmpty ? "no application is named" : "applications: \(kept.sorted().joined(separator: ", "))")
            }
        }
    }

    /// One application that can't be managed must not keep the others from running.
    private func manage(_ settings: ApplicationSettings) -> ManagedApplication? {
        guard let user = getpwnam(settings.user) else {
            report("\(settings.package): the user \(settings.user) does not exist; it is not started")
            return nil
        }
        let id = user.pointee.pw_uid
        let control = makeControl(settings)
        do {
            let updater = try LinuxUpdater(
                settings, folder: folder + "/" + settings.package, dpkg: dpkg, control: control)
            try updater.start()
            return ManagedApplication(settings, user: id, control: control, updater: updater)
        } catch {
            report("\(settings.package): \(error); it is started, but its updates are not possible")
            return ManagedApplication(settings, user: id, control: control, updater: nil)
        }
    }

    // MARK: Requests

    private func serve(_ connection: LocalConnection) {
        connection.setTimeout(seconds: Self.requestSeconds)
        do throws(StorageFailure) {
            guard let line = try connection.readLine() else { return }
            let reply = answer(line, connection)
            try connection.send(reply.line)
        } catch {
            // Who was started anew does not wait for the end.
            if error.systemError != EPIPE { report("a connection ended early: \(error)") }
        }
    }

    private func answer(_ line: [UInt8], _ connection: LocalConnection) -> InstallerReply {
        guard let peer = connection.peer else {
            return .refused(status: StreamStatus.noAccess.rawValue, reason: "the user that asks is not known")
        }
        let all = applications.withLock { $0 }
        guard peer == 0 || all.contains(where: { $0.user == peer }) else {
            report("user \(peer) asked and may not")
            return .refused(
                status: StreamStatus.noAccess.rawValue,
                reason: "this installer is not configured for the user that asks")
        }
        guard let request = InstallerRequest(line) else {
            return .refused(status: StreamStatus.failed.rawValue, reason: "the request is not understood")
        }
        switch request.kind {
        case .reload(let packages): return peer == 0 ? reload(packages) : Self.notOwner
        case .restart(let names): return peer == 0 ? restart(names) : Self.notOwner
        case .list: return peer == 0 ? .list(all.map { listed($0) }) : Self.notOwner
        default: break
        }
        // Root may ask for any application.
        let own = all.filter { application in
            (peer == 0 || application.user == peer)
                && (request.package == nil || request.package == application.settings.package)
        }
        guard let application = own.first, own.count == 1 else {
            return .refused(
                status: StreamStatus.noAccess.rawValue,
                reason: own.isEmpty
                    ? "this installer is not configured for \(request.package ?? "any application") of the user that asks"
                    : "several applications run as this user: IOCOM_PACKAGE must say which one asks")
        }
        return answer(request, for: application, connection)
    }

    private static let notOwner = InstallerReply.refused(
        status: StreamStatus.noAccess.rawValue, reason: "only root may ask for that")

    private func answer(
        _ request: InstallerRequest, for application: ManagedApplication, _ connection: LocalConnection
    ) -> InstallerReply {
        if request.kind == .status { return .state(application.state) }
        do {
            let done: Void?
            if case .install = request.kind {
                done = try application.installing { try perform(request, $0, application, connection) }
            } else {
                done = try application.withUpdater { try perform(request, $0, application, connection) }
            }
            let state = application.state
            guard done != nil else {
                return .refused(
                    status: StreamStatus.failed.rawValue,
                    reason: state.stage == .rollingBack
                        ? "the version of \(application.settings.package) before is just being installed again"
                        : "another update of \(application.settings.package) is under way")
            }
            return .state(state)
        } catch let refusal as LinuxUpdater.Refusal {
            report("\(application.settings.package): refused: \(refusal)")
            return .refused(status: refusal.status.rawValue, reason: refusal.description)
        } catch {
            report("\(application.settings.package): \(error)")
            return .refused(status: StreamStatus.installationFailed.rawValue, reason: "\(error)")
        }
    }

    /// Does what is asked of the updater, which tells the application what comes.
    private func perform(
        _ request: InstallerRequest, _ updater: LinuxUpdater, _ application: ManagedApplication,
        _ connection: LocalConnection
    ) throws {
        updater.willRestart = {
            // The application may be gone already, or not listen: the update does not depend on it.
            try? connection.send(InstallerReply.restarting.line)
            connection.waitForEnd(milliseconds: Self.farewell)
        }
        var listens = true
        updater.says = { text in
            // Who does not listen holds nothing up.
            guard listens else { return }
            listens = (try? connection.send(InstallerReply.said(text).line)) != nil
        }
        defer {
            updater.willRestart = {}
            updater.says = { _ in }
        }
        switch request.kind {
        case .install(let manifest): try install(application, updater, manifest, connection)
        case .confirm: try updater.confirm(request.instance)
        case .giveUp(let reason): try updater.giveUp(reason)
        case .rollBack: try updater.rollBack()
        case .status, .reload, .restart, .list: break
        }
    }

    private func install(
        _ application: ManagedApplication, _ updater: LinuxUpdater, _ manifest: [UInt8]?, _ connection: LocalConnection
    ) throws {
        guard let file = connection.file else {
            throw LinuxUpdater.Refusal(.failed, "no package was handed over")
        }
        report("\(application.settings.package): a package was handed over")
        try updater.install(file, manifest: manifest)
        let journal = updater.journal
        report("\(application.settings.package): \(journal.to): \(journal.result.map { "\($0)" } ?? "on trial")")
    }

    private func reload(_ packages: [String]) -> InstallerReply {
        do {
            try reload()
            for application in applications.withLock({ $0 }) where packages.contains(application.settings.package) {
                // What systemd starts is its owner's business.
                if application.settings.unit == nil || !SystemdControl.isRunning { try application.restart() }
            }
            return .list(applications.withLock { $0 }.map { listed($0) })
        } catch {
            report("reload: \(error)")
            return .refused(status: StreamStatus.failed.rawValue, reason: "\(error)")
        }
    }

    /// An application is named by its package, or by what comes behind the maker in that.
    private func restart(_ names: [String]) -> InstallerReply {
        do {
            try reload()
            let all = applications.withLock { $0 }
            for name in names {
                let meant = all.filter { $0.settings.package == name || $0.settings.package.hasSuffix("-" + name) }
                guard let application = meant.first, meant.count == 1 else {
                    let known = all.map(\.settings.package).joined(separator: ", ")
                    throw StorageFailure(
                        meant.isEmpty
                            ? "there is no application \(name); there are \(known)"
                            : "\(name) can be \(meant.map(\.settings.package).joined(separator: " or "))")
                }
                try application.restart()
            }
            return .list(all.map { listed($0) })
        } catch { return .refused(status: StreamStatus.failed.rawValue, reason: "\(error)") }
    }

    private func listed(_ application: ManagedApplication) -> ListedApplication {
        var state = application.state
        state.reason = String(decoding: state.reason.utf8.prefix(Self.listedReason), as: UTF8.self)
        return ListedApplication(
            package: application.settings.package, user: application.settings.user,
            started: application.control.summary, state: state)
    }
}

extension LinuxUpdater.Refusal {
    /// The number of application-layer.md 2.8 that says most.
    var status: StreamStatus {
        switch kind {
        case .damaged: .checksumMismatch
        case .unfit: .programmingFailed
        case .notAuthorized: .notAuthorized
        case .busy: .failed
        case .failed: .installationFailed
        }
    }
}
