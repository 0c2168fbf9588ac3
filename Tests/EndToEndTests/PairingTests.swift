import Foundation
import Testing
import UpdateTesting

extension EndToEnd {
    @Suite(.serialized) struct NewDevices {
        /// The code that a device shows.
        private static func code(_ candy: RunningProgram) async throws -> String {
            let line = try await candy.line("not paired yet: compare the code ")
            guard let start = line.range(of: "the code ") else { throw Unexpected("no code in '\(line)'") }
            return String(line[start.upperBound...].prefix { $0 != " " })
        }

        private static func unpaired(
            _ world: World, _ number: Int, at address: String? = nil, _ extra: [String] = []
        ) throws -> RunningProgram {
            try RunningProgram(
                Place.programs + "/candy",
                [
                    "run", "--connect", address ?? world.tls, "--data", world.candyFolder(number), "--hardware",
                    "esp32",
                    "--number", "\(number)",
                ] + extra, folder: world.folder.path)
        }

        @Test(.timeLimit(.minutes(15)))
        func `A new device is shown, compared, accepted, and bound to its server`() async throws {
            let world = try await World.start(accounts: [])
            let candy = try Self.unpaired(world, 3)
            let code = try await Self.code(candy)

            // Until then it can do nothing.
            let waiting = try await eventually("candy3 waits: \(world.frank.report)") { () -> [String: Any]? in
                let result = try await world.ispy("accounts", "waiting", "cafenet", "--json")
                guard result.status == 0 else { return nil }
                let rows = try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [[String: Any]]
                return rows?.first { $0["name"] as? String == "candy3" }
            }
            #expect(waiting["reason"] as? String == "NEW DEVICE" && waiting["code"] as? String == code)
            let before = try await world.ispy("devices", "--json")
            #expect(!before.output.contains("candy3"), "\(before)")

            // Somebody in between would have another code.
            let wrong = try await world.ispy(
                "accounts", "accept", "cafenet", "candy3", "--code", "0123-4567-89ab-cdef-0123")
            #expect(wrong.status == 1 && wrong.errors.contains("It was not accepted"), "\(wrong)")
            let blind = try await world.ispy("accounts", "accept", "cafenet", "candy3")
            #expect(blind.status == 2, "\(blind)")
            let nobody = try await world.ispy("accounts", "accept", "cafenet", "candy9", "--yes", "--within", "0")
            #expect(nobody.status == 4 && nobody.errors.contains("candy3"), "\(nobody)")

            let accepted = try await world.ispy("accounts", "accept", "cafenet", "candy3", "--code", code)
            #expect(accepted.status == 0, "\(accepted)")
            try await candy.line("restarting: new trusted certificates")
            try await candy.line("this device is bound to its server")
            try await world.frank.line("got this server's certificates")
            #expect(try await world.status().version == "200101-0000")
            let config = try await world.ispy("config", "show", "candy3.cafenet")
            #expect(config.status == 0 && !"\(config)".contains("no connection"), "\(config)")
            let accounts = try await world.ispy("accounts", "list", "cafenet", "--json")
            let list = try #require(
                JSONSerialization.jsonObject(with: Data(accounts.output.utf8)) as? [[String: Any]])
            let account = try #require(list.first { $0["user"] as? String == "candy3" })
            #expect(account["role"] as? String == "device" && account["password"] as? String == "set")

            // From now on it knows its server: another one with the same name gets nothing, not even the password.
            try await candy.stop()
            let other = try await World.start(accounts: ["candy*"])
            let stranger = try Self.unpaired(world, 3, at: other.tls)
            try await stranger.line("not connected:")
            #expect(!stranger.report.contains("compare the code"), "\(stranger.report)")
            #expect(!other.frank.report.contains("candy3"), "\(other.frank.report)")
            try await stranger.stop()

            // And its own finds it again.
            let again = try Self.unpaired(world, 3)
            try await again.line(": connected to")
            try await again.stop()
            try await world.stop()
            try await other.stop()
        }

        @Test(.timeLimit(.minutes(15)))
        func `A device with a new secret needs the owner's word to take its old place`() async throws {
            let world = try await World.start(accounts: [])
            let candy = try Self.unpaired(world, 3)
            let code = try await Self.code(candy)
            let accepted = try await world.ispy("accounts", "accept", "cafenet", "candy3", "--code", code)
            #expect(accepted.status == 0, "\(accepted)")
            try await candy.line("this device is bound to its server")
            try await candy.stop()
            try FileManager.default.removeItem(atPath: world.candyFolder(3))

            let another = try Self.unpaired(world, 3)
            let newCode = try await Self.code(another)
            #expect(newCode != code)
            let refused = try await world.ispy("accounts", "accept", "cafenet", "candy3", "--code", newCode)
            #expect(refused.status == 1 && refused.errors.contains("--replace"), "\(refused)")
            let replaced = try await world.ispy(
                "accounts", "accept", "cafenet", "candy3", "--code", newCode, "--replace")
            #expect(replaced.status == 0, "\(replaced)")
            try await another.line("this device is bound to its server", seconds: 120)
            try await another.stop()
            try await world.stop()
        }

