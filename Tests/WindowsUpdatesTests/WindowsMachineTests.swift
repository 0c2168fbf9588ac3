import ByteTools
import Foundation
import IOCOM
import Installers
import Programs
import Testing
import UpdateTesting

@testable import WindowsUpdates

private let old = "261126-1605"
private let new = "261126-1606"

@Suite struct WindowsMachineTests {
    /// A machine that runs the old version, proved.
    private func prepared() throws -> ScriptedWindows {
        let windows = try ScriptedWindows()
        let machine = try windows.machine()
        #expect(machine.start().version == "200101-0000")
        #expect(try windows.install(ScriptedWindows.package(old), on: machine).version == old)
        #expect(machine.start() == .init(version: old, isOnTrial: true, problem: nil))
        #expect(try machine.confirm() == nil)
        return windows
    }

    @Test func `A package is installed, proves itself, stays, and is taken back on request`() throws {
        let windows = try prepared()
        var machine = try windows.machine()
        let done = try windows.install(ScriptedWindows.package(new), on: machine)
        #expect(done.version == new && done.needsRestart)
        #expect(throws: InstallError.self) { try WindowsInstaller(machine).start() }
        machine = try windows.machine()
        #expect(machine.start() == .init(version: new, isOnTrial: true, problem: nil))
        #expect(machine.previousVersion() == old)
        #expect(try machine.confirm() == nil)
        #expect(machine.start() == .init(version: new, isOnTrial: false, problem: nil))
        try machine.goBack("somebody asked")
        #expect(machine.start() == .init(version: old, isOnTrial: false, problem: nil))
        #expect(try windows.installed() == [old])
        #expect(try machine.journal().reason.contains("\(new) was rolled back to \(old): somebody asked"))
        #expect(machine.previousVersion() == nil)
    }

    @Test func `A program that does not answer is given up`() throws {
        let windows = try prepared()
        try ReplacementFile.write(windows.path + "/silent", Array("26.11.38406\n".utf8))
        let machine = try windows.machine()
        _ = try windows.install(ScriptedWindows.package(new), on: machine)
        let start = machine.start()
        #expect(start.isOnTrial && start.problem == "the service runs, but the program does not answer")
        try machine.goBack("its self-test failed")
        #expect(machine.start() == .init(version: old, isOnTrial: false, problem: nil))
        #expect(try windows.installed() == [old])
    }

