import Foundation
import Synchronization
import Testing
import UpdateTesting

private let old = "261101-0800"
private let new = "261124-1200"
private let candy4 = "candy4.cafenet"

extension EndToEnd {
    /// A Linux machine in a folder: its own package database, `iostart`, and candy from a package that ispy made. frank and
    /// ispy are as ever.
    @Suite(.serialized, .enabled(if: LinuxMachine.isPossible)) struct LinuxMachines {
        @Test func `A package written through frank is installed, restarted, proved and kept`() async throws {
            let world = try await World.start()
            let machine = try await LinuxMachine(world)
            #expect(try await world.status(candy4).version == old)

            let written = try await world.ispy("program", "write", candy4, try await machine.package(new), "--json")
            #expect(written.status == 0, "\(written) \(machine.report)")
            let result = try written.object()
            #expect(result["result"] as? String == "confirmed" && result["version"] as? String == new)
            #expect(
                try await world.status(candy4)
                    == ProgramState(version: new, previous: old, state: "confirmed", reason: nil))
            #expect(try machine.installedVersion() == new)

            // Back to the one before, as an operator wishes.
            let back = try await world.ispy("program", "rollback", candy4)
            #expect(back.status == 0, "\(back) \(machine.report)")
            #expect(try await world.status(candy4).version == old)
            #expect(try machine.installedVersion() == old)
            try await machine.stop()
            try await world.stop()
        }

        @Test func `A program that crashes at its start is replaced by the one before, and the reason is told`()
            async throws
        {
            let world = try await World.start()
            let machine = try await LinuxMachine(world)
            let bad = try await machine.package(new, program: "/usr/bin/false")
            let written = try await world.ispy("program", "write", candy4, bad, "--json")
            #expect(written.status == 5, "\(written) \(machine.report)")
            #expect(try written.object()["result"] as? String == "rolledBack")
            #expect(written.errors.contains(#/it crashed \d+ times: it ended with status 1/#), "\(written)")
            let state = try await world.status(candy4)
            #expect(state.version == old && state.state == "rolled back")
            #expect(try machine.installedVersion() == old)
            // And the next one goes in.
            let good = try await world.ispy(
                "program", "write", candy4, try await machine.package("261125-0000"), "--json")
            #expect(good.status == 0, "\(good) \(machine.report)")
            try await machine.stop()
            try await world.stop()
        }

        @Test func `What is not for this machine is refused, and candy runs on`() async throws {
            let world = try await World.start()
            let machine = try await LinuxMachine(world)
            let garbage = try world.folder.write("garbage.deb", [UInt8](repeating: 7, count: 100_000))
            let refused = try await world.ispy("block", "write", candy4, "1", garbage)
            #expect(refused.status == 1, "\(refused)")
            let state = try await eventually("it says why") { () async throws -> ProgramState? in
                let state = try await world.status(candy4)
                return state.state == "failed" ? state : nil
            }
            #expect(state.version == old && state.reason?.contains("not a program package") == true, "\(state)")
            #expect(try machine.installedVersion() == old)
            try await machine.stop()
            try await world.stop()
        }

        @Test func `iostart that stays above itself is started again when it dies, and hands signals on`() async throws
        {
            let folder = try TemporaryFolder()
            for name in ["applications", "machine"] {
                try FileManager.default.createDirectory(
                    atPath: folder.path + "/" + name, withIntermediateDirectories: true)
            }
            let above = try RunningProgram(
                Place.programs + "/iostart",
                [
                    "run", "--respawn", "--config", folder.path + "/applications", "--state", folder.path + "/state",
                    "--socket", folder.path + "/installer.sock", "--root", folder.path + "/machine",
                ], folder: folder.path)
            func below() async throws -> pid_t {
                try await eventually("a program below") {
                    let found = try await RunningProgram(
                        "/usr/bin/pgrep", ["-P", "\(above.id)"], folder: folder.path
                    ).end()
                    return pid_t(found.output.trimmingCharacters(in: .whitespacesAndNewlines))
                }
            }
            try await above.line("no application is named")
            kill(try await below(), SIGKILL)
            try await above.line("it died (137) and is started again")
            try await above.line("no application is named", count: 2)
            let last = try await below()
            above.signal(SIGTERM)
            let ended = try await above.end()
            #expect(ended.status == 0, "\(ended)")
            // It waited for the one below.
            #expect(kill(last, 0) == -1 && errno == ESRCH)
        }
    }
}

/// A folder with a package database, in which candy is installed and started by `iostart`.
struct LinuxMachine {
    static let isPossible =
        geteuid() == 0
        && ["/usr/bin/dpkg", "/usr/bin/dpkg-shlibdeps", "/usr/bin/xz", "/usr/bin/setpriv"]
            .allSatisfy { FileManager.default.fileExists(atPath: $0) }

