import ByteTools
import Crypto
import Foundation
import Glibc
import Programs
import Testing
import UpdateTesting

@testable import LinuxUpdates

/// Tests that wait for real tools on their thread: one at a time, so that others have a thread left.
@Suite(.serialized) enum WithDpkg {}

extension WithDpkg {
    @Suite(.serialized, .enabled(if: SmallSystem.isPossible)) struct LinuxUpdaterTests {
        private static let old = "261101-0800"
        private static let new = "261124-1200"

        /// A system with the old program, and an updater for it.
        private struct Bench {
            let system: SmallSystem
            let control: NotedControl
            var updater: LinuxUpdater

            init(keys: String? = nil, seconds: Int = 60, scripts: [String: String] = [:]) throws {
                system = try SmallSystem()
                let state = system.data + "/state"
                // The new program changes its data when it starts.
                control = NotedControl { try? ReplacementFile.write(state, Array("new\n".utf8)) }
                try system.install(system.package(old, scripts: scripts))
                updater = try Self.updater(system, control, keys, seconds)
                try updater.start()
                #expect(control.take().isEmpty)
            }

            static func updater(
                _ system: SmallSystem, _ control: NotedControl, _ keys: String?, _ seconds: Int
            ) throws -> LinuxUpdater {
                try LinuxUpdater(
                    ApplicationSettings(
                        package: "iocafe-hello", user: "hello", data: system.data, keys: keys, proofSeconds: seconds),
                    folder: system.folder.path + "/updates", dpkg: system.dpkg, control: control)
            }

            /// As after a start of the machine.
            mutating func restart() throws {
                updater = try Self.updater(system, control, nil, 60)
                try updater.start()
            }

            func install(_ path: String, manifest: [UInt8]? = nil) throws {
                try updater.install(try File(path, .read), manifest: manifest)
            }

            func expect(
                _ version: String, _ result: UpdateJournal.Result?, state: String,
                sourceLocation: SourceLocation = #_sourceLocation
            ) throws {
                #expect(try system.says() == version, sourceLocation: sourceLocation)
                #expect(updater.journal.result == result, "\(updater.journal)", sourceLocation: sourceLocation)
                #expect(try system.isClean(), sourceLocation: sourceLocation)
                #expect(try system.state() == state, sourceLocation: sourceLocation)
                let findings = try system.dpkg.findings("iocafe-hello")
                #expect(
                    findings == LinuxUpdate.Findings(version: version, isConsistent: true),
                    sourceLocation: sourceLocation)
            }
        }

        @Test func `A package is installed, tried and kept, and can be taken back later`() throws {
            let bench = try Bench()
            try bench.install(bench.system.package(Self.new))
            #expect(bench.updater.journal.stage == .proving(starts: 1))
            #expect(bench.control.take() == ["restart"])
            #expect((1...60).contains(try #require(bench.updater.secondsLeft)))
            try bench.updater.confirm("")
            try bench.expect(Self.new, .confirmed, state: "new")
            #expect(bench.updater.secondsLeft == nil && bench.updater.previousVersion == Self.old)

            try bench.updater.rollBack()
            try bench.expect(Self.old, .rolledBack, state: "new")
            #expect(bench.updater.journal.reason == "an operator asked for it")
            #expect(throws: LinuxUpdater.Refusal.self) { try bench.updater.rollBack() }
        }

