import Glibc
import ServerData

/// Each connection is an open file, of which the system allows a process so many.
enum OpenFiles {
    /// Files that are not connections.
    static let reserve = 200
    /// With fewer connections than this somebody should hear of it, although nobody asked for a number.
    static let tooFew = 4_000

    /// Takes as many files as the system allows, and lowers the limit for connections to what they suffice for.
    static func fit(_ limits: ServerLimits) -> (limits: ServerLimits, problem: String?) { fit(limits, files: raise()) }

    static func fit(_ limits: ServerLimits, files: Int) -> (limits: ServerLimits, problem: String?) {
        let fitting = max(1, files - reserve)
        guard limits[.connections] > fitting else { return (limits, nil) }
        let isChosen = limits.chosenValues.contains { $0.name == .connections }
        var fitted = limits
        fitted[.connections] = fitting
        guard isChosen || fitting < tooFew else { return (fitted, nil) }
        return (
            fitted,
            "the system allows this process \(files) open files, so it takes at most \(fitting) connections; "
                + "raise that with LimitNOFILE of the service or with ulimit -n"
        )
    }

    /// Files that may be open from now on.
    private static func raise() -> Int {
        var allowed = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &allowed) == 0 else { return 1_024 }
        if allowed.rlim_cur < allowed.rlim_max {
            let before = allowed.rlim_cur
            allowed.rlim_cur = allowed.rlim_max
            if setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &allowed) != 0 { allowed.rlim_cur = before }
        }
        return Int(clamping: allowed.rlim_cur)
    }
}
