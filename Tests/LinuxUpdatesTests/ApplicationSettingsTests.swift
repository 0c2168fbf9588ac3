import ByteTools
import Glibc
import Testing
import UpdateTesting

@testable import LinuxUpdates

@Suite struct ApplicationSettingsTests {
    @Test(arguments: [
        #"{"package": "x", "user": "u", "data": "relative"}"#, #"{"package": "../x", "user": "u"}"#,
        #"{"package": "x"}"#, #"{"user": "u"}"#, #"{"package": "x", "user": "u", "proofSeconds": 0}"#,
        #"{"package": "x", "user": "u", "key": "/x"}"#, #"{"package": "x", "user": "a b"}"#, "[]", "",
        #"{"package": "x", "user": "u", "unit": "../x.service"}"#, #"{"package": "x", "user": "u", "instances": []}"#,
        #"{"package": "x", "user": "u", "instances": [{"name": "a"}, {"name": "a"}]}"#,
        #"{"package": "x", "user": "u", "fetchDependencies": "yes"}"#,
        #"{"package": "x", "user": "u", "data": "/d", "instances": [{"name": "a"}]}"#,
        #"{"package": "x", "user": "u", "data": "/a/../b"}"#, #"{"package": "-x", "user": "u"}"#,
    ])
    func `Settings that are not understood are refused`(text: String) {
        #expect(throws: StorageFailure.self) { try ApplicationSettings(parsing: Array(text.utf8)) }
    }

    @Test func `What the owner says counts more than what a package says`() throws {
        let folder = try TemporaryFolder()
        func write(_ name: String, _ text: String) throws {
            try ReplacementFile.write(folder.path + "/" + name, Array(text.utf8))
        }
        for name in ["lib", "etc"] { try Folder.make(folder.path + "/" + name) }
        try write(
            "lib/candy.json",
            #"{"package": "iocafe-candy", "user": "iocom-candy", "unit": "candy.service", "program": "/usr/bin/candy","#
                + #" "arguments": ["run"], "data": "/d", "options": "/etc/default/candy"}"#)
        try write("lib/frank.json", #"{"package": "iocafe-frank", "user": "iocom-frank", "condition": "/f/trust.pem"}"#)
        try write("etc/candy.json", #"{"proofSeconds": 5, "fetchDependencies": true, "keys": "/k"}"#)
        try write("etc/frank.json", #"{"enabled": false}"#)
        try write("etc/notes.txt", "not settings")
        let folders = [folder.path + "/lib", folder.path + "/etc", folder.path + "/none"]
        var problems: [String] = []
        func load() throws -> [ApplicationSettings] {
            try ApplicationSettings.load(folders) { problems.append($0) }
        }
        let all = try load()
        var expected = ApplicationSettings(
            package: "iocafe-candy", user: "iocom-candy", data: "/d", keys: "/k", proofSeconds: 5,
            program: "/usr/bin/candy", arguments: ["run"])
        expected.unit = "candy.service"
        expected.options = "/etc/default/candy"
        expected.fetchesDependencies = true
        #expect(all == [expected])

        try write(
            "etc/frank.json",
            #"{"arguments": ["run"], "instances": [{"name": "1", "arguments": ["--data", "/1"], "data": "/1"}, {"name": "2"}]}"#
        )
        let frank = try #require(try load().last)
        #expect(frank.instances.map(\.arguments) == [["run", "--data", "/1"], ["run"]])
        #expect(frank.data == ["/1"] && frank.condition == "/f/trust.pem")

        try write("etc/twice.json", #"{"package": "iocafe-frank", "user": "x"}"#)
        #expect(problems.isEmpty)
        #expect(try load().count == 2)
        #expect(problems.count == 1 && problems[0].contains("another file is for iocafe-frank"), "\(problems)")
        // What can't be used is left out, and the rest runs.
        try write("etc/twice.json", "{")
        chmod(folder.path + "/etc/candy.json", 0o666)
        problems = []
        #expect(try load().map(\.package) == ["iocafe-frank"])
        #expect(problems.count == 2 && problems[0].contains("others can write"), "\(problems)")
    }

    @Test func `Options are read as systemd reads them`() {
        let file = OptionsFile(
            """
            # a remark
            OPTIONS="--connect tls://server  --number 7"
             CANDY_PASSWORD='a b'
            no assignment
            1BAD=x
            EMPTY=
            """)
        #expect(file.arguments == ["--connect", "tls://server", "--number", "7"])
        #expect(file.variables == ["CANDY_PASSWORD=a b", "EMPTY="])
        #expect(OptionsFile(path: "/nonexistent") == OptionsFile(""))
        #expect(OptionsFile("OPTIONS=\"").arguments == ["\""])
    }

    @Test func `What systemd says of a unit that crashes`() {
        var reason: String?
        func crashes(_ text: String) -> Crashes? { SystemdControl.crashes(in: text, reason: &reason) }
        #expect(crashes("NRestarts=0\nActiveState=active\nResult=success\nExecMainCode=0\nExecMainStatus=0\n") == nil)
        #expect(
            crashes("NRestarts=1\nActiveState=activating\nResult=exit-code\nExecMainCode=1\nExecMainStatus=3\n")
                == Crashes(count: 1, reason: "it ended with status 3"))
        // It runs again: what was is remembered.
        #expect(
            crashes("NRestarts=3\nActiveState=active\nResult=success\nExecMainCode=0\nExecMainStatus=0\n")
                == Crashes(count: 3, reason: "it ended with status 3"))
        #expect(
            crashes("NRestarts=0\nActiveState=failed\nResult=signal\nExecMainCode=2\nExecMainStatus=11\n")
                == Crashes(count: 1, reason: "signal 11 ended it", isFinal: true))
        #expect(crashes("") == nil)
        #expect(crashes("NRestarts=many\n=\n\n") == nil)
    }
}
