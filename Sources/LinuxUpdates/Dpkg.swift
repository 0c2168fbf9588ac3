public import ByteTools
import Glibc
import Programs

/// The package manager of a Debian machine. Blocking: not for an event loop.
public struct Dpkg: Sendable {
    /// Longest time for one run, ms.
    private static let longestRun = 900_000
    /// What a run may say; more ends it.
    private static let mostOutput = 4 << 20
    /// Questions that get the answer that counts without one: a configuration file that both its owner and its maker changed
    /// stays as its owner wrote it. One more ends the run instead of waiting for ever.
    private static let mostQuestions = 1_000
    /// How often a run is tried again when another package manager is at work, and the pause between, s.
    private static let mostWaits = 60
    private static let waitTime: UInt32 = 2
    /// Says to the scripts of packages that starting programs anew is not theirs to do.
    private static let environment = [mark, "DEBIAN_FRONTEND=noninteractive"]
    private static let mark = "IOCOM_UPDATE=1"

    /// Folder that stands for `/`; nil for the machine itself.
    public let root: String?

    /// The machine's dpkg, or the one of a folder that holds a whole system.
    public init(root: String? = nil) { self.root = root }

    // MARK: Changing

    /// Hears of what a run says, as it comes.
    public typealias Said = (ArraySlice<UInt8>) -> Void

    /// Installs a package file. Force options are not used: what dpkg refuses stays refused.
    public func install(
        _ path: String, package: String, said: Said = { _ in }
    ) throws(StorageFailure) -> LinuxUpdate.Run {
        try run(["--install", path], package, said)
    }

    /// Finishes what was interrupted: unpacked packages are configured.
    public func repair(package: String, said: Said = { _ in }) throws(StorageFailure) -> LinuxUpdate.Run {
        try run(["--configure", "--pending"], package, said)
    }

    private func run(_ arguments: [String], _ package: String, _ said: Said) throws(StorageFailure) -> LinuxUpdate.Run {
        let result = try unlocked("/usr/bin/dpkg", base + arguments, said)
        let findings = try findings(package)
        guard result.status != 0 else { return LinuxUpdate.Run(failure: nil, findings: findings) }
        return LinuxUpdate.Run(failure: Self.reason(result, "dpkg"), findings: findings)
    }

    /// Fetches packages so that each clause is met; nothing is removed for it. Nil when that worked, else what apt said.
    func satisfy(_ clauses: [DebianDependencies.Clause], said: Said = { _ in }) throws(StorageFailure) -> String? {
        guard root == nil else { return "apt does not work on a folder" }
        let result = try unlocked(
            "/usr/bin/apt-get",
            ["--quiet", "--yes", "--no-install-recommends", "--no-remove", "satisfy"] + clauses.map(\.text), said)
        return result.status == 0 ? nil : Self.reason(result, "apt")
    }

    /// Runs a tool when no other package manager is at work; waits a while for that.
    private func unlocked(
        _ tool: String, _ arguments: [String], _ said: Said
    ) throws(StorageFailure) -> Subprocess.Result {
        var waits = 0
        while true {
            let result = try Subprocess.run(
                tool, arguments, environment: Self.environment, emptyLines: Self.mostQuestions,
                outputLimit: Self.mostOutput, milliseconds: Self.longestRun, said: said)
            let errors = String(decoding: result.errors.suffix(2000), as: UTF8.self)
            let isLocked = errors.contains("locked by another process") || errors.contains("Could not get lock")
            guard result.status != 0, isLocked, waits < Self.mostWaits else { return result }
            waits += 1
            Pause.wait(milliseconds: Int(Self.waitTime) * 1000)
        }
    }

    /// Waits for a dpkg that an installer started and left behind when it died; not for ever. Others may be waiting for this
    /// process to start.
    func waitForOrphans() {
        for _ in 0..<Self.mostWaits where Self.locks.contains(where: { isOurs(holder(of: (root ?? "") + $0)) }) {
            Pause.wait(milliseconds: Int(Self.waitTime) * 1000)
        }
    }

    /// What dpkg locks while it works (dpkg(1), lock and lock-frontend).
    private static let locks = ["/var/lib/dpkg/lock-frontend", "/var/lib/dpkg/lock"]
    /// Bytes of a process's environment that are looked at.
    private static let mostEnvironment = 1 << 16

