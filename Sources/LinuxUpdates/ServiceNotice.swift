import Glibc

/// What a service that systemd started tells it and gets from it (sd_notify(3), sd_listen_fds(3)).
public enum ServiceNotice {
    /// The first descriptor that is passed.
    private static let firstDescriptor: Int32 = 3

    /// Says that the start is over. Without systemd nothing happens.
    public static func ready() {
        guard let path = variable("NOTIFY_SOCKET"), path.hasPrefix("/") else { return }
        let made = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard made >= 0 else { return }
        defer { close(made) }
        let text = Array("READY=1".utf8)
        _ = try? LocalConnection.withAddress(path) { address, size in
            Int32(text.withUnsafeBytes { sendto(made, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL), address, size) })
        }
    }

    /// The socket that systemd listens at for this process; nil when there is none. To be called once.
    static func listeningSocket() -> Int32? {
        guard variable("LISTEN_PID").flatMap({ pid_t($0) }) == getpid(),
            let count = variable("LISTEN_FDS").flatMap({ Int($0) }), count >= 1
        else { return nil }
        // Not for the programs that this one starts.
        for name in ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"] { unsetenv(name) }
        _ = fcntl(firstDescriptor, F_SETFD, FD_CLOEXEC)
        return firstDescriptor
    }

    static func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}
