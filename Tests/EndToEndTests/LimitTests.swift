import Foundation
import Testing
import UpdateTesting

extension EndToEnd {
    @Suite(.serialized) struct Limits {
        private func limits(_ values: String...) -> [String] { values.flatMap { ["--limit", $0] } }

        private func frank(_ world: World, _ arguments: String...) async throws -> Finished {
            try await RunningProgram(
                Place.programs + "/frank", arguments + ["--data", world.folder.path + "/frank"],
                folder: world.folder.path
            ).end()
        }

        private func status(_ world: World) async throws -> [String: Any] {
            let result = try await frank(world, "status", "--json")
            guard result.status == 0 else { throw Unexpected("\(result)") }
            return try result.object()
        }

        private func limit(_ name: String, _ status: [String: Any]) throws -> (used: Int?, refusals: Int?) {
            let limits = status["limits"] as? [[String: Any]] ?? []
            guard let found = limits.first(where: { $0["name"] as? String == name }) else {
                throw Unexpected("no limit \(name) in \(status)")
            }
            return (found["used"] as? Int, found["refusals"] as? Int)
        }

        @Test func `5,000 idle connections from one address keep nobody else out`() async throws {
            let world = try await World.start(run: limits("handshake_seconds=60"))
            let candy = try await world.candy(hardware: "linux")
            let session = try world.startISpy(["signals", "candy3.cafenet", "--watch", "--json"])
            try await eventually("signals are shown") { session.output.isEmpty ? nil : true }
            var held: [Socket] = []
            for index in 0..<5_000 {
                let port = index % 2 == 0 ? world.tls.port : world.tcp.port
                held.append(try Socket.connect(port, from: 0x7F00_0002))
            }
            let flooded = try await eventually("all were looked at") { () -> [String: Any]? in
                let status = try await status(world)
                let refusals = try limit("pending_connections_per_address", status).refusals
                return refusals == 5_000 - 2_048 ? status : nil
            }
            #expect(try limit("pending_connections_per_address", flooded).used == 2_048)
            #expect(flooded["devices"] as? Int == 1)
            // Others come and work as if nothing were.
            var random = SeededGenerator(seed: 5)
            let file = try world.folder.write("payload", random.bytes(200_000))
            let write = try await world.ispy("block", "write", "candy3.cafenet", "14", file)
            #expect(write.status == 0, "\(write) \(world.frank.report.suffix(2_000))")
            let copy = world.folder.path + "/copy"
            #expect(try await world.ispy("block", "read", "candy3.cafenet", "14", copy).status == 0)
            #expect(FileManager.default.contentsEqual(atPath: file, andPath: copy))
            #expect(world.frank.errors.contains("limit pending_connections_per_address is 2048"))
            // When their time is over, the silent ones are gone.
            try await eventually("the silent ones are gone", seconds: 180) {
                try await limit("pending_connections", status(world)).used == 0 ? true : nil
            }
            #expect(session.status == nil, "the operator's session ended: \(session.errors)")
            let memory = try #require(world.frank.peakMemory)
            #expect(memory < 150_000, "frank took \(memory) KiB")
            Place.note("5,000 idle connections, 2,048 taken: frank \(memory) KiB")
            held.removeAll()
            session.signal(SIGTERM)
            _ = try await session.end()
            try await candy.stop()
            try await world.stop()
        }

        @Test func `An account has so many connections, and the log says why there are no more`() async throws {
            let world = try await World.start(run: limits("operator_connections_per_account=1"))
            let candy = try await world.candy(hardware: "linux")
            let session = try world.startISpy(["signals", "candy3.cafenet", "--watch", "--json"])
            try await eventually("signals are shown") { session.output.isEmpty ? nil : true }
            let second = try await world.ispy("devices")
            #expect(second.status == 3, "\(second)")
            try await world.frank.line(
                "refused root.cafenet from 127.0.0.1 (admin): root.cafenet has 1 connections, "
                    + "which is the limit operator_connections_per_account")
            session.signal(SIGTERM)
            _ = try await session.end()
            try await eventually("the place is free") { try await world.ispy("devices").status == 0 ? true : nil }
            try await candy.stop()
            try await world.stop()
        }

        @Test func `Who sends too many messages is slowed down and not cut off`() async throws {
            let world = try await World.start(run: limits("messages_per_second=100"))
            let candy = try await world.candy(3, ["--ring", "1024"], hardware: "linux")
            var random = SeededGenerator(seed: 6)
            let file = try world.folder.write("payload", random.bytes(100_000))
            let write = try await world.ispy("block", "write", "candy3.cafenet", "14", file)
            #expect(write.status == 0, "\(write)")
            let status = try await status(world)
            #expect((status["pauses"] as? Int ?? 0) > 0, "\(status)")
            #expect(world.frank.count("device candy3.cafenet left") == 0)
            try await candy.stop()
            try await world.stop()
        }

