import Foundation
import Testing
import UpdateTesting

private let candy3 = "candy3.cafenet"

extension EndToEnd {
    /// A device is configured with ispy over TLS: real programs, and cuts of the power as kills.
    @Suite(.serialized) struct Configuration {
        private func start(
            _ extra: [String] = [], hardware: String = "linux"
        ) async throws -> (world: World, candy: RunningProgram) {
            let world = try await World.start()
            return (world, try await world.candy(3, extra, hardware: hardware))
        }

        private func show(_ world: World, _ device: String = candy3) async throws -> [String: Any] {
            try await eventually("\(device) is there: \(world.frank.report)", seconds: 60) {
                let result = try await world.ispy("config", "show", device, "--json")
                guard result.status == 0 else { return nil }
                return try result.object()
            }
        }

        private func waitFor(_ state: String, _ world: World, _ device: String = candy3) async throws -> [String: Any] {
            try await eventually("\(device) is in state \(state)", seconds: 60) {
                let shown = try await show(world, device)
                return shown["state"] as? String == state ? shown : nil
            }
        }

        @Test func `A device is given a number and another address of its server, and comes back under them`()
            async throws
        {
            let (world, candy) = try await start()
            let dry = try await world.ispy("config", "set", candy3, "device_nr=5", "--dry-run")
            #expect(dry.status == 0 && dry.output == "+ network.device_nr = 5\n", "\(dry)")
            #expect(try await show(world)["configuration"] is NSNull)

            // The certificate names localhost too.
            let set = try await world.ispy(
                "config", "set", candy3, "network.device_nr=5",
                "network.connect.0.parameters=localhost:\(world.tls.port)",
                "--yes", "--restart", "--json")
            #expect(set.status == 0, "\(set) \(candy.report)")
            let result = try set.object()
            #expect(result["device"] as? String == "candy5.cafenet")
            #expect(result["result"] as? String == "inForce")
            #expect((result["changes"] as? [Any])?.count == 4)
            #expect(candy.count(": connected to tls://localhost:\(world.tls.port)") == 1, "\(candy.report)")
            #expect(try await show(world, "candy5.cafenet")["state"] as? String == "inForce")

            let back = try await world.ispy("config", "back", "candy5.cafenet", "--json")
            #expect(back.status == 0, "\(back) \(candy.report)")
            #expect(try back.object()["device"] as? String == candy3)
            #expect(try await show(world)["configuration"] is NSNull)
            try await candy.stop()
            try await world.stop()
        }

        @Test func `With a wrong address the device returns to the old configuration by itself`() async throws {
            let (world, candy) = try await start(["--configuration-within", "2"], hardware: "esp32")
            let set = try await world.ispy(
                "config", "set", candy3, "connect.0.parameters=127.0.0.1:1", "--yes", "--restart", "--json")
            #expect(set.status == 5, "\(set) \(candy.report)")
            let result = try set.object()
            #expect(result["result"] as? String == "putBack")
            #expect((result["reason"] as? String)?.contains("did not reach tls://127.0.0.1:1 within 2 s") == true)
            let shown = try await show(world)
            #expect(shown["state"] as? String == "putBack")
            #expect(shown["configuration"] is NSNull)
            try await candy.stop()
            try await world.stop()
        }

        @Test func `A power cut during the trial ends with the old configuration too`() async throws {
            var (world, candy) = try await start(["--configuration-within", "3"], hardware: "esp32")
            let set = try await world.ispy("config", "set", candy3, "connect.0.parameters=127.0.0.1:1", "--yes")
            #expect(set.status == 0, "\(set)")
            for _ in 0..<3 {
                try await candy.kill()
                candy = try world.startCandy(3, ["--configuration-within", "3"])
                try await candy.line("the new configuration has 3 s")
            }
            try await candy.kill()
            candy = try await world.candy(3, ["--configuration-within", "3"])
            #expect(try await waitFor("putBack", world)["configuration"] is NSNull)
            try await candy.stop()
            try await world.stop()
        }

