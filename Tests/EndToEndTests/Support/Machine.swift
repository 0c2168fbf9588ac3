import Foundation
import Synchronization
import UpdateTesting

/// A Debian that boots (scripts/machine), with frank and candy installed from packages as the README says.
final class Machine: Sendable {
    enum Kind: String, CaseIterable, Sendable { case systemd, sysvinit }

    /// Folder with packages (scripts/package, also --from-build); nil where machines are not wanted.
    static let packages = ProcessInfo.processInfo.environment["IOCOM_MACHINE_PACKAGES"]
    static let isWanted = packages != nil
    private static let script = Place.root + "/scripts/machine"
    /// One that was set up and switched off, for each kind: others are copies.
    private static let prepared = Mutex<[Kind: Machine]>([:])

    let kind: Kind
    let folder: TemporaryFolder
    /// Password of the operator.
    let password: String
    let place: String
    /// The machine's files.
    var root: String { place + "/root" }

    private init(_ kind: Kind, at place: String? = nil, password: String = "") throws {
        self.kind = kind
        self.password = password
        folder = try TemporaryFolder()
        self.place = place ?? folder.path + "/machine"
    }

    deinit {
        // After a test that failed: mounts and processes must not outlive it.
        guard place.hasPrefix(folder.path),
            let remove = try? RunningProgram(
                Self.script, ["remove", place], folder: folder.path)
        else { return }
        while remove.status == nil { usleep(20_000) }
    }

    /// A machine that runs, with everything installed.
    static func start(_ kind: Kind) async throws -> Machine {
        let original: Machine
        if let made = prepared.withLock({ $0[kind] }) {
            original = made
        } else {
            original = try await install(kind)
            prepared.withLock { $0[kind] = original }
        }
        let machine = try Machine(kind, password: original.password)
        try await machine.host("/bin/mkdir", [machine.place])
        try await machine.host("/bin/cp", ["--archive", original.place + "/upper", machine.place + "/upper"])
        try await machine.boot()
        return machine
    }

    /// Ends it. What a test leaves behind stays mounted.
    func remove() async throws { try await machine("remove") }

    // MARK: Installing

