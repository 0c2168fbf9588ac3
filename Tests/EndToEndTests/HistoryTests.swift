import Foundation
import Testing
import UpdateTesting

extension EndToEnd {
    @Suite(.serialized) struct History {
        private static let accounts = "accounts1.cafenet"

        /// `frank history --json`, which needs no server.
        private func stored(_ world: World, _ arguments: [String] = []) async throws -> [[String: Any]] {
            let result = try await RunningProgram(
                Place.programs + "/frank", ["history", "--json", "--data", world.folder.path + "/frank"] + arguments,
                folder: world.folder.path
            ).end()
            guard result.status == 0 else { throw Unexpected("\(result)") }
            return try result.array()
        }

        private func addAccount(_ world: World, _ user: String, _ more: [String] = []) async throws {
            let result = try await RunningProgram(
                Place.programs + "/frank",
                [
                    "accounts", "add", user, "--password-file", world.passwordFile, "--data",
                    world.folder.path + "/frank",
                ]
                    + more, folder: world.folder.path
            ).end()
            guard result.status == 0 else { throw Unexpected("\(result)") }
        }

        /// ispy as somebody else than root, over TLS.
        private func ispy(_ world: World, as user: String, password: String, _ arguments: [String]) async throws
            -> Finished
        {
            try await RunningProgram(
                Place.programs + "/ispy",
                arguments + ["--connect", world.tls, "--trust", world.trust, "--user", user],
                environment: ["ISPY_PASSWORD": password], folder: world.folder.path
            ).end()
        }

        @Test func `Logins, refusals and new accounts are in the history, for administrators of their network`()
            async throws
        {
            let world = try await World.start()
            let candy = try await world.candy()
            let refused = try await ispy(world, as: "root.cafenet", password: "not the one", ["devices"])
            #expect(refused.status == 3, "\(refused)")
            try await addAccount(world, "watcher", ["--privileges", "operator"])
            let file = world.folder.path + "/accounts"
            let read = try await world.ispy("block", "read", Self.accounts, "21", file)
            #expect(read.status == 0, "\(read)")
            let written = try await world.ispy("block", "write", Self.accounts, "21", file)
            #expect(written.status == 0, "\(written)")

            let result = try await world.ispy("history", "--json")
            #expect(result.status == 0, "\(result)")
            let entries = try result.array()
            func has(_ members: [String: String]) -> Bool {
                entries.contains { entry in members.allSatisfy { entry[$0.key] as? String == $0.value } }
            }
            #expect(has(["kind": "login", "device": "candy3.cafenet", "result": "device"]), "\(result)")
            #expect(has(["kind": "login", "user": "root.cafenet", "address": "127.0.0.1"]), "\(result)")
            #expect(has(["kind": "refused", "user": "root.cafenet"]), "\(result)")
            #expect(has(["kind": "accounts", "network": "cafenet", "result": "replaced"]), "\(result)")
            #expect(entries.allSatisfy { $0["network"] as? String == "cafenet" })

            let table = try await world.ispy("history", "candy3.cafenet", "--since", "1h", "--kind", "login")
            #expect(table.status == 0, "\(table)")
            #expect(table.output.split(separator: "\n").count == 2, "\(table)")
            #expect(table.output.contains("candy3.cafenet"), "\(table)")

            let watcher = try await ispy(world, as: "watcher.cafenet", password: "secret of candy", ["history"])
            #expect(watcher.status == 3, "\(watcher)")
            #expect(watcher.errors.contains("administrators"), "\(watcher)")
            let other = try await world.ispy("history", "--network", "asteroidnet")
            #expect(other.status == 3, "\(other)")
            let wrong = try await world.ispy("history", "--since", "yesterday")
            #expect(wrong.status == 2, "\(wrong)")

            // The same at the server itself, while it runs and after it stopped; there with what is about the server.
            #expect(try await stored(world).contains { $0["result"] as? String == "listening" })
            try await candy.stop()
            try await world.stop()
            let after = try await stored(world)
            #expect(after.contains { $0["result"] as? String == "stopping" })
            #expect(after.count > entries.count)
            #expect(try await stored(world, ["--network", "asteroidnet"]).isEmpty)
        }

        @Test func `A stolen history holds no password and no hash of one`() async throws {
            let world = try await World.start()
            let candy = try await world.candy()
            _ = try await ispy(world, as: "root.cafenet", password: "s3cret-typo", ["devices"])
            let file = world.folder.path + "/accounts"
            _ = try await world.ispy("block", "read", Self.accounts, "21", file)
            _ = try await world.ispy("block", "write", Self.accounts, "21", file)
            try await eventually("the change is recorded") {
                try await stored(world, ["--kind", "accounts"]).isEmpty ? nil : true
            }
            let hashes = try Self.texts(in: Data(contentsOf: URL(fileURLWithPath: file))).filter { $0.utf8.count >= 20 }
            #expect(!hashes.isEmpty)
            try await candy.kill()
            try await world.frank.kill()
            var searched = 0
            for name in ["history.sqlite", "history.sqlite-wal"] {
                let path = world.folder.path + "/frank/" + name
                guard let bytes = FileManager.default.contents(atPath: path) else { continue }
                searched += bytes.count
                for secret in ["secret of candy", "s3cret-typo", "pass\0"] + hashes {
                    #expect(bytes.range(of: Data(secret.utf8)) == nil, "\(name) holds '\(secret)'")
                }
                let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
                #expect(mode == 0o600)
            }
            #expect(searched > 8192)
        }