    /// The process that has a file locked.
    private func holder(of path: String) -> pid_t? {
        let descriptor = open(path, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var lock = flock()
        lock.l_type = Int16(F_WRLCK)
        lock.l_whence = Int16(SEEK_SET)
        guard fcntl(descriptor, F_GETLK, &lock) == 0, lock.l_type != Int16(F_UNLCK) else { return nil }
        return lock.l_pid
    }

    /// True when an installer started a process: it has what ``environment`` says (proc(5)).
    private func isOurs(_ process: pid_t?) -> Bool {
        guard let process, process > 0 else { return false }
        let descriptor = open("/proc/\(process)/environ", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: Self.mostEnvironment)
        let got = read(descriptor, &bytes, bytes.count)
        guard got > 0 else { return false }
        return bytes[..<got].split(separator: 0).contains { $0.elementsEqual(Self.mark.utf8) }
    }

    // MARK: Asking

    /// What is installed of a package.
    public func findings(_ package: String) throws(StorageFailure) -> LinuxUpdate.Findings {
        let query = try Subprocess.run(
            "/usr/bin/dpkg-query", query + ["--show", "--showformat=${db:Status-Status} ${Version}", package],
            outputLimit: 4096, milliseconds: 60_000)
        let words = String(decoding: query.output, as: UTF8.self).split(separator: " ")
        let isInstalled = query.status == 0 && words.count == 2 && words[0] == "installed"
        // Not known at all, or only its configuration files are left: nothing is half done.
        let isAbsent = query.status != 0 || words.first == "config-files" || words.first == "not-installed"
        let audit = try Subprocess.run(
            "/usr/bin/dpkg", base + ["--audit", package], outputLimit: 1 << 16, milliseconds: 60_000)
        return LinuxUpdate.Findings(
            version: isInstalled ? String(words[1]) : nil,
            isConsistent: isInstalled && audit.status == 0 && audit.output.isEmpty || isAbsent)
    }

    /// The clauses that nothing meets of what is installed.
    func missing(of needed: DebianDependencies) throws(StorageFailure) -> [DebianDependencies.Clause] {
        guard !needed.clauses.isEmpty else { return [] }
        let provided = try provided()
        var missing: [DebianDependencies.Clause] = []
        for clause in needed.clauses {
            var isMet = false
            for alternative in clause.alternatives where !isMet {
                for version in provided[alternative.package] ?? [] where !isMet {
                    isMet = try Self.fits(version, alternative)
                }
            }
            if !isMet { missing.append(clause) }
        }
        return missing
    }

    /// Names that are there, with versions; what a package provides without a version has an empty one.
    private func provided() throws(StorageFailure) -> [String: [String]] {
        let list = try Subprocess.run(
            "/usr/bin/dpkg-query",
            query + ["--show", "--showformat=${db:Status-Status}\t${Package}\t${Version}\t${Provides}\n"],
            outputLimit: 64 << 20, milliseconds: 60_000)
        guard list.status == 0 else { throw StorageFailure("dpkg-query does not tell what is installed") }
        var provided: [String: [String]] = [:]
        for line in String(decoding: list.output, as: UTF8.self).split(separator: "\n") {
            let parts = line.split(separator: "\t", omittingEmptySubsequences: false)
            guard parts.count == 4, parts[0] == "installed" else { continue }
            provided[String(parts[1]), default: []].append(String(parts[2]))
            for clause in DebianDependencies(parsing: String(parts[3]))?.clauses ?? [] {
                guard let name = clause.alternatives.first else { continue }
                provided[name.package, default: []].append(name.version ?? "")
            }
        }
        return provided
    }

    private static func fits(
        _ version: String, _ wanted: DebianDependencies.Alternative
    ) throws(StorageFailure) -> Bool {
        guard let relation = wanted.relation, let number = wanted.version else { return true }
        guard !version.isEmpty else { return false }
        return try Subprocess.run(
            "/usr/bin/dpkg", ["--compare-versions", version, relation, number], outputLimit: 4096,
            milliseconds: 60_000
        ).status == 0
    }

    /// The machine's architecture, as packages name it.
    public func architecture() throws(StorageFailure) -> String {
        let result = try Subprocess.run(
            "/usr/bin/dpkg", ["--print-architecture"], outputLimit: 256, milliseconds: 60_000)
        let text = String(decoding: result.output.filter { $0 > 0x20 && $0 < 0x7F }, as: UTF8.self)
        guard result.status == 0, !text.isEmpty else { throw StorageFailure("dpkg does not tell its architecture") }
        return text
    }

    private var base: [String] { root.map { ["--root=" + $0] } ?? [] }
    private var query: [String] { root.map { ["--admindir=" + $0 + "/var/lib/dpkg"] } ?? [] }

    /// The last lines of what was said, errors first.
    private static func reason(_ result: Subprocess.Result, _ tool: String) -> String {
        var text = SaidText()
        text.append(result.errors[...])
        if text.isEmpty { text.append(result.output[...]) }
        return text.isEmpty ? "\(tool) ended with status \(result.status)" : text.text
    }
}