    @Test func `A program that never proves itself is given up by a later start`() throws {
        let windows = try prepared()
        let machine = try windows.machine()
        _ = try windows.install(ScriptedWindows.package(new), on: machine)
        for _ in 0..<3 { #expect(machine.start().isOnTrial) }
        #expect(machine.start() == .init(version: old, isOnTrial: false, problem: nil))
        #expect(try machine.journal().reason.contains("did not prove itself"))
    }

    /// A machine whose new program had all its starts and proved itself in none.
    private func unproved() throws -> ScriptedWindows {
        let windows = try prepared()
        let machine = try windows.machine()
        _ = try windows.install(ScriptedWindows.package(new), on: machine)
        for _ in 0..<3 { #expect(machine.start().isOnTrial) }
        return windows
    }

    @Test(arguments: ["busy", "mute", "stuck"])
    func `A failure of going back is tried again at each start, and nothing is forgotten`(what: String) throws {
        let windows = try unproved()
        try windows.set(what)
        for _ in 0..<6 {
            let machine = try windows.machine()
            let start = machine.start()
            #expect(!start.isOnTrial && start.problem?.contains("is not taken back yet") == true, "\(start)")
            // Without the registry it is not known.
            #expect(start.version == (what == "mute" ? "200101-0000" : new))
            #expect(machine.previousVersion() == old)
            let journal = try machine.journal()
            #expect(journal.stage == .rollingBack && journal.next?.version == new && journal.current?.version == old)
        }
        #expect(try windows.installed() == [new])
        try windows.set(what, nil)
        let machine = try windows.machine()
        #expect(machine.start() == .init(version: old, isOnTrial: false, problem: nil))
        #expect(try windows.installed() == [old])
        #expect(try machine.journal().reason.contains("did not prove itself"))
    }

    @Test func `An operator can ask again for a way back that failed`() throws {
        let windows = try prepared()
        var machine = try windows.machine()
        _ = try windows.install(ScriptedWindows.package(new), on: machine)
        _ = machine.start()
        try windows.set("busy")
        for _ in 0..<3 {
            let error = #expect(throws: StorageFailure.self) { try machine.goBack("an operator asked for it") }
            #expect(error?.description.contains("another installation is under way") == true)
            // What was given up can't be confirmed any more.
            #expect(throws: StorageFailure.self) { try machine.confirm() }
        }
        try windows.set("busy", nil)
        try machine.goBack("somebody asked again")
        #expect(machine.start() == .init(version: old, isOnTrial: false, problem: nil))
        #expect(try machine.journal().reason.hasSuffix("an operator asked for it"))

        // The same for a program that had proved itself.
        _ = try windows.install(ScriptedWindows.package(new), on: machine)
        _ = machine.start()
        #expect(try machine.confirm() == nil)
        try windows.set("busy")
        #expect(throws: StorageFailure.self) { try machine.goBack("an operator asked for it") }
        machine = try windows.machine()
        #expect(machine.start().problem != nil)
        #expect(throws: StorageFailure.self) { try machine.goBack("an operator asked for it") }
        try windows.set("busy", nil)
        try machine.goBack("an operator asked for it")
        #expect(machine.start() == .init(version: old, isOnTrial: false, problem: nil))
    }

    @Test func `Where going back stays impossible another package goes on`() throws {
        let windows = try unproved()
        let machine = try windows.machine()
        try windows.set("stuck")
        #expect(machine.start().problem != nil)
        // Going back to the old one would need the removal, which fails; what is newer replaces both.
        let third = "261126-1607"
        #expect(try windows.install(ScriptedWindows.package(third), on: machine).version == third)
        #expect(machine.start() == .init(version: third, isOnTrial: true, problem: nil))
        #expect(try machine.confirm() == nil)
        let journal = try machine.journal()
        #expect(journal.current?.version == third && journal.previous?.version == old && journal.leftovers.isEmpty)
        #expect(try windows.installed() == [third])
    }

    @Test func `Every package that was given up is named until Windows has removed it`() throws {
        let windows = try unproved()
        let machine = try windows.machine()
        try windows.set("stuck")
        #expect(machine.start().problem != nil)
        // An older one can't be put over what can't be removed.
        for _ in 0..<2 {
            #expect(throws: InstallError.self) {
                try windows.install(ScriptedWindows.package("261120-0000"), on: machine)
            }
        }
        let journal = try machine.journal()
        #expect(journal.leftovers.map(\.version) == [new] && journal.next?.version == "261120-0000")
        #expect(WindowsJournal(parsing: journal.bytes) == journal)
        #expect(machine.start().version == new)
        try windows.set("stuck", nil)
        #expect(machine.start() == .init(version: old, isOnTrial: false, problem: nil))
        #expect(try machine.journal().leftovers.isEmpty)
        #expect(try windows.installed() == [old])
    }

    @Test func `Nothing is removed for a package whose file is gone`() throws {
        let windows = try unproved()
        let machine = try windows.machine()
        try Folder.remove(try #require(try machine.journal().current?.file), in: windows.path + "/device")
        let start = machine.start()
        #expect(start.version == new && start.problem?.contains("is not kept any more") == true)
        #expect(try windows.installed() == [new])
    }

    @Test func `A journal that can't be read keeps nobody away from the device`() throws {
        let windows = try prepared()
        try windows.set("device/journal.json", "{")
        let machine = try windows.machine()
        let start = machine.start()
        #expect(!start.isOnTrial && start.problem?.contains("is damaged") == true)
        #expect(throws: InstallError.self) { try WindowsInstaller(machine).start() }
        #expect(throws: StorageFailure.self) { try machine.goBack("somebody asked") }
        #expect(try windows.installed() == [old])
    }

    @Test func `While Windows Installer works nobody else drives it`() async throws {
        let windows = try prepared()
        let machine = try windows.machine()
        _ = try windows.install(ScriptedWindows.package(new), on: machine)
        _ = machine.start()
        #expect(try machine.confirm() == nil)
        try windows.set("hold")
        let third = "261126-1607"
        let package = try ScriptedWindows.package(third)
        // It waits, and the threads of tests are few.
        async let work = withCheckedThrowingContinuation { done in
            Thread.detachNewThread { done.resume(with: Result { try windows.install(package, on: machine) }) }
        }
        for _ in 0..<1000 where Folder.entry(windows.path + "/held") == nil {
            try await Task.sleep(for: .milliseconds(20))
        }
        try #require(Folder.entry(windows.path + "/held") != nil, "msiexec does not begin")
        let before = try machine.journal()
        #expect(before.stage == .installing)
        let refused = #expect(throws: StorageFailure.self) { try machine.goBack("somebody asked") }
        #expect(refused?.description.contains("is being installed") == true)
        #expect(throws: StorageFailure.self) { try machine.confirm() }
        #expect(throws: InstallError.self) { try WindowsInstaller(machine).start() }
        // Not even a start of the same process, whose disk is the same.
        let start = try windows.machine().start()
        #expect(start.problem?.contains("is being installed") == true)
        #expect(try machine.journal() == before)
        try windows.set("hold", nil)
        #expect(try await work.version == third)
        #expect(machine.start() == .init(version: third, isOnTrial: true, problem: nil))
        #expect(try machine.confirm() == nil)
        #expect(try machine.journal().previous?.version == new)
        #expect(try windows.installed() == [third])
    }

    @Test func `A program that ended after its answer is not confirmed`() throws {
        let windows = try prepared()
        let machine = try windows.machine()
        _ = try windows.install(ScriptedWindows.package(new), on: machine)
        #expect(machine.start().problem == nil)
        try windows.set("running", nil)
        #expect(try machine.confirm() == "the service gina does not run any more")
        let journal = try machine.journal()
        #expect(journal.stage == .proving && journal.current?.version == old)
        try machine.goBack("the service gina does not run any more")
        #expect(machine.start() == .init(version: old, isOnTrial: false, problem: nil))
    }

    @Test func `The answer of a program that is just being stopped does not count`() throws {
        let windows = try prepared()
        try windows.set("silent", "26.11.38406\n")
        try windows.set("stale", "26.11.38406\n")
        let machine = try windows.machine()
        _ = try windows.install(ScriptedWindows.package(new), on: machine)
        // The installation started it.
        try windows.set("running")
        #expect(machine.start().problem == "the service runs, but the program does not answer")
    }

    @Test func `A first package with a wrong upgrade code does not keep away the right one`() throws {
        let windows = try ScriptedWindows()
        let machine = try windows.machine()
        _ = machine.start()
        let wrong = try ScriptedWindows.package(old) {
            $0.properties[4].value = "{2B1E0F0C-6B1C-4E1B-9B3B-3B1B5B0F1A02}"
        }
        _ = try windows.install(wrong, on: machine)
        _ = machine.start()
        try machine.goBack("it was the wrong one")
        #expect(machine.start() == .init(version: "200101-0000", isOnTrial: false, problem: nil))
        #expect(try windows.install(ScriptedWindows.package(new), on: machine).version == new)
    }

    @Test(arguments: ["1.2", "1.2.3.4", "7"])
    func `A program says its version as its package writes it`(version: String) throws {
        let windows = try prepared()
        let machine = try windows.machine()
        // Older than what is installed, so that it is removed before.
        let package = try ScriptedWindows.package(new) { $0.properties[2].value = version }
        #expect(try windows.install(package, on: machine).version == version)
        #expect(machine.start() == .init(version: version, isOnTrial: true, problem: nil))
        #expect(try machine.confirm() == nil)
    }

    @Test func `Packages are installed for the machine`() throws {
        let windows = try prepared()
        let asked = try File(windows.path + "/asked", .read)
        let text = String(decoding: try asked.read(at: 0, count: asked.byteCount), as: UTF8.self)
        let lines = text.split(separator: "\n").filter { $0.hasPrefix("/i ") }
        #expect(!lines.isEmpty && lines.allSatisfy { $0.contains(" ALLUSERS=1 ") }, "\(text)")
    }

    @Test(arguments: [
        (67, "a step of the installation failed (1603): Error 1722. It can not be done."), (66, "cancelled"),
        (102, "another version"), (89, "rules of this machine"), (97, "another kind of machine"), (84, "can't open"),
    ])
    func `An installation that fails leaves the old program and tells why`(code: Int, text: String) throws {
        let windows = try prepared()
        let machine = try windows.machine()
        try ReplacementFile.write(windows.path + "/codes", Array("\(code)\n".utf8))
        let error = #expect(throws: InstallError.self) {
            try windows.install(ScriptedWindows.package(new), on: machine)
        }
        #expect(
            error?.status == .installationFailed && error?.description.contains(text) == true,
            "\(String(describing: error))")
        #expect(machine.start() == .init(version: old, isOnTrial: false, problem: nil))
        #expect(try windows.installed() == [old])
    }

