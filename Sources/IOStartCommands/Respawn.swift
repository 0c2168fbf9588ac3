import ByteTools
import Glibc
import TerminalUI

/// Starts this program once more below itself, and again when that one dies. It does nothing else, so that hardly anything
/// can end it.
enum Respawn {
    private static let pause: UInt32 = 2

    /// Ends when the program below ended on its own account, or after a signal to stop, which is handed on.
    ///
    /// To be called before there is another thread: signals come to one that does not block them.
    static func run(arguments: [String]) -> Never {
        var signals = sigset_t()
        sigemptyset(&signals)
        for signal in [SIGTERM, SIGINT, SIGHUP, SIGCHLD] { sigaddset(&signals, signal) }
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        // The path, not the file: after an update of iostart the new one is started.
        let program = ownPath() ?? arguments[0]
        while true {
            guard let child = spawn(program, arguments) else {
                sleep(pause)
                continue
            }
            var status: Int32 = 0
            var isStopping = false
            while true {
                var signal: Int32 = 0
                guard sigwait(&signals, &signal) == 0 else { continue }
                if signal == SIGCHLD {
                    if waitpid(child, &status, WNOHANG) == child { break }
                } else {
                    isStopping = true
                    kill(child, SIGTERM)
                }
            }
            let code = status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F
            // Wrong usage does not get better by being tried again.
            if isStopping || code == 0 || code == 2 { exit(code) }
            Terminal.write("iostart: it died (\(code)) and is started again\n", to: STDERR_FILENO)
            sleep(pause)
        }
    }

    private static func ownPath() -> String? {
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let size = buffer.count
        let count = buffer.withUnsafeMutableBytes { bytes in
            bytes.baseAddress.map { readlink("/proc/self/exe", $0, size) } ?? 0
        }
        return count > 0 ? String(decoding: buffer.prefix(count), as: UTF8.self) : nil
    }

    private static func spawn(_ program: String, _ arguments: [String]) -> pid_t? {
        // Without this one nothing would start it again, so it ends too.
        let words = ["/usr/bin/setpriv", "--pdeathsig", "TERM", "--", program] + arguments.dropFirst()
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var list: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
        list.append(nil)
        defer { for text in list { free(text) } }
        var child: pid_t = 0
        return posix_spawn(&child, words[0], nil, &attributes, &list, environ) == 0 ? child : nil
    }
}
