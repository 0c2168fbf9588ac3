import Glibc
import Testing

@testable import TerminalUI

@Suite("Saved connections")
struct ProfileStoreTests {
    private let folder: TemporaryFolder
    private let store: ProfileStore
    private let home = ConnectionProfile(connect: "tls://frank.local:6369", user: "root.cafenet", trust: "/ca/ca.pem")

    init() throws {
        folder = try TemporaryFolder()
        store = ProfileStore(path: folder.path + "/config/iocom/profiles.json")
    }

    private func content() throws -> String {
        let file = open(store.path, O_RDONLY)
        try #require(file >= 0)
        defer { close(file) }
        return String(decoding: try #require(try FileBytes.read(from: file, limit: 1 << 20)), as: UTF8.self)
    }

    @Test("what is saved comes back, sorted by name, and can be replaced and removed")
    func roundTrip() throws {
        #expect(try store.all().isEmpty)
        try store.save(home, as: "home")
        try store.save(ConnectionProfile(connect: "tcp://127.0.0.1:6368"), as: "bench")
        #expect(try store.all().map(\.name) == ["bench", "home"])
        #expect(try store.profile("home") == home)
        #expect(try store.profile("bench") == ConnectionProfile(connect: "tcp://127.0.0.1:6368"))
        try store.save(ConnectionProfile(connect: "tls://other"), as: "home")
        #expect(try store.profile("home") == ConnectionProfile(connect: "tls://other"))
        try store.remove("home")
        #expect(throws: ProfileError.unknown(name: "home", known: ["bench"])) { try store.profile("home") }
        #expect(throws: ProfileError.unknown(name: "home", known: ["bench"])) { try store.remove("home") }
    }

    @Test("file and folders belong to the user alone and nothing is left beside the file")
    func privacy() throws {
        try store.save(home, as: "home")
        var status = stat()
        try #require(stat(store.path, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o600)
        try #require(stat(folder.path + "/config", &status) == 0)
        #expect(status.st_mode & 0o777 == 0o700)
        #expect(TemporaryFolder.names(in: folder.path + "/config/iocom") == ["profiles.json"])
    }

    @Test("members of newer versions survive a change")
    func unknownMembers() throws {
        try store.save(home, as: "home")
        _ = unlink(store.path)
        let path = "config/iocom/profiles.json"
        let newer = #"{"version":2,"profiles":{"new":{"relay":"x"},"old":{"connect":"tls://a"}}}"#
        _ = try folder.write(path, Array(newer.utf8), mode: 0o600)
        #expect(try store.all().map(\.name) == ["old"])
        try store.save(home, as: "home")
        #expect(try content().contains(#""relay": "x""#) && content().contains(#""version": 2"#))
    }

    @Test(
        "a file of another shape is named and left alone",
        arguments: ["", "[]", "{\"profiles\":3}", "{\"profiles\":{"])
    func damaged(text: String) throws {
        try store.save(home, as: "home")
        _ = unlink(store.path)
        _ = try folder.write("config/iocom/profiles.json", Array(text.utf8), mode: 0o600)
        for attempt in [{ _ = try store.all() }, { try store.save(home, as: "home") }] {
            let error = #expect(throws: ProfileError.self) { try attempt() }
            #expect(error?.description.contains(store.path) == true)
        }
        #expect(try content() == text)
    }

    @Test("passwords in addresses, odd names and control characters are refused")
    func refusals() throws {
        let addresses = ["tls://root:pass@frank", "tls://root@frank", "frank", "", "tls://fr\u{1B}ank"]
        for address in addresses + ["tls://" + String(repeating: "x", count: 1024)] {
            #expect(throws: ProfileError.self) { try store.save(ConnectionProfile(connect: address), as: "home") }
        }
        for name in ["", "-home", "a b", "a/b", "ä", String(repeating: "a", count: 65)] {
            #expect(throws: ProfileError.self) { try store.save(home, as: name) }
        }
        #expect(ConnectionProfile(connect: "serial:///dev/ttyUSB0?baud=115200").objection == nil)
        #expect(TemporaryFolder.names(in: folder.path).isEmpty)
    }

    @Test("a relative trust file is remembered from the current folder")
    func relativeTrust() throws {
        try store.save(ConnectionProfile(connect: "tls://frank", trust: "ca.pem"), as: "home")
        let trust = try #require(try store.profile("home").trust)
        #expect(trust.hasPrefix("/") && trust.hasSuffix("/ca.pem"))
    }

    @Test("many writers at once lose nothing")
    func concurrentWriters() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<20 {
                group.addTask { try store.save(home, as: "profile\(number)") }
            }
            try await group.waitForAll()
        }
        #expect(try store.all().count == 20)
    }
}
