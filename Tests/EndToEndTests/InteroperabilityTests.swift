import Foundation
import Synchronization
import Testing
import UpdateTesting

/// One row of the table in docs/interoperability.md.
struct Pairing: Sendable, CustomTestStringConvertible {
    /// What the independent peer is.
    enum Role: String, Sendable, CaseIterable {
        case `operator`, device, server
    }

    let role: Role
    let transport: String
    let ring: Int

    var testDescription: String { "\(role.rawValue), \(transport), ring \(ring)" }

    static let all: [Pairing] = Role.allCases.flatMap { role in
        ["tcp", "tls"].flatMap { transport in
            [257, 1025, 65_536].map { Pairing(role: role, transport: transport, ring: $0) }
        }
    }

    /// Each role with each transport, and each ring with each role or transport.
    static let some: [Pairing] = zip(
        Role.allCases.flatMap { role in ["tcp", "tls"].map { (role, $0) } }, [257, 65_536, 1025, 257, 65_536, 1025]
    ).map { Pairing(role: $0.0, transport: $0.1, ring: $1) }
}

extension EndToEnd {
    @Suite(.serialized, .enabled(if: Place.peer != nil, Peer.missing)) struct Interoperability {
        private static let sizes = [1, 255, 256, 257, 5_000, 100_000]

        @Test(arguments: Place.isFull ? Pairing.all : Pairing.some)
        func `The independent peer and our programs understand each other`(pairing: Pairing) async throws {
            let start = ContinuousClock.now
            let world = try await World.start()
            let address = pairing.transport == "tls" ? world.tls : world.tcp
            switch pairing.role {
            case .operator: try await asOperator(world, address, pairing)
            case .device: try await asDevice(world, address, pairing)
            case .server: try await asServer(world, pairing)
            }
            // frank names every rule that a peer broke.
            #expect(world.frank.count("violation") == 0, "\(world.frank.report)")
            try await world.stop()
            let seconds = (ContinuousClock.now - start).components.seconds
            Place.note(
                "| \(pairing.role.rawValue) | \(pairing.transport) | \(pairing.ring) | "
                    + "\(Self.sizes.count) sizes, block 3, block 1 | 0 | \(seconds) s |")
        }

        // MARK: The peer as operator

        private func asOperator(_ world: World, _ address: String, _ pairing: Pairing) async throws {
            let candy = try await world.candy(
                image: try await Images.make("261101-0800"), at: address,
                ["--ring", "\(pairing.ring)", "--frd-ring", "\(pairing.ring)"])
            let folder = world.folder.path
            func peer(_ arguments: [String]) async throws -> [String: Any] {
                try await Peer.run(
                    arguments + [
                        "--connect", address, "--ca", world.trust, "--user", "root.cafenet", "--password", "pass",
                    ], folder: folder)
            }
            let listed = try await peer(["devices"])
            let devices = (listed["devices"] as? [[String: Any]])?.compactMap { $0["device"] as? String } ?? []
            #expect(Set(devices).isSuperset(of: ["candy3.cafenet", "frank1.cafenet"]), "\(listed)")
            #expect(listed["ok"] as? Bool == true)

            func move(_ command: String, _ block: Int, _ file: String, _ device: String) async throws {
                let result = try await peer([
                    command, "--device", device, "--number", "\(block)", "--file", file,
                ])
                #expect(result["ok"] as? Bool == true, "\(result)")
                if device == "candy3.cafenet" { #expect(result["ring"] as? Int == pairing.ring, "\(result)") }
            }
            for device in ["candy3.cafenet", "frank1.cafenet"] {
                try await move("read-block", 3, folder + "/read", device)
                #expect(try !Images.bytes(folder + "/read").isEmpty)
            }
            try await eachSize(folder) { sent, read in
                try await move("write-block", 14, sent, "candy3.cafenet")
                try await move("read-block", 14, read, "candy3.cafenet")
            }
            try await move("write-block", 1, try await Images.make("261124-1200"), "candy3.cafenet")
            try await candy.line("the program 261124-1200 proved itself")
            #expect(try await world.status().version == "261124-1200")
            try await candy.stop()
        }

        // MARK: The peer as device

        private func asDevice(_ world: World, _ address: String, _ pairing: Pairing) async throws {
            let folder = world.folder.path
            let saved = folder + "/saved-program"
            let device = try Peer.start(
                [
                    "device", "--connect", address, "--ca", world.trust, "--name", "candy", "--nr", "7",
                    "--password", "secret of candy", "--ring", "\(pairing.ring)", "--frd-ring", "\(pairing.ring)",
                    "--save-program", saved,
                ], folder: folder)
            try await world.frank.line("device candy7.cafenet appeared")
            try await ourOperator(world, address, "candy7.cafenet")
            let package = try await Images.make("261124-1200")
            let written = try await world.ispy("block", "write", "candy7.cafenet", "1", package, "--json", at: address)
            #expect(written.status == 0, "\(written)")
            #expect(try written.object()["code"] as? Int == 6)
            #expect(try Images.bytes(saved) == Images.bytes(package))
            try await Peer.finish(device, sessions: 1)
        }

        // MARK: The peer as server

        private func asServer(_ world: World, _ pairing: Pairing) async throws {
            let folder = world.folder.path
            let certificates = folder + "/frank/"
            let server = try Peer.start(
                [
                    "server", "--listen", "\(pairing.transport)://127.0.0.1:0", "--cert", certificates + "server.pem",
                    "--key", certificates + "server.key.pem", "--accounts", "root=pass,candy*=secret of candy",
                    "--ring", "\(pairing.ring)", "--frd-ring", "\(pairing.ring)", "--save-program", folder + "/saved",
                ], folder: folder)
            let line = try await server.line("listening")
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            let address = try #require(object?["url"] as? String)
            let candy = try await world.candy(
                image: try await Images.make("261101-0800"), at: address,
                ["--ring", "\(pairing.ring)", "--frd-ring", "\(pairing.ring)"])
            try await ourOperator(world, address, "candy3.cafenet")
            try await ourOperator(world, address, "frank1.cafenet")
            let package = try await Images.make("261124-1200")
            let own = try await world.ispy("block", "write", "frank1.cafenet", "1", package, at: address)
            #expect(own.status == 0, "\(own)")
            #expect(try Images.bytes(folder + "/saved") == Images.bytes(package))
            let written = try await world.ispy(
                "program", "write", "candy3.cafenet", package, "--json", at: address)
            #expect(written.status == 0, "\(written) \(candy.report)")
            #expect(try written.object()["result"] as? String == "confirmed")
            try await candy.stop()
            try await Peer.finish(server, sessions: 10)
        }

        /// What our ispy does with a device, except for its program.
        private func ourOperator(_ world: World, _ address: String, _ device: String) async throws {
            let folder = world.folder.path
            let devices = try await world.ispy("devices", "--json", at: address).array()
            #expect(devices.contains { $0["path"] as? String == device }, "\(devices)")
            func move(_ verb: String, _ block: Int, _ file: String) async throws {
                let result = try await world.ispy("block", verb, device, "\(block)", file, "--json", at: address)
                #expect(result.status == 0, "\(result)")
            }
            try await move("read", 3, folder + "/read")
            #expect(try !Images.bytes(folder + "/read").isEmpty)
            try await eachSize(folder) { sent, read in
                try await move("write", 14, sent)
                try await move("read", 14, read)
            }
        }

        private func eachSize(_ folder: String, _ body: (_ sent: String, _ read: String) async throws -> Void)
            async throws
        {
            var random = SeededGenerator(seed: 14)
            for size in Self.sizes {
                // Zeros too: runs of them are compressed on the wire.
                var bytes = random.bytes(size)
                for index in bytes.indices where index / 700 % 2 == 1 { bytes[index] = 0 }
                let sent = folder + "/sent-\(size)"
                try Data(bytes).write(to: URL(fileURLWithPath: sent))
                try await body(sent, folder + "/read-\(size)")
                #expect(try Images.bytes(folder + "/read-\(size)") == bytes, "\(size) bytes")
            }
        }
    }
}
