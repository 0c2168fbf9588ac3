import ByteTools
import Glibc

/// Starts one program as its user, and again when it ends, with growing pauses when it does so early. For machines without
/// systemd, and for several applications or device numbers on one machine.
public final class Supervisor: ApplicationControl, @unchecked Sendable {
    /// What happened, for a log.
    public typealias Report = @Sendable (String) -> Void

    /// A program that ran so long did not crash at its start, ms.
    private static let settled = 30_000
    private static let longestPause = 60_000
    /// How long a program may take to end, ms.
    private static let stopTime = 5_000
    /// How often it is looked whether the file is there that the program waits for, ms.
    private static let conditionTime = 2_000
    /// The path that stands for the program itself in ``Supervisor/spawn()``.
    private static let setpriv = "/usr/bin/setpriv"

    private let settings: ApplicationSettings
    private let instance: ApplicationSettings.Instance
    private let program: String
    private let socket: String
    private let report: Report
    private let condition = Monitor()
    // All below is guarded by `condition`.
    private var isWanted = false
    private var isOver = false
    private var child: pid_t = 0
    private var failures: Crashes?
    private var crashCount = 0
    private var notBefore = 0
    private var isWaitingForFile = false

    /// A supervisor that starts nothing before ``restart()``. `socket` is where the program finds the installer.
    public init(
        _ settings: ApplicationSettings, _ instance: ApplicationSettings.Instance, program: String, socket: String,
        report: @escaping Report
    ) {
        self.settings = settings
        self.instance = instance
        self.program = program
        self.socket = socket
        self.report = report
        WorkThread.start { [self] in
            while turn() {}
        }
    }

    private var name: String { instance.name.isEmpty ? settings.package : "\(settings.package) \(instance.name)" }

    /// Starts it, or stops it and starts it anew.
    public func restart() {
        stop()
        condition.withLock {
            isWanted = true
            failures = nil
            crashCount = 0
            notBefore = 0
            condition.broadcast()
        }
    }

    /// Starts it unless it runs already.
    public func begin() {
        condition.withLock {
            isWanted = true
            condition.broadcast()
        }
    }

    /// Stops it; returns when it has ended.
    public func stop() {
        condition.withLock {
            isWanted = false
            let end = Monitor.now + Self.stopTime
            if child > 0 { kill(child, SIGTERM) }
            while child > 0 {
                if !condition.wait(until: end), child > 0 {
                    kill(child, SIGKILL)
                    condition.wait()
                }
            }
        }
    }

    /// Stops it for good.
    public func retire() {
        condition.withLock {
            isOver = true
            condition.broadcast()
        }
        stop()
    }

    /// Ends that nobody asked for.
    public func crashes() -> Crashes? { condition.withLock { failures } }

    /// The process, when it runs.
    public var summary: String {
        let process = condition.withLock { child }
        return (instance.name.isEmpty ? "" : instance.name + " ") + (process > 0 ? "process \(process)" : "not running")
    }

    /// One life of the program; false when there will be no other.
    private func turn() -> Bool {
        condition.lock()
        while !isOver, !isWanted || notBefore > Monitor.now || waitsForFile() {
            if isWanted { _ = condition.wait(until: notBefore) } else { condition.wait() }
        }
        guard !isOver else {
            condition.unlock()
            return false
        }
        let started = Monitor.now
        do { child = try spawn() } catch {
            report("\(name): \(error)")
            child = 0
        }
        let running = child
        condition.unlock()
        var status: Int32 = 127 << 8
        if running > 0 {
            while waitpid(running, &status, 0) < 0 && errno == EINTR {}
        }
        ended(status, after: Monitor.now - started)
        return true
    }

    /// True as long as the program must not be started; then looks again later.
    private func waitsForFile() -> Bool {
        guard isWanted, let path = settings.condition, Folder.entry(path) == nil else {
            isWaitingForFile = false
            return false
        }
        if !isWaitingForFile { report("\(name): starts once \(path) exists") }
        isWaitingForFile = true
        notBefore = Monitor.now + Self.conditionTime
        return true
    }

    private func ended(_ status: Int32, after time: Int) {
        condition.lock()
        child = 0
        let isCrash = isWanted
        let signal = status & 0x7F
        let how = signal == 0 ? "it ended with status \(status >> 8 & 0xFF)" : "signal \(signal) ended it"
        if isCrash {
            crashCount = time < Self.settled ? crashCount + 1 : 1
            notBefore = Monitor.now + min(Self.longestPause, 250 << min(crashCount - 1, 10))
            failures = Crashes(count: crashCount, reason: how)
        }
        condition.broadcast()
        condition.unlock()
        if isCrash { report("\(name): \(how) after \(time / 1000) s") }
    }

    /// The program inherits standard output and error: its log goes where ours goes.
    private func spawn() throws(StorageFailure) -> pid_t {
        // It ends with this process, however that ends: two at once would get into each other's way.
        var words = [Self.setpriv, "--pdeathsig", "TERM", "--no-new-privs"]
        if geteuid() == 0, settings.user != "root" {
            words += ["--reuid=\(settings.user)", "--regid=\(settings.user)", "--init-groups"]
        }
        let options = OptionsFile(path: settings.options)
        words += ["--", program] + instance.arguments + options.arguments
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        // A program must not begin with signals that we block or ignore.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        var all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
        arguments.append(nil)
        let variables =
            [
                "PATH=" + Subprocess.searchPath, "HOME=" + (instance.data ?? "/"),
                InstallerClient.packageVariable + "=" + settings.package,
                InstallerClient.instanceVariable + "=" + instance.name,
                InstallerClient.socketVariable + "=" + socket,
            ] + options.variables
        var environment: [UnsafeMutablePointer<CChar>?] = variables.map { strdup($0) }
        environment.append(nil)
        defer { for text in arguments + environment { free(text) } }
        var made: pid_t = 0
        let code = posix_spawn(&made, words[0], &actions, &attributes, &arguments, &environment)
        guard code == 0 else { throw StorageFailure("can't start \(words[0]): \(String(cString: strerror(code)))") }
        return made
    }
}
