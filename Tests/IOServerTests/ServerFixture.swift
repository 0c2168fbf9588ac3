import ByteTools
import FoundationEssentials
import Glibc
import IOCOM
import IOCOMTransport
import IOServer
import ServerData
import Synchronization
import Testing

/// A server in this process with a data folder of its own: user root with the password pass, networks cafenet and
/// asteroidnet, and device accounts of both.
final class ServerFixture: Sendable {
    let folder: String
    let server: RunningServer
    let events = EventLog()

    static let devicePassword = "secret1"

    var tls: ConnectionAddress { server.addresses[0] }
    var plain: ConnectionAddress { server.addresses[1] }
    var trust: String { folder + "/trust.pem" }

    init(limits: ServerLimits = ServerLimits(), prepare: (ServerFolder) throws -> Void = { _ in }) async throws {
        folder = try Self.makeFolder()
        let opened = try ServerFolder.open(at: folder)
        try prepare(opened)
        server = try await Self.start(folder, limits, events)
    }

    /// Starts a server on an existing folder.
    init(reusing folder: String) async throws {
        self.folder = folder
        server = try await Self.start(folder, ServerLimits(), events)
    }

    private static func start(_ folder: String, _ limits: ServerLimits, _ events: EventLog) async throws
        -> RunningServer
    {
        try await Server.start(
            ServerConfiguration(
                folder: try ServerFolder.open(at: folder),
                listen: [
                    ConnectionAddress(transport: .tls, host: "127.0.0.1", port: 0),
                    ConnectionAddress(transport: .tcp, host: "127.0.0.1", port: 0),
                ], limits: limits, passwordCost: .cheap, report: { events.add($0) }))
    }

    private static func makeFolder() throws -> String {
        var template = Array("/tmp/frank-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw ServerFixtureError("no temporary folder") }
        let path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        let created = try ServerFolder.create(
            at: path,
            options: ServerFolderOptions(
                publish: ["cafenet", "asteroidnet"], hostName: "localhost", isDemo: true, now: Date(),
                cost: ScryptCost.cheap))
        for network in created.folder.settings.publish {
            var accounts = try created.folder.accounts(of: network)
            accounts.users += try Self.deviceAccounts()
            try created.folder.save(accounts, of: network)
        }
        return path
    }

    /// Accounts of devices: `candy…`, and `thief…` with another password.
    static func deviceAccounts() throws -> [Account] {
        [
            Account(
                user: "candy*", password: try PasswordHash.protect(password: devicePassword, cost: .cheap)),
            Account(user: "thief*", password: try PasswordHash.protect(password: "other", cost: .cheap)),
            Account(
                user: "watcher", password: try PasswordHash.protect(password: "look", cost: .cheap),
                privileges: "operator"),
        ]
    }

    func stop(keepingFolder: Bool = false) async {
        await server.stop()
        if !keepingFolder { Self.remove(folder) }
    }

    static func remove(_ folder: String) {
        for name in (try? Folder.names(in: folder, limit: 1000).names) ?? [] { try? Folder.remove(name, in: folder) }
        rmdir(folder)
    }
}

struct ServerFixtureError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

extension ScryptCost {
    /// Quick, for tests.
    static let cheap = ScryptCost(logRounds: 10, blockSize: 8, passes: 1) ?? .standard
}

/// Collects a server's events.
final class EventLog: Sendable {
    private let events = Mutex<[ServerEvent]>([])

    func add(_ event: ServerEvent) { events.withLock { $0.append(event) } }

    var all: [ServerEvent] { events.withLock { $0 } }

    /// Waits for an event; false after ten seconds.
    func wait(_ isMeant: @Sendable (ServerEvent) -> Bool) async -> Bool {
        await eventually { self.all.contains(where: isMeant) }
    }
}

/// Waits until `check` is true, at most ten seconds.
func eventually(_ check: @Sendable () async -> Bool) async -> Bool {
    for _ in 0..<1000 {
        if await check() { return true }
        try? await Task.sleep(for: .milliseconds(10))
    }
    return false
}
