import Foundation
import IOServer
import LinuxUpdates
import NIOCore
import ServerData
import TerminalUI
import Testing
import UpdateTesting

@testable import FrankCommands

@Suite struct StatusTests {
    /// A server with two devices and an operator.
    static func status(version: String = "261126-1200") throws -> ServerStatus {
        let text = """
            {"version": \(JSONText.string(version).text), "process": 7, "startedAt": 1800000000, "uptimeSeconds": 65,
             "addresses": ["tls://0.0.0.0:6369"], "networks": ["cafenet"], "devices": 2, "blocks": 10, "blockBytes": 4096,
             "connections": {"all": 4, "pending": 1, "roles": {"device": 2, "admin": 1, "viewer": 0}},
             "logins": {"accepted": 3, "refused": 1, "waiting": 0, "slowedAddresses": 3,
                        "slowed": [{"address": "192.0.2.7", "seconds": 8}]},
             "residentBytes": 50331648, "messages": 1000, "pauses": 0,
             "transfers": {"active": 1, "listed": [
                {"device": "candy3.cafenet", "user": "root.cafenet", "block": 1, "bytes": 2048, "seconds": 3}]},
             "limits": [
                {"name": "connections", "value": 300, "standard": 20000, "used": 4, "refusals": 0,
                 "meaning": "connections at the same time"},
                {"name": "handshake_seconds", "value": 10, "standard": 10, "refusals": 2, "meaning": "seconds"},
                {"name": "login_checks", "value": 1, "standard": 1, "used": 0, "meaning": "checks"}]}
            """
        return try JSONDecoder().decode(ServerStatus.self, from: Data(text.utf8))
    }

    @Test func peopleReadItInLines() throws {
        let text = StatusReport.text(try Self.status(), width: nil)
        #expect(
            text.contains("connections          300     4        0  connections at the same time (standard: 20000)\n"))
        #expect(text.contains("handshake_seconds     10     -        2  seconds\n"))
        #expect(text.contains("connections    4: 1 admin, 2 device, 1 not logged in yet\n"))
        #expect(text.contains("have to wait   192.0.2.7 for 8 s, 2 more\n"))
        #expect(text.contains("block 1 of candy3.cafenet by root.cafenet: 2.0 KiB in 3 s\n"))
        #expect(text.contains("2027-01-15T08:00:00Z (1 min 05 s)"))
    }

    /// Asks on a thread of its own: the answer is made on those of the tests, which must not wait for it.
    private func ask(_ folder: String, _ request: String = ControlService.request) async throws -> String? {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(
                    with: Result {
                        let socket = try ControlSocket(folder: folder)
                        let connection = try LocalConnection.connect(socket.path)
                        connection.setTimeout(seconds: 120)
                        try connection.send(Array(request.utf8))
                        return try connection.readLine().map { String(decoding: $0, as: UTF8.self) }
                    })
            }
        }
    }

    @Test func theSocketAnswersWhoOwnsTheFolder() async throws {
        let folder = try TemporaryFolder()
        let service = try await ControlService.start(folder: folder.path, patience: .seconds(120)) { Array("{}".utf8) }
        #expect(try await ask(folder.path) == "{}")
        #expect(try await ask(folder.path, "stop") == nil)
        #expect((try? await ask(folder.path, String(repeating: "x", count: 5_000))) == nil)
        var info = Glibc.stat()
        #expect(stat(folder.path + "/" + ControlSocket.name, &info) == 0 && info.st_mode & 0o777 == 0o600)
        await service.stop()
        #expect(lstat(folder.path + "/" + ControlSocket.name, &info) != 0)
    }

    @Test func theSocketOfAKilledServerIsReplaced() async throws {
        let folder = try TemporaryFolder()
        // A socket that nobody listens at any more.
        let left = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: "\(folder.path)/control.sock".utf8) }
        let code = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(left, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        #expect(code == 0)
        close(left)
        await #expect(throws: (any Error).self) { try await ask(folder.path) }
        let service = try await ControlService.start(folder: folder.path, patience: .seconds(120)) { Array("{}".utf8) }
        #expect(try await ask(folder.path) == "{}")
        await service.stop()
    }

    @Test func aFolderWithALongPathHasASocketToo() async throws {
        let folder = try TemporaryFolder()
        let long = folder.path + "/" + String(repeating: "long", count: 40)
        #expect(mkdir(long, 0o700) == 0)
        let service = try await ControlService.start(folder: long, patience: .seconds(120)) { Array("{}".utf8) }
        #expect(try await ask(long) == "{}")
        await service.stop()
    }

    @Test func connectionsAreAsManyAsTheSystemHasFilesFor() {
        #expect(OpenFiles.fit(ServerLimits(), files: 1_000_000).limits == ServerLimits())
        let usual = OpenFiles.fit(ServerLimits(), files: 20_000)
        #expect(usual.limits[.connections] == 19_800 && usual.problem == nil)
        #expect(OpenFiles.fit(ServerLimits(), files: 1_024).problem?.contains("at most 824 connections") == true)
        var chosen = ServerLimits()
        chosen[.connections] = 30_000
        #expect(OpenFiles.fit(chosen, files: 20_000).problem?.contains("LimitNOFILE") == true)
    }
}
