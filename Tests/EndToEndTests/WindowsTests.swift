import Foundation
import Testing
import UpdateTesting

private let old = "261126-1605"
private let new = "261126-1606"
private let candy5 = "candy5.cafenet"

extension EndToEnd {
    /// A Windows in wine whose application comes from real packages: a service of a few lines that says in the registry which
    /// version of it runs. Real frank, candy and ispy.
    @Suite(.serialized, .enabled(if: WineMachine.isPossible)) struct WindowsMachines {
        @Test func `Packages are installed, upgraded, refused and taken back through frank`() async throws {
            let world = try await World.start()
            let machine = try await WineMachine(world)
            let device = try await world.candy(
                5, ["--wine-prefix", machine.prefix, "--confirm-within", "90"], hardware: "windows")
            #expect(try await world.status(candy5).version == "200101-0000")

            // The first one: nothing was installed before.
            let first = try await world.ispy("program", "write", candy5, try await machine.package(old), "--json")
            #expect(first.status == 0, "\(first) \(device.report)")
            #expect(try first.object()["result"] as? String == "confirmed")
            #expect(try await machine.runningVersion() == "26.11.38405")

            let upgraded = try await world.ispy("program", "write", candy5, try await machine.package(new), "--json")
            #expect(upgraded.status == 0, "\(upgraded) \(device.report)")
            #expect(
                try await world.status(candy5)
                    == ProgramState(version: new, previous: old, state: "confirmed", reason: nil))
            #expect(try await machine.runningVersion() == "26.11.38406")

            // For another machine or application: nothing is sent.
            for arguments in [["candy", "261126-1609", "--x86"], ["gina", "261126-1609"]] {
                let refused = try await world.ispy(
                    "program", "write", candy5, try await machine.package(arguments: arguments))
                #expect(refused.status == 5 && refused.errors.contains("is not for"), "\(refused)")
            }

            // One whose installation fails, one whose program does not prove itself: back to the one before.
            for (version, flaw) in [("261126-1607", "--fails"), ("261126-1608", "--silent")] {
                let broken = try await world.ispy(
                    "program", "write", candy5, try await machine.package(version, flaw), "--json")
                #expect(broken.status == 5, "\(broken) \(device.report)")
                let state = try await world.status(candy5)
                #expect(state.version == new && state.reason?.contains(version) == true, "\(state) \(device.report)")
                #expect(try await machine.runningVersion() == "26.11.38406")
            }
            try await device.stop()
            try await world.stop()
            try await machine.stop()
        }
    }
}

/// A wine prefix of one test.
private struct WineMachine {
    static let isPossible = ["/usr/bin/wine", "/usr/bin/wixl"].allSatisfy {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    let prefix: String
    private let folder: String

    init(_ world: World) async throws {
        folder = world.folder.path
        prefix = folder + "/prefix"
        let made = try await wine("wineboot", "--init")
        guard made.status == 0 else { throw Unexpected("\(made)") }
        // The one that made the prefix keeps its database of services locked (1055); the next start does not.
        try await wine("wineboot", "--kill")
    }

    @discardableResult
    private func wine(_ arguments: String...) async throws -> Finished {
        try await RunningProgram(
            "/usr/bin/wine", arguments,
            environment: [
                "WINEPREFIX": prefix, "WINEDEBUG": "-all", "WINEDLLOVERRIDES": "mscoree,mshtml=;winemenubuilder.exe=d",
                "HOME": folder, "DISPLAY": "",
            ], folder: folder
        ).end()
    }

    func package(_ version: String, _ flaw: String? = nil) async throws -> String {
        try await package(arguments: ["candy", version] + (flaw.map { [$0] } ?? []))
    }

    func package(arguments: [String]) async throws -> String {
        let made = try await RunningProgram(
            Place.root + "/scripts/make-msi", Array(arguments.prefix(2)) + [folder] + arguments.dropFirst(2),
            folder: folder
        ).end()
        guard made.status == 0, let path = made.output.split(separator: "\n").last else { throw Unexpected("\(made)") }
        return String(path)
    }

    /// What the program that runs says.
    func runningVersion() async throws -> String? {
        let asked = try await wine("reg", "query", #"HKLM\Software\IOCOM\candy"#, "/v", "Running")
        return asked.output.split(whereSeparator: \.isWhitespace).last.map(String.init)
    }

    func stop() async throws { _ = try await wine("wineboot", "--kill") }
}