        @Test func `Wrong fields are named and nothing is sent`() async throws {
            let (world, candy) = try await start()
            let wrong = try await world.ispy("config", "set", candy3, "connect.0.transport=tsl", "device_nr=0", "--yes")
            #expect(wrong.status == 1)
            #expect(
                wrong.errors.contains(
                    "network.connect[0].transport: \"tsl\" is not one of tls, socket, serial, bluetooth, none"))
            #expect(wrong.errors.contains("network.device_nr: 0 is not a number from 1 to 8998"))
            #expect(try await world.ispy("config", "set", candy3, "colour=red", "--yes").status == 1)
            #expect(try await world.ispy("config", "set", candy3).status == 2)
            #expect(try await world.ispy("config", "set", candy3, "device_nr").status == 2)
            #expect(try await world.ispy("config", "set", candy3, "cust1=x").status == 1)
            #expect(try await world.ispy("config", "show", "candy9.cafenet").status == 4)
            #expect(try await show(world)["configuration"] is NSNull)
            let defaults = try await world.ispy("config", "show", candy3, "--defaults", "--json").object()
            let network = (defaults["configuration"] as? [String: Any])?["network"] as? [String: Any]
            #expect(network?["network_name"] as? String == "cafenet")
            try await candy.stop()
            try await world.stop()
        }

        @Test func `An editor changes the document, and the file is gone afterwards`() async throws {
            let (world, candy) = try await start()
            let seen = world.folder.path + "/seen"
            let script = try world.folder.write(
                "editor",
                Array(
                    """
                    #!/bin/sh
                    stat -c '%a %n' "$1" > \(seen)
                    sed -i 's/"network": {/"network": { "cust1": "edited",/' "$1"
                    """.utf8))
            chmod(script, 0o700)
            let edited = try await RunningProgram(
                Place.programs + "/ispy",
                [
                    "config", "edit", candy3, "--yes", "--connect", world.tls, "--trust", world.trust, "--user",
                    "root.cafenet",
                ], environment: ["ISPY_PASSWORD": "pass", "EDITOR": script], folder: world.folder.path
            ).end()
            #expect(edited.status == 0, "\(edited)")
            #expect(edited.output.contains("+ network.cust1 = \"edited\""))
            let line = String(decoding: try Images.bytes(seen), as: UTF8.self).split(separator: " ", maxSplits: 1)
            #expect(line.first == "600")
            let file = line.last.map { $0.trimmingCharacters(in: .newlines) } ?? ""
            #expect(!file.isEmpty && !FileManager.default.fileExists(atPath: file))
            let network = (try await show(world)["configuration"] as? [String: Any])?["network"] as? [String: Any]
            #expect(network?["cust1"] as? String == "edited")
            try await candy.stop()
            try await world.stop()
        }

        @Test func `Signals set number and Wi-Fi, a restart puts them in force, and no password is seen`() async throws
        {
            let (world, candy) = try await start()
            let password = try world.folder.write(
                "wifi", Array("hidden wifi pas".utf8))
            chmod(password, 0o600)
            let wifi = try await world.ispy("wifi", "set", candy3, "bean24", "--wifi-password-file", password, "--json")
            #expect(wifi.status == 0, "\(wifi) \(candy.report)")
            #expect(try wifi.object()["state"] as? String == "saved")
            // As any program writes a signal.
            #expect(try await world.ispy("set", candy3, "set_nc_nr", "6").status == 0)
            try await eventually("the number waits") {
                let signals = try await world.ispy("signals", candy3, "--json").array()
                func value(_ name: String) -> String? {
                    signals.first { $0["name"] as? String == name }?["value"] as? String
                }
                return value("nc_nr") == "6^" && value("nc_wifi") == "bean24^" && value("nc_pass") == "hidden^"
                    ? true : nil
            }
            try await candy.kill()
            let again = try world.startCandy(3, hardware: "linux")
            try await again.line("the new configuration proved itself")
            #expect(try await waitFor("inForce", world, "candy6.cafenet")["state"] as? String == "inForce")
            #expect(!again.report.contains("hidden wifi") && !candy.report.contains("hidden wifi"))
            try await again.stop()
            try await world.stop()
        }