        /// The texts of a packed document: hashes of passwords are among them.
        private static func texts(in bytes: Data) -> [String] {
            bytes.split { !(0x21...0x7E).contains($0) }.map { String(decoding: $0, as: UTF8.self) }
        }

        @Test func `A server killed at any moment leaves a whole history without a gap`() async throws {
            let moments = Place.isFull ? 100 : 25
            var world = try await World.start()
            var known: Int64 = 0
            for moment in 0..<moments {
                // Logins that succeed and fail go on while the kill comes.
                let operators = try (0..<3).map { number in
                    try RunningProgram(
                        Place.programs + "/ispy",
                        ["devices", "--connect", world.tls, "--trust", world.trust, "--user", "root.cafenet"],
                        environment: ["ISPY_PASSWORD": number == 0 ? "wrong" : "pass"], folder: world.folder.path)
                }
                if moment.isMultiple(of: 3) {
                    // What has been shown to somebody must be there for ever.
                    let seen = try await stored(world, ["--limit", "1"])
                    known = max(known, (seen.first?["id"] as? NSNumber)?.int64Value ?? 0)
                }
                try await Task.sleep(for: .milliseconds(Int.random(in: 0...400)))
                try await world.frank.kill()
                for program in operators { _ = try await program.end() }
                try await Self.check(world)
                let ids = try await stored(world, ["--limit", "100000"]).compactMap {
                    ($0["id"] as? NSNumber)?.int64Value
                }
                #expect(Set(ids).count == ids.count)
                #expect(
                    Set(ids) == Set((0..<ids.count).map { Int64($0 + 1) }), "after kill \(moment): \(ids.count) entries"
                )
                #expect(Int64(ids.count) >= known, "an entry that was stored is missing after kill \(moment)")
                known = Int64(ids.count)
                world = try await world.restarted()
            }
            #expect(known > moments)
            #expect(world.frank.count("problem: the history") == 0, "\(world.frank.report)")
            try await world.stop()
            try await Self.check(world)
        }

        /// `PRAGMA integrity_check` of a copy, by the system's own SQLite.
        private static func check(_ world: World) async throws {
            let copy = try TemporaryFolder()
            for name in ["history.sqlite", "history.sqlite-wal"] {
                let path = world.folder.path + "/frank/" + name
                guard FileManager.default.fileExists(atPath: path) else { continue }
                try FileManager.default.copyItem(atPath: path, toPath: copy.path + "/" + name)
            }
            let script =
                "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute('PRAGMA integrity_check').fetchone()[0])"
            let result = try await RunningProgram(
                "/usr/bin/python3", ["-c", script, copy.path + "/history.sqlite"], folder: copy.path
            ).end()
            #expect(result.output == "ok\n", "\(result)")
        }

        @Test func `The page gets the history of a network and of a device`() async throws {
            let world = try await World.start()
            let candy = try await world.candy()
            let web = try await WebPage.start(packages: world.packages)
            #expect(try await web.connect(world) == "1")
            let ofDevice = try await web.api("GET", "connections/1/history?device=candy3.cafenet")
            #expect(ofDevice.status == 200, "\(ofDevice)")
            #expect(ofDevice.list.map { $0["kind"] as? String } == ["login"], "\(ofDevice)")
            let ofNetwork = try await web.api("GET", "connections/1/history?network=cafenet&limit=1")
            #expect(ofNetwork.list.count == 1 && ofNetwork.list.first?["user"] as? String == "root.cafenet")
            let login = try await web.api("GET", "connections/1/history")
            #expect(login.list.contains { $0["device"] as? String == "candy3.cafenet" }, "\(login)")
            #expect(try await web.api("GET", "connections/1/history?network=asteroidnet").status == 403)
            for wrong in ["limit=0", "limit=1001", "limit=x", "device=candy", "network="] {
                let answer = try await web.api("GET", "connections/1/history?" + wrong)
                #expect(answer.status == 400 && answer.kind == "usage", "\(wrong): \(answer)")
            }
            try await web.stop()
            try await candy.stop()
            try await world.stop()
        }

        @Test(.enabled(if: Place.peer != nil, Peer.missing))
        func `The independent peer reads the history`() async throws {
            let world = try await World.start()
            let candy = try await world.candy()
            let file = world.folder.path + "/lines"
            let read = try await Peer.run(
                ["read-block", "--connect", world.tcp, "--device", Self.accounts, "--number", "60", "--file", file],
                folder: world.folder.path)
            #expect(read["ok"] as? Bool == true, "\(read)")
            let lines = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n")
            let objects = try lines.map { try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] }
            #expect(
                objects.contains { $0?["kind"] as? String == "login" && $0?["device"] as? String == "candy3.cafenet" })
            #expect(world.frank.count("violation") == 0)
            try await candy.stop()
            try await world.stop()
        }
    }
}
