import ByteTools
import Glibc
import Synchronization

/// Starts one program as its user, and again when it ends, with growing pauses when it does so early. For machines without
/// systemd, and for several applications or device numbers on one machine.
public final class Supervisor: ApplicationControl, @unchecked Sendable {
    /// What happened, for a log.
    public typealias Report = @Sendable (String) -> Void
    /// Called when the program ended by itself: how often in a row soon after its start, and how.
    public typealias Crashed = @Sendable (Int, String) -> Void

    /// A program that ran so long did not crash at its start, ms.
    private static let settled = 30_000
    private static let longestPause = 60_000
    /// How long a program may take to end, ms.
    private static let stopTime = 5_000

    private let settings: ApplicationSettings
    private let program: String
    private let report: Report
    private let condition = Monitor()
    // All below is guarded by `condition`.
    private var isWanted = false
    private var child: pid_t = 0
    private var crashes = 0
    private var notBefore = 0
    private var crashed: Crashed = { _, _ in }

    /// A supervisor that starts nothing before ``restart()``. Nil when the settings name no program.
    public init?(_ settings: ApplicationSettings, report: @escaping Report) {
        guard let program = settings.program else { return nil }
        self.settings = settings
        self.program = program
        self.report = report
        WorkThread.start { [weak self] in
            while self?.turn() == true {}
        }
    }

    /// Who wants to know of crashes.
    public func onCrash(_ body: @escaping Crashed) { condition.withLock { crashed = body } }

    /// Starts it, or stops it and starts it anew.
    public func restart() {
        stop()
        condition.withLock {
            isWanted = true
            crashes = 0
            notBefore = 0
            condition.broadcast()
        }
    }

    /// Starts it unless it runs already.
    public func startUnlessRunning() {
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

    /// One life of the program; false never.
    private func turn() -> Bool {
        condition.lock()
        while !isWanted || notBefore > Monitor.now {
            if isWanted { _ = condition.wait(until: notBefore) } else { condition.wait() }
        }
        let started = Monitor.now
        do { child = try spawn() } catch {
            report("\(settings.package): \(error)")
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

    private func ended(_ status: Int32, after time: Int) {
        condition.lock()
        child = 0
        let isCrash = isWanted
        if isCrash {
            crashes = time < Self.settled ? crashes + 1 : 1
            notBefore = Monitor.now + min(Self.longestPause, 250 << min(crashes - 1, 10))
        }
        let (count, tell) = (crashes, crashed)
        condition.broadcast()
        condition.unlock()
        guard isCrash else { return }
        let signal = status & 0x7F
        let how = signal == 0 ? "it ended with status \(status >> 8 & 0xFF)" : "signal \(signal) ended it"
        report("\(settings.package): \(how) after \(time / 1000) s")
        tell(count, how)
    }

    /// The program inherits standard output and error: its log goes where ours goes.
    private func spawn() throws(StorageFailure) -> pid_t {
        // It ends with this process, however that ends: two at once would get into each other's way.
        var words = ["/usr/bin/setpriv", "--pdeathsig", "TERM", "--no-new-privs"]
        if geteuid() == 0, settings.user != "root" {
            words += ["--reuid=\(settings.user)", "--regid=\(settings.user)", "--init-groups"]
        }
        words += ["--", program] + settings.arguments
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
        let variables = ["PATH=" + Subprocess.searchPath, "HOME=" + (settings.data ?? "/")]
        var environment: [UnsafeMutablePointer<CChar>?] = variables.map { strdup($0) }
        environment.append(nil)
        defer { for text in arguments + environment { free(text) } }
        var made: pid_t = 0
        let code = posix_spawn(&made, words[0], &actions, &attributes, &arguments, &environment)
        guard code == 0 else { throw StorageFailure("can't start \(words[0]): \(String(cString: strerror(code)))") }
        return made
    }
}
