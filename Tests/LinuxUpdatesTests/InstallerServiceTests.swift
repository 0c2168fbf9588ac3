import ByteTools
import Glibc
import Installers
import Programs
import Synchronization
import Testing
import UpdateTesting

@testable import LinuxUpdates

extension WithDpkg {
    @Suite(.serialized, .enabled(if: SmallSystem.isPossible)) struct InstallerServiceTests {
        private static let old = "261101-0800"
        private static let new = "261124-1200"

        /// An installer that runs, for one application of the user `user`.
        fileprivate final class Bench {
            let system: SmallSystem
            let control: NotedControl
            let client: InstallerClient
            let path: String
            private let service: InstallerService

            /// `started` is what the application does when it is started, on a thread of its own; `stopping` what it does
            /// before it ends when it is stopped.
            init(
                user: String = "root", seconds: Int = 60,
                started: @escaping @Sendable (InstallerClient) -> Void = { _ in },
                stopping: @escaping @Sendable (InstallerClient) -> Void = { _ in }
            ) throws {
                system = try SmallSystem()
                try system.install(system.package(old))
                path = system.folder.path + "/installer.sock"
                client = InstallerClient(path: path)
                let client = client
                control = NotedControl(
                    started: { WorkThread.start { started(client) } }, stopping: { stopping(client) })
                let settings = ApplicationSettings(
                    package: "iocafe-hello", user: user, data: system.data, keys: nil, proofSeconds: seconds)
                let control = control
                service = try InstallerService(
                    folder: system.folder.path + "/updates", path: path, dpkg: system.dpkg, report: { _ in },
                    settings: { [settings] }, control: { _ in control })
                service.start()
            }

            deinit { service.stop() }

            func state() throws -> InstallerState {
                guard case .state(let state) = try client.ask(.status) else { throw StorageFailure("no state") }
                return state
            }

            /// Waits until the state is as `check` wants.
            func wait(_ check: (InstallerState) -> Bool) throws -> InstallerState {
                for _ in 0..<1500 {
                    let state = try state()
                    if check(state) { return state }
                    usleep(20_000)
                }
                throw StorageFailure("not within 30 s: \(try state())")
            }
        }

        @Test func `An application hands a package over, and confirms when it proved itself`() throws {
            let bench = try Bench()
            #expect(bench.client.isThere)
            #expect(try bench.state() == InstallerState(stage: .idle, version: Self.old))
            let package = try bench.system.package(Self.new)
            #expect(try bench.client.install(package, manifest: nil) == .restarting)
            // The restart waits until everybody was told of it.
            #expect(bench.control.take().isEmpty)
            bench.client.mayRestart()
            let reply = InstallerReply.state(try bench.wait { $0.stage != .installing })
            guard case .state(let state) = reply else {
                Issue.record("\(reply)")
                return
            }
            #expect(state.stage == .proving && state.version == Self.new && state.previous == Self.old)
            #expect(bench.control.take() == ["restart"])
            // While it is on trial nothing else is installed.
            guard case .refused(_, let reason) = try bench.client.install(package, manifest: nil, waits: true) else {
                Issue.record("a second update is accepted")
                return
            }
            #expect(reason.contains("under way"))
            _ = try bench.client.ask(.confirm)
            let after = try bench.state()
            #expect(after.stage == .idle && after.result == .confirmed && after.version == Self.new)
            #expect(after.previous == Self.old)
            _ = try bench.client.ask(.rollBack, waits: true)
            #expect(try bench.state().version == Self.old)
        }

        @Test func `A program that was started may ask and confirm before the one that starts it is done`() throws {
            let found = Mutex<[InstallerReply]>([])
            let bench = try Bench { client in
                for request in [InstallerRequest.Kind.status, .confirm] {
                    if let reply = try? client.ask(request) { found.withLock { $0.append(reply) } }
                }
            }
            _ = try bench.client.install(bench.system.package(Self.new), manifest: nil, waits: true)
            let state = try bench.wait { $0.stage == .idle }
            #expect(state.result == .confirmed && state.version == Self.new, "\(state)")
            guard case .state(let first)? = found.withLock({ $0.first }) else {
                Issue.record("no state: \(found.withLock { $0 })")
                return
            }
            #expect(first.stage == .proving, "\(first)")
        }

        @Test func `A program that never confirms is taken back by the installer itself`() throws {
            let bench = try Bench(seconds: 1)
            _ = try bench.client.install(bench.system.package(Self.new), manifest: nil, waits: true)
            let state = try bench.wait { $0.stage == .idle }
            #expect(state.result == .rolledBack && state.reason.contains("did not prove itself within 1 s"))
            #expect(state.version == Self.old)
            #expect(try bench.system.isClean())
        }

        @Test func `A program that is stopped to be taken back gets its last answer at once`() throws {
            let found = Mutex<[InstallerReply?]>([])
            let bench = try Bench(
                seconds: 1,
                stopping: { client in
                    let reply = try? client.ask(.status)
                    found.withLock { $0.append(reply) }
                })
            _ = try bench.client.install(bench.system.package(Self.new), manifest: nil, waits: true)
            let state = try bench.wait { $0.stage == .idle }
            #expect(state.result == .rolledBack && state.version == Self.old, "\(state)")
            let replies = found.withLock { $0 }
            #expect(replies.count == 2)
            for reply in replies {
                guard case .state(let state)? = reply else {
                    Issue.record("no state: \(replies)")
                    return
                }
                #expect(state.stage == .rollingBack && state.version == Self.new, "\(state)")
            }
        }

        @Test func `For a program that is being taken back it is no failure that another one was first`() throws {
            let found = Mutex<[Result<Installers.Confirmation, any Error>]>([])
            let bench = try Bench(
                seconds: 1,
                stopping: { client in
                    let program = LinuxProgram(
                        client, folder: "/nonexistent",
                        for: SignedInstaller.Device(
                            keys: { [] }, manifest: { nil },
                            target: ProgramTarget(application: "hello", os: "linux", hardware: "any", version: nil)))
                    let answer = Result {
                        try program.goBack("its self-test failed")
                        return try program.confirm()
                    }
                    found.withLock { $0.append(answer) }
                })
            _ = try bench.client.install(bench.system.package(Self.new), manifest: nil, waits: true)
            let state = try bench.wait { $0.stage == .idle }
            #expect(state.result == .rolledBack && state.reason.contains("did not prove itself"), "\(state)")
            let answers = found.withLock { $0 }
            #expect(answers.count == 2)
            for answer in answers {
                guard case .waitsForOthers = try answer.get() else {
                    Issue.record("\(answer)")
                    return
                }
            }
        }

        @Test func `What is wrong is refused with a number and a reason`() throws {
            let bench = try Bench()
            let garbage = try bench.system.folder.write("garbage.deb", [UInt8](repeating: 7, count: 5000))
            guard case .refused(let status, _) = try bench.client.install(garbage, manifest: nil, waits: true) else {
                Issue.record("garbage is accepted")
                return
            }
            #expect(status == 204)
            #expect(throws: StorageFailure.self) {
                try bench.client.install("/nonexistent", manifest: nil, waits: true)
            }
            // Nothing handed over, a folder handed over, no request at all.
            #expect(try bench.raw(["{\"request\": \"install\"}"]).contains("no package was handed over"))
            let folder = open(bench.system.folder.path, O_RDONLY)
            defer { close(folder) }
            let connection = try LocalConnection.connect(bench.path)
            try connection.send(InstallerRequest(.install(manifest: nil)).line, file: folder)
            let line = String(decoding: try connection.readLine() ?? [], as: UTF8.self)
            #expect(line.contains("not a regular file"))
            for bad in ["", "{}", "[1]", "{\"request\": \"explode\"}"] {
                #expect(try bench.raw([bad]).contains("not understood"), "\(bad)")
            }
            #expect(try bench.raw([String(repeating: "x", count: 100_000)]).isEmpty)
            #expect(try bench.state() == InstallerState(stage: .idle, version: Self.old))
        }

        @Test func `A user that is not configured may not even ask`() throws {
            // The test runs as root, which may only when it is the application's user or there is one application: here as nobody.
            let bench = try Bench(user: "games")
            let script = #"""
                import socket, sys
                s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])
                s.sendall(b'{"request": "status"}\n'); sys.stdout.write(s.makefile().readline())
                """#
            chmod(bench.system.folder.path, 0o755)
            for (user, may) in [("nobody", false), ("games", true)] {
                let said = try bench.system.run(
                    #"exec setpriv --reuid="$1" --regid="$1" --clear-groups python3 -c "$2" "$3""#,
                    [user == "nobody" ? "65534" : "5", script, bench.path])
                #expect(said.contains("not configured for the user") != may, "\(user): \(said)")
            }
        }
    }
}

extension WithDpkg.InstallerServiceTests.Bench {
    /// What comes back for lines that are no requests.
    fileprivate func raw(_ lines: [String]) throws -> String {
        let connection = try LocalConnection.connect(path)
        connection.setTimeout(seconds: 20)
        for line in lines { try connection.send(Array(line.utf8)) }
        return String(decoding: (try? connection.readLine()) ?? [], as: UTF8.self)
    }
}