    @Test func `An installation waits while another is under way, but not for ever`() throws {
        let windows = try prepared()
        let machine = try windows.machine()
        try ReplacementFile.write(windows.path + "/codes", Array("82\n82\n0\n".utf8))
        #expect(try windows.install(ScriptedWindows.package(new), on: machine).version == new)
        _ = machine.start()
        #expect(try machine.confirm() == nil)
        try ReplacementFile.write(windows.path + "/codes", Array("82\n82\n82\n".utf8))
        let busy = #expect(throws: InstallError.self) {
            try windows.install(ScriptedWindows.package("261126-1607"), on: machine)
        }
        #expect(busy?.description.contains("another installation is under way") == true)
        #expect(try windows.installed() == [new])
    }

    @Test func `An older version and another file of the same product replace what is installed`() throws {
        let windows = try prepared()
        let machine = try windows.machine()
        for version in ["261125-0000", new] {
            _ = try windows.install(ScriptedWindows.package(version), on: machine)
            _ = machine.start()
            #expect(try machine.confirm() == nil)
            #expect(try windows.installed() == [version])
        }
        let again = try ScriptedWindows.package(new) { $0.cabinet?[0] = 1 }
        #expect(try windows.install(again, on: machine).version == new)
    }

    @Test func `What is not for this device is refused before anything is run`() throws {
        let windows = try prepared()
        let machine = try windows.machine()
        let wrong: [(String, (inout MSIBuilder) -> Void)] = [
            ("application gino", { $0.properties[5].value = "gino" }), ("for arm64", { $0.template = "Arm64;1033" }),
            ("another product", { $0.properties[4].value = "{2B1E0F0C-6B1C-4E1B-9B3B-3B1B5B0F1A02}" }),
            ("no upgrade code", { $0.properties.remove(at: 4) }), ("beside it", { $0.cabinet = nil }),
        ]
        let before = try windows.installed()
        for (text, change) in wrong {
            let error = #expect(throws: InstallError.self) {
                try windows.install(ScriptedWindows.package(new, change), on: machine)
            }
            #expect(error?.description.contains(text) == true, "\(String(describing: error))")
        }
        #expect(throws: InstallError.self) { try windows.install([UInt8](repeating: 7, count: 5000), on: machine) }
        #expect(throws: InstallError.self) {
            try windows.install(Array(ScriptedWindows.package(new).prefix(5000)), on: machine)
        }
        #expect(try windows.installed() == before)
        #expect(try machine.journal().stage == .idle)
    }

    @Test(arguments: [false, true]) func `A cut at any command ends with the old or the new program`(isDone: Bool)
        throws
    {
        let windows = try prepared()
        let packages = [old, new]
        var next = 1
        var cuts = 0
        // Forth and back, so that each round starts from a proved program; every other command, another half at each run.
        for call in stride(from: Int.random(in: 1...2), to: 60, by: 2) {
            try windows.cut(at: call, isDone: isDone)
            let package = try ScriptedWindows.package(packages[next])
            let machine = try windows.machine()
            var proved = false
            do {
                _ = try windows.install(package, on: machine)
                let start = machine.start()
                #expect(start.problem == nil || Folder.entry(windows.path + "/off") != nil)
                if start.problem == nil {
                    #expect(try machine.confirm() == nil)
                    proved = true
                }
            } catch {}
            let wasCut = try windows.restore()
            if wasCut { cuts += 1 }
            let again = try windows.machine()
            let start = again.start()
            #expect(start.problem == nil, "cut at \(call): \(start)")
            #expect(try windows.installed() == [start.version], "cut at \(call)")
            #expect(packages.contains(start.version), "cut at \(call): \(start)")
            if start.isOnTrial { #expect(try again.confirm() == nil) }
            #expect(try again.journal().stage == .idle)
            if start.version == packages[next] { next = 1 - next }
            if !wasCut {
                #expect(proved)
                break
            }
        }
        #expect(cuts > 4, "only \(cuts) cuts")
    }

    @Test func `A cut while going back is finished by the next start`() throws {
        for call in stride(from: Int.random(in: 1...2), to: 40, by: 2) {
            let windows = try prepared()
            let machine = try windows.machine()
            _ = try windows.install(ScriptedWindows.package(new), on: machine)
            _ = machine.start()
            try windows.cut(at: call, isDone: false)
            try? machine.goBack("it was no good")
            let wasCut = try windows.restore()
            let start = try windows.machine().start()
            #expect(start == .init(version: old, isOnTrial: false, problem: nil), "cut at \(call)")
            #expect(try windows.installed() == [old])
            if !wasCut { return }
        }
        Issue.record("going back has more commands than were tried")
    }
}