    private let world: World
    private let root: String
    private let starter: RunningProgram

    /// What the starter and candy said.
    var report: String { starter.report }

    /// Installs candy of the old version and starts it; returns when frank knows it.
    init(_ world: World) async throws {
        self.world = world
        let folder = world.folder.path
        root = folder + "/machine"
        for path in ["/var/lib/dpkg/info", "/var/lib/dpkg/updates", "/var/lib/iocom", "/tmp"] {
            try FileManager.default.createDirectory(atPath: root + path, withIntermediateDirectories: true)
        }
        // The libraries that candy's package depends on are those of the machine that tests.
        let libraries = ["libc6", "libgcc-s1", "libstdc++6"].map { name in
            "Package: \(name)\nStatus: install ok installed\nVersion: 99\nArchitecture: \(Self.architecture)\n"
                + "Maintainer: x <x@example.org>\nDescription: x\n\n"
        }
        try Data(libraries.joined().utf8).write(to: URL(fileURLWithPath: root + "/var/lib/dpkg/status"))
        let config = folder + "/applications"
        try FileManager.default.createDirectory(atPath: config, withIntermediateDirectories: true)
        let application: [String: Any] = [
            "package": "iocafe-candy", "user": "root", "data": root + "/var/lib/iocom/candy", "proofSeconds": 30,
            "program": root + "/usr/bin/candy",
            "arguments": [
                "run", "--hardware", "linux", "--number", "4", "--connect", world.tls, "--trust", world.trust, "--data",
                root + "/var/lib/iocom/candy", "--password-file", folder + "/password", "--installer",
                folder + "/installer.sock",
            ],
        ]
        try JSONSerialization.data(withJSONObject: application)
            .write(to: URL(fileURLWithPath: config + "/candy.json"))
        let package = try await Self.make(old)
        let installed = try await RunningProgram(
            "/usr/bin/dpkg", ["--root=" + root, "--install", package], folder: folder
        ).end()
        guard installed.status == 0 else { throw Unexpected("\(installed)") }
        starter = try RunningProgram(
            Place.programs + "/iostart",
            ["--config", config, "--state", folder + "/state", "--socket", folder + "/installer.sock", "--root", root],
            folder: folder)
        try await starter.line(": connected to")
    }

    /// Path of a candy package; `program` replaces candy's own.
    func package(_ version: String, program: String? = nil) async throws -> String {
        try await Self.make(version, program)
    }

    #if arch(x86_64)
    private static let architecture = "amd64"
    #else
    private static let architecture = "arm64"
    #endif
    private static let folder = Result { try TemporaryFolder() }
    private static let made = Mutex<[String: String]>([:])

    /// Makes a package with ispy; kept for the whole run.
    private static func make(_ version: String, _ program: String? = nil) async throws -> String {
        let key = "\(version) \(program ?? "candy")"
        if let path = made.withLock({ $0[key] }) { return path }
        let folder = try folder.get().path
        let description = folder + "/candy.json"
        try Data(
            """
            {"organization": "iocafe", "application": "candy", "summary": "IO device", "license": "MIT",
             "maintainer": "Ida Example <ida@example.org>", "copyright": "2026 Ida Example"}
            """.utf8
        ).write(to: URL(fileURLWithPath: description))
        let stripped = folder + "/candy.stripped"
        if program == nil, !FileManager.default.fileExists(atPath: stripped) {
            let strip = try await RunningProgram(
                "/usr/bin/strip", ["--remove-section=.swift_ast", "-o", stripped, Place.programs + "/candy"],
                folder: folder
            ).end(seconds: 60)
            guard strip.status == 0 else { throw Unexpected("\(strip)") }
        }
        let output = folder + "/" + UUID().uuidString
        let run = try await RunningProgram(
            Place.programs + "/ispy",
            [
                "package", "make-deb", description, "--local", "--program", program ?? stripped, "--version", version,
                "--output", output, "--compression", "1",
            ], folder: folder
        ).end(seconds: 240)
        guard run.status == 0 else { throw Unexpected("\(run)") }
        let path = run.output.trimmingCharacters(in: .whitespacesAndNewlines)
        made.withLock { $0[key] = path }
        return path
    }

    /// What the package database says.
    func installedVersion() throws -> String? {
        let status = try String(contentsOfFile: root + "/var/lib/dpkg/status", encoding: .utf8)
        let entry = status.components(separatedBy: "\n\n").first { $0.hasPrefix("Package: iocafe-candy\n") } ?? ""
        guard entry.contains("Status: install ok installed") else { return nil }
        return entry.split(separator: "\n").first { $0.hasPrefix("Version: ") }.map { String($0.dropFirst(9)) }
    }

    func stop() async throws { try await starter.stop() }
}