        @Test func `A program that does not prove itself is replaced by the one before, with its data`() throws {
            let bench = try Bench(seconds: 3)
            try bench.install(bench.system.package(Self.new))
            #expect(try bench.system.says() == Self.new && bench.system.state() == "new")
            let left = bench.updater.secondsLeft ?? 0
            try bench.updater.tick()
            // On a busy machine the time may be over already.
            if left >= 2 { #expect(bench.updater.journal.result == nil, "not yet") }
            while let left = bench.updater.secondsLeft, left > 0 { usleep(20_000) }
            try bench.updater.tick()
            // The old program is started again after its data came back.
            #expect(bench.control.take() == ["restart", "stop", "stop", "restart"])
            #expect(bench.updater.journal.reason.contains("did not prove itself within 3 s"))
            #expect(try bench.system.says() == Self.old)
            #expect(bench.updater.journal.result == .rolledBack)
        }

        @Test(arguments: [true, false])
        func `A dpkg that an installer left at work is waited for, somebody else's is not`(isOurs: Bool) throws {
            let system = try SmallSystem()
            let lock = system.root + "/var/lib/dpkg/lock"
            let holder = Process()
            holder.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
            holder.arguments = [
                "-c",
                """
                import fcntl, sys, time
                file = open(sys.argv[1], "w")
                fcntl.lockf(file, fcntl.LOCK_EX)
                open(sys.argv[1] + ".held", "w")
                time.sleep(float(sys.argv[2]))
                """, lock, isOurs ? "1" : "300",
            ]
            holder.environment = isOurs ? ["IOCOM_UPDATE": "1"] : [:]
            try holder.run()
            defer { holder.terminate() }
            while Folder.entry(lock + ".held") == nil, holder.isRunning { usleep(10_000) }
            system.dpkg.waitForOrphans()
            #expect(holder.isRunning == !isOurs)
        }

        @Test func `The data comes back as it was`() throws {
            let system = try SmallSystem()
            try system.install(system.package(Self.old))
            let control = NotedControl()
            let updater = try Self.Bench.updater(system, control, nil, 60)
            try updater.start()
            try updater.install(try File(system.package(Self.new), .read), manifest: nil)
            try system.run(#"echo new > "$1/state"; echo more > "$1/more""#, [system.data])
            try updater.giveUp("it crashed")
            #expect(try system.state() == "old")
            #expect(try Folder.names(in: system.data, limit: 10).names == ["state"])
            #expect(updater.journal.reason == "it crashed" && updater.journal.result == .rolledBack)
            #expect(try system.says() == Self.old && system.isClean())
        }

        @Test func `What the owner of the machine configured stays, whatever is installed and taken back`() throws {
            let bench = try Bench()
            let file = bench.system.root + "/etc/iocafe-hello.conf"
            try ReplacementFile.write(file, Array("mine\n".utf8))
            for version in [Self.new, "261125-0000", "261126-0000"] {
                try bench.install(bench.system.package(version))
                if version == "261126-0000" { try bench.updater.confirm("") } else { try bench.updater.giveUp("no") }
                #expect(try bench.system.run(#"cat "$1""#, [file]) == "mine\n", "\(version)")
                #expect(try bench.system.isClean())
            }
            try bench.updater.rollBack()
            #expect(try bench.system.run(#"cat "$1""#, [file]) == "mine\n")
            try bench.install(bench.system.package("261127-0000"))
            try bench.updater.confirm("")
            #expect(try bench.system.run(#"cat "$1""#, [file]) == "mine\n")
        }

        @Test func `Where both owner and maker changed the configuration, the owner's stays, and it is told`() throws {
            let bench = try Bench()
            let file = bench.system.root + "/etc/iocafe-hello.conf"
            try ReplacementFile.write(file, Array("mine\n".utf8))
            var said: [String] = []
            bench.updater.says = { said.append($0) }
            try bench.install(
                bench.system.package(
                    Self.new, scripts: ["postinst": "read answer; echo \"now $1, answer '$answer'\""],
                    settings: "# settings of a new kind"))
            try bench.updater.confirm("")
            try bench.expect(Self.new, .confirmed, state: "new")
            #expect(try bench.system.run(#"cat "$1""#, [file]) == "mine\n")
            #expect(try bench.system.run(#"cat "$1".dpkg-dist"#, [file]) == "# settings of a new kind\n")
            // It came line by line, and the end of it is kept.
            let last = bench.updater.journal.said
            #expect(last.contains("Setting up iocafe-hello (\(Self.new))") && last.contains("Configuration file"))
            #expect(last.hasSuffix("now configure, answer ''"), "\(last)")
            #expect(said.count > 2 && said.last == last)
            #expect(said.contains { $0.contains("Unpacking iocafe-hello") && !$0.contains("Setting up") })
        }

        @Test func `A package whose postinst fails is taken back, and the reason is told`() throws {
            let bench = try Bench()
            try bench.install(
                bench.system.package(Self.new, scripts: ["postinst": "echo 'no room for the new tables' >&2; exit 3"]))
            try bench.expect(Self.old, .rolledBack, state: "new")
            #expect(bench.updater.journal.reason.contains("no room for the new tables"))
            #expect(bench.updater.journal.reason.contains("exit status 3"))
            // And the next update works.
            try bench.install(bench.system.package("261125-0000"))
            try bench.updater.confirm("")
            try bench.expect("261125-0000", .confirmed, state: "new")
        }

        @Test func `An old package whose prerm fails keeps the old program`() throws {
            let bench = try Bench(scripts: ["prerm": #"[ "$1" != upgrade ]"#])
            try bench.install(bench.system.package(Self.new, scripts: ["prerm": "exit 1"]))
            try bench.expect(Self.old, .failed, state: "old")
            #expect(bench.updater.journal.reason.contains("pre-removal"))
        }

        @Test func `A missing dependency is named, and the old program stays`() throws {
            let bench = try Bench()
            let needing = try bench.system.package(Self.new, fields: "Depends: libimaginary7 (>= 2)\n")
            let refusal = #expect(throws: LinuxUpdater.Refusal.self) { try bench.install(needing) }
            #expect(refusal?.kind == .unfit && refusal?.description.contains("libimaginary7 (>= 2)") == true)
            try bench.expect(Self.old, nil, state: "old")
            // What is there will do: too old a version does not, one of two does, and so does what another provides.
            try bench.system.install(
                bench.system.package("1.0", name: "libimaginary7", fields: "Provides: imaginary (= 3), plain\n"))
            #expect(throws: LinuxUpdater.Refusal.self) { try bench.install(needing) }
            let content = "Depends: libnothing | libimaginary7 (<< 2),\n imaginary (>= 2.5), plain\n"
            try bench.install(bench.system.package("261125-0000", fields: content))
            try bench.updater.confirm("")
            try bench.expect("261125-0000", .confirmed, state: "new")
        }

        @Test func `A program that crashes again and again is given up before its time is over`() throws {
            let bench = try Bench()
            try bench.install(bench.system.package(Self.new))
            bench.control.crash(Crashes(count: 2, reason: "signal 11 ended it"))
            while bench.updater.journal.result == nil {
                if let left = bench.updater.secondsLeft, left <= 58 {
                    bench.control.crash(Crashes(count: 3, reason: "signal 11 ended it"))
                }
                try bench.updater.tick()
                usleep(20_000)
            }
            #expect(bench.updater.journal.reason == "it crashed 3 times: signal 11 ended it")
            #expect(try bench.system.says() == Self.old && bench.system.isClean())
        }

        @Test func `Every program of an application has to prove itself, and the data of all comes back`() throws {
            let system = try SmallSystem()
            try system.install(system.package(Self.old))
            let second = system.folder.path + "/second"
            try system.run(#"mkdir "$1"; echo old > "$1/state""#, [second])
            var settings = ApplicationSettings(package: "iocafe-hello", user: "root", data: nil, keys: nil)
            settings.instances = [
                ApplicationSettings.Instance(name: "a", data: system.data),
                ApplicationSettings.Instance(name: "b", data: second),
            ]
            let updater = try LinuxUpdater(
                settings, folder: system.folder.path + "/updates", dpkg: system.dpkg, control: NotedControl())
            try updater.start()
            try updater.install(try File(system.package(Self.new), .read), manifest: nil)
            try updater.confirm("a")
            try updater.confirm("a")
            #expect(updater.journal.result == nil)
            try system.run(#"echo new > "$1/state"; echo new > "$2/state""#, [system.data, second])
            try updater.giveUp("b does not like it")
            #expect(try system.run(#"cat "$1/state" "$2/state""#, [system.data, second]) == "old\nold\n")
            try updater.install(try File(system.package("261125-0000"), .read), manifest: nil)
            for name in ["b", "a"] { try updater.confirm(name) }
            #expect(updater.journal.result == .confirmed)
        }

        @Test func `Going back is tried again when something stood in its way`() throws {
            let bench = try Bench()
            try bench.install(bench.system.package(Self.new))
            let kept = bench.system.folder.path + "/updates/iocafe-hello/current.deb"
            let path = Folder.entry(kept) == nil ? bench.system.folder.path + "/updates/current.deb" : kept
            try bench.system.run(#"mv "$1" "$1.away""#, [path])
            try bench.updater.giveUp("it crashed")
            #expect(bench.updater.journal.stage == .rollingBack(reason: "it crashed"))
            try bench.system.run(#"mv "$1.away" "$1""#, [path])
            var update = LinuxUpdate(bench.updater.journal)
            #expect(update.retry() == [.installPrevious])
            let again = try Bench.updater(bench.system, bench.control, nil, 60)
            try again.start()
            #expect(again.journal.result == .rolledBack)
            #expect(try bench.system.says() == Self.old && bench.system.isClean())
        }

        @Test func `What is not for this application or machine is refused before anything is changed`() throws {
            let bench = try Bench()
            let garbage = try bench.system.folder.write("garbage.deb", [UInt8](repeating: 7, count: 5000))
            let empty = try bench.system.folder.write("empty.deb", [])
            let cut = try File(bench.system.package("261125-0000"), .read)
            let part = try bench.system.folder.write("cut.deb", cut.read(at: 0, count: cut.byteCount / 2))
            let cases: [(String, LinuxUpdater.Refusal.Kind)] = [
                (garbage, .damaged), (empty, .failed), (part, .damaged),
                (try bench.system.package(Self.new, name: "other"), .unfit),
                (try bench.system.package("261126-0000", architecture: "s390x"), .unfit),
            ]
            for (path, kind) in cases {
                let refusal = #expect(throws: LinuxUpdater.Refusal.self, "\(path)") { try bench.install(path) }
                #expect(refusal?.kind == kind, "\(String(describing: refusal))")
            }
            #expect(bench.control.take().isEmpty)
            try bench.expect(Self.old, nil, state: "old")
        }

        @Test func `With keys only what they signed is installed`() throws {
            let folder = try TemporaryFolder()
            let key = SigningKey.generate()
            let keys = try folder.write("maker.pub", Array(key.trusted.text(comment: "").utf8))
            let bench = try Bench(keys: keys)
            let path = try bench.system.package(Self.new)
            let machine = try bench.system.dpkg.architecture()
            let bytes = try File(path, .read).read(at: 0, count: File(path, .read).byteCount)
            func manifest(_ version: String, by key: SigningKey) throws -> [UInt8] {
                let manifest = PackageManifest(
                    try PackageName(parsing: "iocafe-hello-\(version)-linux-\(machine).deb"), size: bytes.count,
                    sha256: Array(SHA256.hash(data: bytes)))
                return Array(try key.sign(manifest, comment: "").text.utf8)
            }
            for wrong in [nil, try manifest(Self.new, by: .generate()), try manifest("261001-0000", by: key)] {
                let refusal = #expect(throws: LinuxUpdater.Refusal.self) { try bench.install(path, manifest: wrong) }
                #expect(refusal?.kind == .notAuthorized)
            }
            let other = try bench.system.package("261125-0000")
            let good = try manifest(Self.new, by: key)
            #expect(throws: LinuxUpdater.Refusal.self) { try bench.install(other, manifest: good) }
            try bench.expect(Self.old, nil, state: "old")
            try bench.install(path, manifest: good)
            try bench.updater.confirm("")
            try bench.expect(Self.new, .confirmed, state: "new")
        }

        @Test func `An installation that was cut after unpacking goes on at the next start`() throws {
            var bench = try Bench()
            let path = try bench.system.package(Self.new)
            // As the updater leaves it when the power goes while dpkg runs.
            try cut(bench, path, #"dpkg --root="$1" --unpack "$2""#)
            #expect(try !bench.system.isClean())
            try bench.restart()
            #expect(bench.updater.journal.stage == .proving(starts: 1))
            try bench.updater.confirm("")
            try bench.expect(Self.new, .confirmed, state: "new")
        }

        @Test func `An installation that was cut before it began leaves the old program`() throws {
            var bench = try Bench()
            try cut(bench, try bench.system.package(Self.new), ":")
            try bench.restart()
            try bench.expect(Self.old, .failed, state: "new")
            #expect(bench.updater.journal.reason.contains("interrupted"))
        }

        @Test func `A way back that was cut is gone at the next start`() throws {
            var bench = try Bench()
            let path = try bench.system.package(Self.new)
            try bench.install(path)
            let keeper = try PackageKeeper(folder: bench.system.folder.path + "/updates", dpkg: bench.system.dpkg)
            var journal = bench.updater.journal
            journal.stage = .rollingBack(reason: "it crashed")
            try keeper.save(journal)
            try bench.system.run(#"dpkg --root="$1" --unpack "$2""#, [bench.system.root, keeper.currentPackage])
            try bench.restart()
            try bench.expect(Self.old, .rolledBack, state: "new")
            #expect(bench.updater.journal.reason == "it crashed")
        }

        /// Brings the files of an updater to where they are when an installation is cut.
        private func cut(_ bench: Bench, _ package: String, _ script: String) throws {
            let keeper = try PackageKeeper(folder: bench.system.folder.path + "/updates", dpkg: bench.system.dpkg)
            try keeper.take(try File(package, .read))
            try keeper.keepInstalled("iocafe-hello", version: Self.old)
            try keeper.keepData([bench.system.data], of: "iocafe-hello")
            var update = LinuxUpdate(.empty)
            _ = update.begin(from: Self.old, to: Self.new)
            try keeper.save(update.journal)
            try bench.system.run(script, [bench.system.root, package])
        }
    }
}