        /// As a device of the original does it.
        @Test(.enabled(if: Place.peer != nil, Peer.missing), .timeLimit(.minutes(15)))
        func `A bare device with flag 4 receives the chain into block 9`() async throws {
            let world = try await World.start(accounts: [])
            let bare = try Peer.script(
                "bare_device.py",
                [
                    "--tls", world.tls, "--name", "gina", "--number", "7", "--password-file", world.passwordFile,
                    "--seconds", "60",
                ], folder: world.folder.path)
            try await world.frank.line("gina7.cafenet from 127.0.0.1: new device")
            let accepted = try await world.ispy("accounts", "accept", "cafenet", "gina7.cafenet", "--yes")
            #expect(accepted.status == 0, "\(accepted)")
            let result = try await bare.end(seconds: 90)
            let object = try result.object()
            #expect((object["violations"] as? [String]) == [], "\(result)")
            let trust = try String(contentsOfFile: world.trust, encoding: .utf8)
            #expect(object["block9"] as? String == trust + "\0", "\(result) \(world.frank.report)")
            try await world.stop()
        }

        /// Ours at a server that is not: the chain comes as any controller writes a block.
        @Test(.enabled(if: Place.peer != nil, Peer.missing), .timeLimit(.minutes(15)))
        func `An unpaired candy takes the chain from another server and nothing else`() async throws {
            let world = try await World.start(accounts: [])
            let folder = world.folder.path
            let server = try Peer.start(
                [
                    "server", "--listen", "tls://127.0.0.1:0", "--cert", folder + "/frank/server.pem", "--key",
                    folder + "/frank/server.key.pem", "--accounts", "any", "--json-events",
                ], folder: folder)
            let listening = try await server.line("listening")
            let object = try #require(
                JSONSerialization.jsonObject(with: Data(listening.utf8)) as? [String: Any])
            let url = try #require((object["url"] as? String) ?? (object["address"] as? String), "\(listening)")
            let candy = try Self.unpaired(world, 4, at: url)
            try await candy.line(": connected to")
            _ = try await Self.code(candy)

            let peer = ["--connect", url, "--ca", world.trust, "--device", "candy4.cafenet", "--json"]
            let junk = try world.folder.write("junk", Array("not a certificate".utf8))
            func write(_ number: String, _ file: String) async throws -> [String: Any] {
                try await Peer.start(["write-block", "--number", number, "--file", file] + peer, folder: folder)
                    .end(seconds: 60).object()
            }
            #expect(try await write("14", junk)["ok"] as? Bool == false)
            #expect(try await write("1", junk)["ok"] as? Bool == false)
            #expect(try await write("2", junk)["ok"] as? Bool == false)
            #expect(try await write("9", junk)["ok"] as? Bool == false)
            #expect(try await write("9", world.trust)["tod_err"] as? Int == 6)
            try await candy.line("this device is bound to its server", seconds: 60)
            #expect(try await write("14", junk)["ok"] as? Bool == true)
            try await candy.stop()
            try await Peer.finish(server, sessions: 1)
            try await world.stop()
        }

        /// Certificates that don't fit the server would lock a device out for ever.
        @Test(.timeLimit(.minutes(15)))
        func `Certificates that lead nowhere are given up`() async throws {
            let world = try await World.start(accounts: [])
            let other = try await World.start(accounts: [])
            let candy = try Self.unpaired(world, 3, ["--configuration-within", "15"])
            let code = try await Self.code(candy)
            let accepted = try await world.ispy("accounts", "accept", "cafenet", "candy3", "--code", code)
            #expect(accepted.status == 0, "\(accepted)")
            try await candy.line("this device is bound to its server")
            let wrong = try await world.ispy("block", "write", "candy3.cafenet", "9", other.trust)
            #expect(wrong.status == 0, "\(wrong)")
            try await candy.line("those before are put back", seconds: 120)
            #expect(try await world.status().version == "200101-0000")
            try await candy.stop()
            try await world.stop()
            try await other.stop()
        }
    }
}