        @Test func `Slow handshakes end when their time is over`() async throws {
            let world = try await World.start(run: limits("handshake_seconds=1"))
            let slow = try [world.tls.port, world.tcp.port].map { try Socket.connect($0) }
            // The start of a TLS handshake and of a plain one, a byte at a time.
            let starts: [[UInt8]] = [
                [22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3, 1], [0x53, 24, 99, 97, 102, 101, 110, 101, 116],
            ]
            for index in 0..<30 {
                for (peer, bytes) in zip(slow, starts) where index < bytes.count { peer.write(bytes[index...index]) }
                try await Task.sleep(for: .milliseconds(50))
            }
            for peer in slow {
                #expect(HostilePeers.isClosed(peer, seconds: 30))
            }
            #expect(try await limit("handshake_seconds", status(world)).refusals == 2)
            try await world.stop()
        }

        @Test func `frank status says whether a server runs and what it does`() async throws {
            let world = try await World.start(run: limits("connections=500") + ["--metrics", "127.0.0.1:0"])
            let candy = try await world.candy(hardware: "linux")
            try await eventually("candy is there") { try await status(world)["devices"] as? Int == 1 ? true : nil }
            let text = try await frank(world, "status")
            #expect(text.status == 0, "\(text)")
            #expect(text.output.contains("connections"), "\(text)")
            #expect(text.output.contains("(standard: 20000)"), "\(text)")

            let line = try await world.frank.line("metrics on ")
            let address = try #require(line.firstMatch(of: #/127\.0\.0\.1:([0-9]+)\/metrics/#))
            let port = try #require(UInt16(address.1))
            let page = try Self.get("/metrics", port)
            #expect(page.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(page.contains("text/plain; version=0.0.4"))
            for expected in [
                "\nfrank_devices 1\n", "\nfrank_connections{role=\"device\"} 1\n",
                "\nfrank_limit{limit=\"connections\"} 500\n", "\nfrank_logins_total{result=\"accepted\"} 1\n",
            ] {
                #expect(page.contains(expected), "\(expected): \(page)")
            }
            #expect(!page.contains("candy"))
            #expect(try Self.get("/", port).hasPrefix("HTTP/1.1 404"))

            // Killed: the socket is still there, and nobody answers.
            try await world.frank.kill()
            let dead = try await frank(world, "status")
            #expect(dead.status == 3, "\(dead)")
            #expect(dead.errors.contains("no frank runs on"))
            let again = try await world.restarted()
            try await eventually("candy is back") { try await status(again)["devices"] as? Int == 1 ? true : nil }
            try await candy.stop()
            try await again.stop()
            let stopped = try await frank(world, "status", "--json")
            #expect(stopped.status == 3 && stopped.output.isEmpty, "\(stopped)")
        }

        @Test func `Wrong limits are refused by name`() async throws {
            let world = try await World.start()
            try await world.stop()
            for (arguments, word) in [
                (["--limit", "conections=3"], "conections"), (["--limit", "connections=0"], "connections"),
                (["--metrics", "0.0.0.0:9464"], "127.0.0.1:9464"), (["--metrics", "localhost.example:1"], "machine"),
            ] {
                let result = try await RunningProgram(
                    Place.programs + "/frank", ["run", "--data", world.folder.path + "/frank"] + arguments,
                    folder: world.folder.path
                ).end()
                #expect(result.status == 2 && result.errors.contains(word), "\(result)")
            }
            let settings = "{\"network\": \"cafenet\", \"limits\": {\"connections_per_adress\": 3}}"
            try Data(settings.utf8).write(to: URL(filePath: world.folder.path + "/frank/server.json"))
            let result = try await frank(world, "run")
            #expect(result.status == 1 && result.errors.contains("connections_per_adress"), "\(result)")
        }

        /// A page over HTTP, with its head.
        private static func get(_ path: String, _ port: UInt16) throws -> String {
            let socket = try Socket.connect(port)
            socket.write(Array("GET \(path) HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n".utf8))
            var bytes: [UInt8] = []
            while true {
                let part = socket.read()
                guard !part.isEmpty else { return String(decoding: bytes, as: UTF8.self) }
                bytes += part
            }
        }
    }
}
