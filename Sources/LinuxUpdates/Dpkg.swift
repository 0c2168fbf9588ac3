public import ByteTools

/// The package manager of a Debian machine. Blocking: not for an event loop.
public struct Dpkg: Sendable {
    /// Longest time for one run, ms.
    private static let longestRun = 900_000
    /// What a run may say; more ends it.
    private static let mostOutput = 4 << 20
    /// Lines of what it said that are kept for people.
    private static let linesKept = 12

    /// Folder that stands for `/`; nil for the machine itself.
    public let root: String?

    /// The machine's dpkg, or the one of a folder that holds a whole system.
    public init(root: String? = nil) { self.root = root }

    /// Installs a package file. Force options are not used: what dpkg refuses stays refused.
    public func install(_ path: String, package: String) throws(StorageFailure) -> LinuxUpdate.Run {
        // Standard input is empty: a question of a package ends it instead of waiting for ever.
        try run(["--install", path], package)
    }

    /// Finishes what was interrupted: unpacked packages are configured.
    public func repair(package: String) throws(StorageFailure) -> LinuxUpdate.Run {
        try run(["--configure", "--pending"], package)
    }

    private func run(_ arguments: [String], _ package: String) throws(StorageFailure) -> LinuxUpdate.Run {
        let result = try Subprocess.run(
            "/usr/bin/dpkg", base + arguments, outputLimit: Self.mostOutput, milliseconds: Self.longestRun)
        let findings = try findings(package)
        guard result.status != 0 else { return LinuxUpdate.Run(failure: nil, findings: findings) }
        return LinuxUpdate.Run(failure: Self.reason(result), findings: findings)
    }

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
            isConsistent: isInstalled && audit.output.isEmpty || isAbsent)
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
    private static func reason(_ result: Subprocess.Result) -> String {
        func lines(_ bytes: [UInt8]) -> [String] {
            String(decoding: bytes.filter { $0 == 0x0A || ($0 >= 0x20 && $0 < 0x7F) }, as: UTF8.self)
                .split(separator: "\n").map(String.init)
        }
        let said = lines(result.errors).suffix(linesKept)
        let text = (said.isEmpty ? lines(result.output).suffix(linesKept) : said).joined(separator: "\n")
        return text.isEmpty ? "dpkg ended with status \(result.status)" : text
    }
}
