public import ByteTools
import Glibc
import IOCOM
import Synchronization

/// The installer of a machine: takes packages from the applications it is configured for, as the users they run as, and
/// from nobody else. Has the rights to run dpkg; the applications have not.
public final class InstallerService: Sendable {
    /// Connections that are served at once.
    private static let mostConnections = 16
    private static let requestSeconds = 10
    /// Time that an application gets to tell its operators that it restarts.
    static let farewell: UInt32 = 1

    /// What happened, for a log.
    public typealias Report = @Sendable (String) -> Void

    private let applications: [Application]
    private let listener: LocalListener
    private let report: Report
    private let open = Mutex(0)
    private let isStopped = Mutex(false)

    /// One application with its updater, which one thread at a time may use.
    final class Application: @unchecked Sendable {
        let settings: ApplicationSettings
        let user: uid_t
        private let lock = Monitor()
        private let updater: LinuxUpdater
        /// A package is being installed: others need not wait for that.
        private let isInstalling = Mutex(false)
        /// What was known before that.
        private let known = Mutex(InstallerState(stage: .idle))

        init(_ settings: ApplicationSettings, user: uid_t, updater: LinuxUpdater) {
            self.settings = settings
            self.user = user
            self.updater = updater
        }

        /// Runs `body` alone; nil when a package is being installed.
        func withUpdater<Value>(installs: Bool = false, _ body: (LinuxUpdater) throws -> Value) rethrows -> Value? {
            guard !isInstalling.withLock({ $0 }) else { return nil }
            return try lock.withLock {
                guard installs else { return try body(updater) }
                let before = updater.state
                known.withLock { $0 = before }
                isInstalling.withLock { $0 = true }
                defer { isInstalling.withLock { $0 = false } }
                return try body(updater)
            }
        }

        /// How things stand; while a package is being installed, what was known before.
        var state: InstallerState {
            if let state = withUpdater({ $0.state }) { return state }
            var state = known.withLock { $0 }
            state.stage = .installing
            return state
        }
    }

    /// What an application needs besides its settings.
    public struct Managed: Sendable {
        /// Settings.
        public var settings: ApplicationSettings
        /// Starts and stops it.
        public var control: any ApplicationControl

        /// Puts both together.
        public init(_ settings: ApplicationSettings, control: any ApplicationControl) {
            self.settings = settings
            self.control = control
        }
    }

    /// Finishes what was interrupted, then listens at `path`. `folder` is where packages are kept.
    public init(
        _ managed: [Managed], folder: String, path: String, dpkg: Dpkg, report: @escaping Report
    ) throws(StorageFailure) {
        var applications: [Application] = []
        for one in managed {
            guard let user = getpwnam(one.settings.user) else {
                throw StorageFailure("the user \(one.settings.user) of \(one.settings.package) does not exist")
            }
            let updater = try LinuxUpdater(
                one.settings, folder: folder + "/" + one.settings.package, dpkg: dpkg, control: one.control)
            try updater.start()
            applications.append(Application(one.settings, user: user.pointee.pw_uid, updater: updater))
        }
        self.applications = applications
        self.report = report
        listener = try LocalListener(path)
    }

    /// Serves until ``stop()``.
    public func run() {
        WorkThread.start { [self] in
            while !isStopped.withLock({ $0 }) {
                for application in applications { tick(application) }
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

    /// Ends ``run()``.
    public func stop() {
        isStopped.withLock { $0 = true }
        listener.close()
    }

    /// An application's program ended by itself, `times` in a row.
    public func crashed(_ package: String, times: Int, reason: String) {
        guard times >= 3, let application = applications.first(where: { $0.settings.package == package }) else {
            return
        }
        change(application) { try $0.giveUp("it crashed \(times) times: \(reason)") }
    }

    private func tick(_ application: Application) { change(application) { try $0.tick() } }

    private func change(_ application: Application, _ body: (LinuxUpdater) throws -> Void) {
        do { _ = try application.withUpdater(body) } catch { report("\(application.settings.package): \(error)") }
    }

    /// A connection that its thread has for itself.
    private struct Lent: @unchecked Sendable {
        let connection: LocalConnection
        init(_ connection: LocalConnection) { self.connection = connection }
    }

    // MARK: Requests

    private func serve(_ connection: LocalConnection) {
        connection.setTimeout(seconds: Self.requestSeconds)
        do throws(StorageFailure) {
            guard let line = try connection.readLine() else { return }
            let reply = answer(line, connection)
            try connection.send(reply.line)
        } catch { report("a connection ended early: \(error)") }
    }

    private func answer(_ line: [UInt8], _ connection: LocalConnection) -> InstallerReply {
        guard let peer = connection.peer, let application = application(of: peer) else {
            report("user \(connection.peer.map { "\($0)" } ?? "unknown") asked and may not")
            return .refused(
                status: StreamStatus.noAccess.rawValue,
                reason: "this installer is not configured for the user that asks")
        }
        guard let request = InstallerRequest(line) else {
            return .refused(status: StreamStatus.failed.rawValue, reason: "the request is not understood")
        }
        if request == .status { return .state(application.state) }
        do {
            var installs = false
            if case .install = request { installs = true }
            let done: Void? = try application.withUpdater(installs: installs) { updater in
                updater.willRestart = {
                    // The application may be gone already, or not listen: the update does not depend on it.
                    try? connection.send(InstallerReply.restarting.line)
                    sleep(Self.farewell)
                }
                defer { updater.willRestart = {} }
                switch request {
                case .status: break
                case .install(let manifest): try install(application, updater, manifest, connection)
                case .confirm: try updater.confirm()
                case .giveUp(let reason): try updater.giveUp(reason)
                case .rollBack: try updater.rollBack()
                }
            }
            guard done != nil else {
                return .refused(
                    status: StreamStatus.failed.rawValue,
                    reason: "another update of \(application.settings.package) is under way")
            }
            return .state(application.state)
        } catch let refusal as LinuxUpdater.Refusal {
            report("\(application.settings.package): refused: \(refusal)")
            return .refused(status: refusal.status.rawValue, reason: refusal.description)
        } catch {
            report("\(application.settings.package): \(error)")
            return .refused(status: StreamStatus.installationFailed.rawValue, reason: "\(error)")
        }
    }

    private func install(
        _ application: Application, _ updater: LinuxUpdater, _ manifest: [UInt8]?, _ connection: LocalConnection
    ) throws {
        guard let file = connection.file else {
            throw LinuxUpdater.Refusal(.failed, "no package was handed over")
        }
        report("\(application.settings.package): a package was handed over")
        try updater.install(file, manifest: manifest)
    }

    /// Root may ask for the only application there is.
    private func application(of peer: uid_t) -> Application? {
        if let own = applications.first(where: { $0.user == peer }) { return own }
        return peer == 0 && applications.count == 1 ? applications.first : nil
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