    /// Does what the README says under "Install on Linux", line by line.
    private static func install(_ kind: Kind) async throws -> Machine {
        // At the same place in every run, so that nothing is left behind by this one.
        let place = "\(Place.root)/.build-machines/prepared-\(kind)"
        let bare = try Machine(kind, at: place)
        try await bare.remove()
        try await bare.host(script, ["make"], seconds: 900)
        try await bare.boot()
        try await bare.host("/bin/sh", ["-c", #"cp "$1"/*.deb "$2"/root/"#, "sh", try release(), bare.root])
        let lines = try Readme.commands("Install on Linux")
        guard lines.contains(where: { $0.hasPrefix("apt install") }) else { throw Unexpected("README: \(lines)") }
        let said = try await bare.shell("cd /root\n" + lines.joined(separator: "\n"))
        guard let line = said.output.split(separator: "\n").first(where: { $0.hasPrefix("  password ") }),
            let password = line.split(separator: " ").last
        else { throw Unexpected("no password: \(said)") }
        let machine = try Machine(kind, at: place, password: String(password))
        // A trial shall not last a minute in tests.
        try await machine.shell(
            #"""
            mkdir -p /etc/iocom/applications
            for name in candy frank; do echo '{"proofSeconds": 15}' > /etc/iocom/applications/$name.json; done
            rm /root/*.deb
            iostart reload
            """#)
        try await machine.waitForCandy(seconds: 60)
        try await machine.stop()
        return machine
    }

    private static func release() throws -> String {
        guard let packages else { throw Unexpected("IOCOM_MACHINE_PACKAGES names no folder") }
        return packages
    }

    // MARK: Power

    func boot() async throws {
        _ = try await host(Self.script, ["start", kind.rawValue, place], seconds: 120)
    }

    /// Switches it off at once.
    func kill() async throws { try await machine("kill") }

    func stop() async throws { try await machine("stop") }

    private func machine(_ command: String) async throws {
        _ = try await host(Self.script, [command, place], seconds: 120)
    }

    // MARK: Commands

    /// Runs a shell script in the machine, which must succeed.
    @discardableResult
    func shell(_ script: String, _ arguments: String..., seconds: Double = 120) async throws -> Finished {
        let result = try await attempt(script, arguments, seconds: seconds)
        guard result.status == 0 else { throw Unexpected("\(script)\n\(result)") }
        return result
    }

    /// Runs a shell script in the machine.
    func attempt(_ script: String, _ arguments: [String] = [], seconds: Double = 120) async throws -> Finished {
        try await RunningProgram(
            Self.script, ["run", place, "/bin/sh", "-ec", script, "sh"] + arguments, folder: folder.path
        ).end(seconds: seconds)
    }

    /// Starts ispy of this machine in the network of that one.
    func startISpy(_ arguments: [String]) throws -> RunningProgram {
        try RunningProgram(
            Self.script,
            ["net", place, Place.programs + "/ispy"] + arguments
                + [
                    "--connect", "tls://localhost", "--trust", root + "/var/lib/iocom/frank/trust.pem", "--user",
                    "root.cafenet",
                ],
            environment: ["ISPY_PASSWORD": password, "IOCOM_PACKAGES": folder.path + "/packages"], folder: folder.path)
    }

    func ispy(_ arguments: String...) async throws -> Finished { try await startISpy(arguments).end(seconds: 180) }

    /// `ispy program status`, when the device is there.
    func status(_ device: String) async throws -> ProgramState? {
        let result = try await ispy("program", "status", device, "--json")
        guard result.status == 0 else { return nil }
        return try ProgramState(result.object())
    }

    /// Waits until candy is there and nothing is under way.
    @discardableResult
    func waitForCandy(_ device: String = Machine.candy, seconds: Double = 60) async throws -> ProgramState {
        let idle = ["idle", "confirmed", "rolled back", "failed"]
        do {
            return try await eventually("\(device) is there", seconds: seconds) {
                guard let state = try await status(device), idle.contains(state.state) else { return nil }
                return state
            }
        } catch { throw Unexpected("\(error)\n\(try await log())") }
    }

    /// What the machine's programs said.
    func log() async throws -> String {
        let script =
            kind == .systemd
            ? "journalctl --no-pager --output=cat -u iostart -u frank -u candy | grep -v root.cafenet | tail -n 60"
            : "grep -v root.cafenet /var/log/iostart.log | tail -n 60"
        return try await attempt(script + "; iostart status").output
    }

    /// Nothing is half done in the package database, and what it says is what the programs are.
    func audit() async throws {
        let said = try await shell(
            #"dpkg --audit; for name in candy frank; do dpkg --verify "iocafe-$name" | grep -v ' c /etc/' || true; done"#
        )
        guard said.output.isEmpty else { throw Unexpected("the package database: \(said)\n\(try await log())") }
    }

    static let candy = "candy7.cafenet"
    static let frank = "frank1.cafenet"

    /// Writes a program with ispy, which must end with `status`.
    @discardableResult
    func write(_ package: String, to device: String = candy, ends status: Int32 = 0, _ options: String...) async throws
        -> Finished
    {
        let written = try await startISpy(["program", "write", device, package, "--json"] + options).end(seconds: 180)
        guard written.status == status else {
            throw Unexpected("\(package): status \(status) was expected: \(written)\n\(try await log())")
        }
        return written
    }

    // MARK: Packages

    /// A package of `application` with changes: `script` runs in the folder with its files, `DEBIAN` among them.
    func package(_ application: String, _ version: String, _ script: String = ":") async throws -> String {
        let name = "iocafe-\(application)-\(version)-linux-\(try await Self.architecture()).deb"
        let path = folder.path + "/" + name
        let tree = folder.path + "/tree-" + UUID().uuidString
        try await host(
            "/bin/sh",
            [
                "-ec",
                #"""
                dpkg-deb --raw-extract "$1"/iocafe-"$2"-*.deb "$3"
                cd "$3"
                sed -i "s/^Version: .*/Version: $4/" DEBIAN/control
                echo "$4" > "usr/lib/iocom/$2/version"
                eval "$6"
                find . -path ./DEBIAN -prune -o -type f -print | grep -v '^./etc/' | sed 's,^./,,' | sort | xargs md5sum > DEBIAN/md5sums
                dpkg-deb --root-owner-group -Zgzip -z1 --build "$3" "$5" >/dev/null
                rm -r "$3"
                """#, "sh", try Self.release(), application, tree, version, path, script,
            ])
        return path
    }

    /// Signs a package with the key of these tests, which the machine trusts after ``trustKey()``.
    func sign(_ package: String, _ options: String..., key: String = "maker") async throws {
        if !FileManager.default.fileExists(atPath: folder.path + "/\(key).sec") {
            try await host(Place.programs + "/ispy", ["package", "keygen", folder.path + "/\(key)"])
        }
        try await host(
            Place.programs + "/ispy", ["package", "sign", package, "--key", folder.path + "/\(key).sec"] + options)
    }

    /// As the README says under "Update a Linux device".
    func trustKey() async throws {
        try await host(Place.programs + "/ispy", ["package", "keygen", folder.path + "/maker"])
        try await host("/bin/cp", [folder.path + "/maker.pub", root + "/root/mykey.pub"])
        let lines = try Readme.commands("Update a Linux device").filter { $0.hasPrefix("install ") }
        guard lines.count == 1 else { throw Unexpected("README: \(lines)") }
        try await shell("cd /root; " + lines[0])
    }

    private static func architecture() async throws -> String {
        let folder = try TemporaryFolder()
        return try await RunningProgram("/usr/bin/dpkg", ["--print-architecture"], folder: folder.path).end().output
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Runs something on this machine, which must succeed.
    @discardableResult
    func host(_ program: String, _ arguments: [String], seconds: Double = 120) async throws -> Finished {
        let result = try await RunningProgram(program, arguments, folder: folder.path).end(seconds: seconds)
        guard result.status == 0 else { throw Unexpected("\(program) \(arguments)\n\(result)") }
        return result
    }
}

/// The README, whose commands are tried as they are written.
enum Readme {
    /// The indented lines of a section.
    static func commands(_ section: String) throws -> [String] {
        let text = try String(contentsOfFile: Place.root + "/README.md", encoding: .utf8)
        guard let start = text.range(of: "\n## \(section)\n") else { throw Unexpected("README has no '\(section)'") }
        let rest = text[start.upperBound...]
        let part = rest.range(of: "\n## ").map { rest[..<$0.lowerBound] } ?? rest
        return part.split(separator: "\n").filter { $0.hasPrefix("    ") }
            .map { $0.trimmingCharacters(in: .whitespaces) }
    }
}