        @Test(.enabled(if: Place.peer != nil, Peer.missing))
        func `Blocks that an independent peer writes count after a restart`() async throws {
            let (world, candy) = try await start()
            var block = [UInt8](repeating: 0, count: 224)
            block.replaceSubrange(24..<25, with: Array("4".utf8))
            let file = try world.folder.write("block11", block)
            let written = try await Peer.run(
                [
                    "write-block", "--device", candy3, "--number", "11", "--file", file, "--connect", world.tls, "--ca",
                    world.trust, "--user", "root.cafenet", "--password", "pass",
                ], folder: world.folder.path)
            #expect(written["ok"] as? Bool == true, "\(written)")
            _ = try await waitFor("saved", world)
            let reboot = try await world.ispy("reboot", candy3, "--within", "120")
            #expect(reboot.status == 0, "\(reboot) \(candy.report)")
            #expect(try await waitFor("inForce", world, "candy4.cafenet")["state"] as? String == "inForce")
            try await candy.stop()
            try await world.stop()
        }

        @Test func `A restart is waited for`() async throws {
            let (world, candy) = try await start()
            for _ in 0..<2 {
                let reboot = try await world.ispy("reboot", candy3, "--json")
                #expect(reboot.status == 0, "\(reboot) \(candy.report)")
                #expect(try reboot.object()["result"] as? String == "restarted")
            }
            #expect(candy.count("restarting: an operator asked for it") == 2)
            try await candy.stop()
            try await world.stop()
        }

        @Test func `A device that forgets has to be let in again`() async throws {
            let world = try await World.start(accounts: [])
            let folder = world.candyFolder(3)
            func password() async throws -> String {
                let script = """
                    import hashlib, sys
                    s = bytearray(open(sys.argv[1], 'rb').read()[:32]); s[1] ^= 5
                    d = hashlib.sha256(bytes(s)).digest() + b'\\0'
                    a = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-'
                    o = ''.join(a[v & 63] for i in range(0, 33, 3) for v in (d[i], d[i] >> 6 | d[i+1] << 2, d[i+1] >> 4 | d[i+2] << 4, d[i+2] >> 2))
                    print(o[:43])
                    """
                let result = try await RunningProgram(
                    "/usr/bin/env", ["python3", "-c", script, folder + "/persistent-4.dat"], folder: world.folder.path
                ).end()
                return result.output.trimmingCharacters(in: .whitespacesAndNewlines)
            }
            func letIn() async throws {
                let file = world.folder.path + "/automatic-\(UUID().uuidString)"
                try Data(try await password().utf8).write(to: URL(fileURLWithPath: file))
                chmod(file, 0o600)
                let added = try await RunningProgram(
                    Place.programs + "/frank",
                    ["accounts", "add", "candy3", "--password-file", file, "--data", world.folder.path + "/frank"],
                    folder: world.folder.path
                ).end()
                #expect(added.status == 0, "\(added)")
            }
            let candy = try RunningProgram(
                Place.programs + "/candy",
                [
                    "run", "--connect", world.tls, "--trust", world.trust, "--data", folder, "--hardware", "linux",
                    "--number", "3",
                ], folder: world.folder.path)
            try await candy.line("may not accept")
            try await letIn()
            try await candy.line(": connected to", seconds: 60)
            let first = try await password()
            #expect(try await world.ispy("forget", candy3).status == 1)
            let forgot = try await world.ispy("forget", candy3, "--yes")
            #expect(forgot.status == 0, "\(forgot) \(candy.report)")
            try await candy.line("may not accept", count: 2, seconds: 60)
            #expect(try await password() != first)
            try await letIn()
            try await candy.line(": connected to", count: 2, seconds: 60)
            try await candy.stop()
            try await world.stop()
        }

        @Test func `A factory reset brings back what is built in`() async throws {
            let (world, candy) = try await start()
            let set = try await world.ispy("config", "set", candy3, "device_nr=5", "--yes", "--restart")
            #expect(set.status == 0, "\(set) \(candy.report)")
            #expect(try await world.ispy("factory-reset", "candy5.cafenet").status == 1)
            let reset = try await world.ispy("factory-reset", "candy5.cafenet", "--yes")
            #expect(reset.status == 0, "\(reset) \(candy.report)")
            #expect(try await show(world)["configuration"] is NSNull)
            try await candy.stop()
            try await world.stop()
        }
    }
}