@Suite struct WindowsServicesTests {
    @Test func `The state of a service is read by its number, whatever the service is called`() {
        func answer(_ name: String, _ state: String) -> String {
            "\r\nSERVICE_NAME: \(name)\r\n        TYPE               : 10  WIN32_OWN_PROCESS\r\n"
                + "        STATE              : \(state)\r\n                                (STOPPABLE)\r\n"
        }
        #expect(WindowsServices.isRunning(answer("STATE-RUNNING", "1  STOPPED")) == false)
        #expect(WindowsServices.isRunning(answer("STATELOG", "4  RUNNING")) == true)
        #expect(WindowsServices.isRunning(answer("gina", "4  WIRD AUSGEF\u{FFFD}HRT")) == true)
        #expect(WindowsServices.isRunning(answer("gina", "2  START_PENDING")) == false)
        #expect(WindowsServices.isRunning("[SC] EnumQueryServicesStatus:OpenService FAILED 1060:\r\n") == nil)
        #expect(WindowsServices.isRunning("") == nil)
    }
}

@Suite struct InstallationLogTests {
    @Test func `The lines that tell why are found in both encodings`() throws {
        let log =
            "MSI (s) Doing action\r\nError 1722. There is a problem.\r\nAction ended 5:02:31: Fail. Return value 3.\r\nrest\r\n"
        let told = "Error 1722. There is a problem.; Action ended 5:02:31: Fail. Return value 3."
        let folder = try TemporaryFolder()
        #expect(InstallationLog.reason(try folder.write("narrow", Array(log.utf8))) == told)
        var wide: [UInt8] = [0xFF, 0xFE]
        for unit in log.utf16 { wide.appendNumber(unit) }
        #expect(InstallationLog.reason(try folder.write("wide", wide)) == told)
        #expect(InstallationLog.reason(folder.path + "/none").isEmpty)
        #expect(
            InstallationLog.reason(in: "Action ended: A. Return value 0.\nAction ended: B. Return value 1.")
                == "Action ended: A. Return value 0.")
        #expect(
            InstallationLog.reason(
                in: String(repeating: "Error 1: " + String(repeating: "x", count: 900) + "\n", count: 3)
            ).utf8.count <= InstallationLog.longestTold)
    }

    @Test func `Codes are known whole and by their lower byte`() {
        for code: Int32 in [0, 3010, 1641, 1618, 1603, 1602, 1638, 1605, 1619, 1620, 1625, 1633, 1601] {
            #expect(MsiexecResult(status: code) == MsiexecResult(status: code & 0xFF), "\(code)")
        }
        #expect(MsiexecResult(status: 3010) == .restartNeeded && MsiexecResult(status: 82) == .busy)
        #expect(MsiexecResult(status: 77) == .other(77))
    }

    @Test func `A journal is read as it was written, and nothing else is one`() throws {
        var journal = WindowsJournal()
        journal.stage = .proving
        journal.next = .init(
            file: "a.msi", version: new, productVersion: "1.2.3", productCode: "{1}", upgradeCode: "{2}",
            services: ["a", "b"])
        journal.leftovers = [journal.next, journal.next].compactMap(\.self)
        journal.reason = "\"why\"\n"
        journal.tries = 2
        #expect(WindowsJournal(parsing: journal.bytes) == journal)
        for count in 0..<journal.bytes.count { #expect(WindowsJournal(parsing: Array(journal.bytes[..<count])) == nil) }
    }
}
