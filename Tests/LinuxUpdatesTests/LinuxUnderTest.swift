import ByteTools
import Glibc
import Installers
import Synchronization
import UpdateTesting

@testable import LinuxUpdates

/// Debian machines: packages go over the socket of the machine's installer to a real dpkg in a small system.
struct LinuxUnderTest: InstallerUnderTest {
    let description = "Linux with dpkg"
    /// An installation runs dpkg several times.
    let samples = 4
    let programSize = 3000
    /// Cuts of the power are tried with whole machines.
    let isCutByOperation = false

    func package(_ version: String, size: Int, behaviour: ProgramBehaviour) throws -> TestPackage {
        try package(version, size: size, behaviour: behaviour, name: "iocafe-hello")
    }

    private func package(
        _ version: String, size: Int = 500, behaviour: ProgramBehaviour = ProgramBehaviour(), name: String,
        fields: String = "Architecture: all\n"
    ) throws -> TestPackage {
        let folder = try TemporaryFolder()
        var random = SeededGenerator(seed: UInt64(size))
        // Nothing that compresses well.
        let filling = random.bytes(max(1, size)).map { UInt8(ascii: "0") + $0 % 64 }
        let text =
            "#!/bin/sh\n# \(behaviour.selfTest.rawValue) \(behaviour.crashesAtBoot)\necho \(version)\n# "
        let program = Array(text.utf8) + filling + [0x0A]
        let path = try folder.write("program", program)
        let result = try Subprocess.run(
            "/bin/sh",
            [
                "-c",
                #"""
                set -e
                export SOURCE_DATE_EPOCH=1700000000
                mkdir -p "$1/tree/DEBIAN" "$1/tree/usr/bin" "$1/tree/etc"
                install -m 755 "$5" "$1/tree/usr/bin/${3#iocafe-}"
                echo '# settings' > "$1/tree/etc/$3.conf"
                echo "/etc/$3.conf" > "$1/tree/DEBIAN/conffiles"
                printf 'Package: %s\nVersion: %s\nMaintainer: x <x@example.org>\n%sDescription: x\n' \
                    "$3" "$2" "$4" > "$1/tree/DEBIAN/control"
                dpkg-deb --root-owner-group -Zgzip --build "$1/tree" "$1/made.deb"
                rm -r "$1/tree"
                """#, "sh", folder.path, version, name, fields, path,
            ], outputLimit: 1 << 16, milliseconds: 60_000)
        guard result.status == 0 else { throw ContractBreach(String(decoding: result.errors, as: UTF8.self)) }
        let made = try File(folder.path + "/made.deb", .read)
        return TestPackage(version: version, bytes: try made.read(at: 0, count: made.byteCount), program: program)
    }

    func wrongPackages() throws -> [(name: String, bytes: [UInt8])] {
        [
            ("other application", try package("260102-0000", name: "iocafe-gina").bytes),
            (
                "other machine",
                try package("260102-0000", name: "iocafe-hello", fields: "Architecture: s390x\n").bytes
            ),
            (
                "needs what is missing",
                try package(
                    "260102-0000", name: "iocafe-hello", fields: "Architecture: all\nDepends: libimaginary7\n"
                ).bytes
            ),
            ("text", Array("This is no program.\n".utf8)), ("nothing", []),
        ]
    }

    /// A flipped bit in the compressed program. The archive around it has fields without a checksum that mean nothing, like
    /// times; with signed packages these count as well.
    func damaged(_ package: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
        var wrong = package
        // The program is last and larger than all before it.
        let place = Int.random(in: package.count / 2..<package.count - 16, using: &random)
        wrong[place] ^= 1 << Int.random(in: 0..<8, using: &random)
        return wrong
    }

    func device(running program: TestPackage) throws -> any DeviceUnderTest { try LinuxDevice(program) }
}

/// A small system with its installer, and what a program does around an update.
final class LinuxDevice: DeviceUnderTest {
    /// What is gone when the machine is switched off.
    private struct Running {
        let service: InstallerService
        let client: InstallerClient
        let installer: LinuxInstaller
    }

    private let system: SmallSystem
    private let running = Mutex<Running?>(nil)
    private var settingsFile: String { system.root + "/etc/iocafe-hello.conf" }

    init(_ program: TestPackage) throws {
        system = try SmallSystem()
        try system.install(system.folder.write("factory.deb", program.bytes))
        // What its owner configured.
        try ReplacementFile.write(settingsFile, Array("mine\n".utf8))
    }

    deinit { running.withLock { $0?.service.stop() } }

    /// A restart of the program when the installer wants to do one, as after an installation; else of the whole machine.
    func start() throws -> StartedProgram {
        if let now = running.withLock({ $0 }) {
            // The restart of an installation waits until the program lets it.
            if try Self.state(now).stage == .installing {
                now.client.mayRestart()
            } else {
                _ = try settled(now)
                now.service.stop()
                running.withLock { $0 = nil }
            }
        }
        let now = try running.withLock { $0 } ?? boot()
        let state = try settled(now)
        let installer = LinuxInstaller(now.client, folder: system.folder.path, manifest: { nil })
        running.withLock { $0 = Running(service: now.service, client: now.client, installer: installer) }
        return StartedProgram(behaviour: try behaviour(), isOnTrial: state.stage == .proving)
    }

    private func boot() throws -> Running {
        let path = system.folder.path + "/installer.sock"
        let settings = ApplicationSettings(
            package: "iocafe-hello", user: "root", data: system.data, keys: nil, proofSeconds: 600)
        let service = try InstallerService(
            folder: system.folder.path + "/updates", path: path, dpkg: system.dpkg, report: { _ in },
            settings: { [settings] }, control: { _ in NotedControl() })
        service.start()
        let client = InstallerClient(path: path)
        return Running(
            service: service, client: client,
            installer: LinuxInstaller(client, folder: system.folder.path, manifest: { nil }))
    }

    private static func state(_ now: Running) throws -> InstallerState {
        guard case .state(let state) = try now.client.ask(.status) else { throw ContractBreach("no state") }
        return state
    }

    /// The state when nothing is at work any more.
    private func settled(_ now: Running) throws -> InstallerState {
        for _ in 0..<3000 {
            let state = try Self.state(now)
            if state.stage == .idle || state.stage == .proving { return state }
            usleep(10_000)
        }
        throw ContractBreach("the installer does not come to an end: \(try Self.state(now))")
    }

    private func now() throws -> Running {
        guard let now = running.withLock({ $0 }) else { throw ContractBreach("the machine is off") }
        return now
    }

    private func program() throws -> [UInt8] {
        let file = try File(system.root + "/usr/bin/hello", .read)
        return try file.read(at: 0, count: file.byteCount)
    }

    /// The second line of the program says how it does.
    private func behaviour() throws -> ProgramBehaviour {
        let lines = String(decoding: try program(), as: UTF8.self).split(separator: "\n")
        let words = lines.count > 1 ? lines[1].split(separator: " ") : []
        guard words.count == 3, let number = UInt8(words[1]), let test = ProgramBehaviour.SelfTest(rawValue: number)
        else { throw ContractBreach("something else is installed") }
        return ProgramBehaviour(selfTest: test, crashesAtBoot: words[2] == "true")
    }

    var installer: any ProgramInstaller { get throws { try now().installer } }

    func confirm() throws {
        if case .refused(_, let reason) = try now().client.ask(.confirm) { throw ContractBreach(reason) }
    }

    func giveUp() throws {
        let now = try now()
        let isTrial = try Self.state(now).stage == .proving
        let reply = try now.client.ask(isTrial ? .giveUp(reason: "its self-test failed") : .rollBack)
        if case .refused(_, let reason) = reply { throw ContractBreach(reason) }
        // Nobody has to be told that it ends.
        now.client.mayRestart()
    }

    func runs(_ package: TestPackage) throws -> Bool {
        guard try system.dpkg.findings("iocafe-hello").version == package.version else { return false }
        return try program() == package.program
    }

    func checkSettings() throws {
        guard try system.state() == "old", try system.run(#"cat "$1""#, [settingsFile]) == "mine\n" else {
            throw ContractBreach("data or configuration changed")
        }
    }

    func checkRecords() throws {
        guard try system.isClean() else { throw ContractBreach("dpkg has something half done") }
        let state = try Self.state(now())
        guard state.stage == .idle, state.version == (try system.dpkg.findings("iocafe-hello").version) else {
            throw ContractBreach("the installer is not done: \(state)")
        }
    }
}
