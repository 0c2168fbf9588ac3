import Foundation
import Testing
import UpdateTesting

private let candy3 = "candy3.cafenet"
private let old = "261101-0800"

extension EndToEnd {
    @Suite(.serialized) struct MainJob {
        /// A world with candy3, which runs the old program.
        private func start(_ extra: [String] = []) async throws -> (world: World, candy: RunningProgram) {
            let world = try await World.start()
            return (world, try await world.candy(image: try await Images.make(old), extra))
        }

        /// Copies an image into the packages folder.
        private func addPackage(_ version: String, to world: World) async throws -> String {
            let path = "\(world.packages)/esp32/iocafe-candy-\(version)-esp32-espcam.bin"
            try FileManager.default.copyItem(atPath: try await Images.make(version), toPath: path)
            return path
        }

        @Test func `The newest package is written, proves itself and is what the flash holds`() async throws {
            let (world, candy) = try await start()
            _ = try await addPackage("261105-0900", to: world)
            let newest = try await addPackage("261124-1200", to: world)

            let devices = try await world.ispy("devices", "--json").array()
            let device = try #require(devices.first { $0["path"] as? String == candy3 })
            #expect(Set(device.keys) == ["path", "application", "version", "hardware", "state", "since"])
            #expect(device["application"] as? String == "candy")
            #expect(device["version"] as? String == old)
            #expect(devices.contains { $0["path"] as? String == "frank1.cafenet" })

            let list = try await world.ispy("program", "list", candy3, "--json").array()
            #expect(list.map { $0["version"] as? String } == ["261124-1200", "261105-0900"])

            let dry = try await world.ispy("program", "write", candy3, "--newest", "--dry-run", "--json")
            #expect(dry.status == 0)
            #expect(try dry.object()["package"] as? String == newest)
            #expect(try await world.status().version == old)

            let written = try await world.ispy("program", "write", candy3, "--newest", "--json")
            #expect(written.status == 0, "\(written) \(candy.report)")
            let result = try written.object()
            #expect(
                Set(result.keys)
                    == ["device", "package", "result", "version", "previous", "bytes", "seconds", "reason"])
            #expect(result["device"] as? String == candy3)
            #expect(result["package"] as? String == newest)
            #expect(result["result"] as? String == "confirmed")
            #expect(result["version"] as? String == "261124-1200")
            #expect(result["previous"] as? String == old)
            let image = try Images.bytes(newest)
            #expect(result["bytes"] as? Int == image.count)
            #expect(result["reason"] is NSNull)
            try expectProgress(written.errors, of: image.count)

            let status = try await world.status()
            #expect(status == ProgramState(version: "261124-1200", previous: old, state: "confirmed", reason: nil))

            // Nothing newer is left, and the same version is not written again without --force.
            let again = try await world.ispy("program", "write", candy3, newest)
            #expect(again.status == 5)
            #expect(again.errors.contains("--force"))

            let back = try await world.ispy("program", "rollback", candy3, "--json")
            #expect(back.status == 0, "\(back)")
            #expect(try back.object()["version"] as? String == old)
            #expect(try await world.status().version == old)
            try await candy.stop()
            try await world.stop()
        }

        /// Every line is an object with a phase and bytes that never go back, and the phases come in their order.
        private func expectProgress(_ text: String, of size: Int) throws {
            var phases: [String] = []
            var bytes = 0
            for line in text.split(separator: "\n") {
                let object = try #require(
                    try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "\(line)")
                let phase = try #require(object["phase"] as? String)
                let confirmed = try #require(object["confirmedBytes"] as? Int)
                #expect(confirmed >= bytes && confirmed <= size)
                bytes = confirmed
                if phases.last != phase { phases.append(phase) }
            }
            #expect(bytes == size)
            let order = ["starting", "receiving", "verifying", "installing", "restarting", "proving"]
            #expect(phases == order.filter(phases.contains), "\(phases)")
            #expect(phases.contains("receiving") && phases.contains("restarting"))
        }

        @Test func `Every exit code means what the README says`() async throws {
            let (world, candy) = try await start()
            let image = try await Images.make("261124-1200")
            func code(_ arguments: [String], at address: String? = nil) async throws -> Int32 {
                try await world.startISpy(arguments, at: address).end().status
            }
            #expect(try await code(["devices"]) == 0)
            #expect(try await code(["block", "read", candy3, "77", world.folder.path + "/none"]) == 1)
            #expect(!FileManager.default.fileExists(atPath: world.folder.path + "/none"))
            #expect(try await code(["program", "write", candy3]) == 2)
            #expect(try await code(["block", "write", candy3, "200", image]) == 2)
            #expect(try await code(["no-such-command"]) == 2)
            let (free, port) = try Socket.listen(answers: false)
            #expect(try await code(["devices"], at: "tls://127.0.0.1:\(port)") == 3)
            free.shut()
            let wrong = try await RunningProgram(
                Place.programs + "/ispy",
                ["devices", "--connect", world.tls, "--trust", world.trust, "--user", "root.cafenet"],
                environment: ["ISPY_PASSWORD": "wrong"], folder: world.folder.path
            ).end()
            #expect(wrong.status == 3)
            #expect(wrong.errors.contains("password"))
            let distrusting = try await RunningProgram(
                Place.programs + "/ispy", ["devices", "--connect", world.tls, "--user", "root.cafenet"],
                environment: ["ISPY_PASSWORD": "pass"], folder: world.folder.path
            ).end()
            #expect(distrusting.status == 3)
            #expect(try await code(["program", "status", "candy4.cafenet"]) == 4)
            #expect(try await code(["program", "write", candy3, world.folder.path + "/none.bin"]) == 4)
            #expect(try await code(["program", "write", candy3, "--newest"]) == 4)
            #expect(try await code(["program", "write", candy3, try await Images.make(old)]) == 5)
            #expect(try await world.status().version == old)
            try await candy.stop()
            try await world.stop()
        }

        @Test func `A failing self-test rolls back with the reason, and a good program is taken afterwards`()
            async throws
        {
            let (world, candy) = try await start()
            let bad = try await Images.make(Images.Wish(version: "261110-0000", selfTest: "fail"))
            let written = try await world.ispy("program", "write", candy3, bad, "--json")
            #expect(written.status == 5, "\(written) \(candy.report)")
            let result = try written.object()
            #expect(result["result"] as? String == "rolledBack")
            #expect(result["version"] as? String == old)
            #expect((result["reason"] as? String)?.contains("self-test failed") == true, "\(result)")
            let status = try await world.status()
            #expect(status.version == old && status.state == "rolled back", "\(status)")
            #expect(status.reason?.contains("self-test") == true)

            let good = try await world.ispy(
                "program", "write", candy3, try await Images.make("261124-1200"), "--json")
            #expect(good.status == 0, "\(good)")
            #expect(try await world.status().version == "261124-1200")
            try await candy.stop()
            try await world.stop()
        }

        @Test(arguments: [
            Images.Wish(version: "261111-0000", selfTest: "hang"),
            Images.Wish(version: "261112-0000", boot: "crash"),
            Images.Wish(version: "261113-0000", connect: "never"),
        ])
        func `A program that does not come up gives way to the old one`(wish: Images.Wish) async throws {
            let (world, candy) = try await start(["--confirm-within", "10"])
            let written = try await world.ispy("program", "write", candy3, try await Images.make(wish), "--json")
            #expect(written.status == 5, "\(written) \(candy.report)")
            let result = try written.object()
            #expect(result["result"] as? String == "rolledBack")
            #expect(result["version"] as? String == old)
            #expect((result["reason"] as? String)?.isEmpty == false)
            #expect(try await world.status().version == old)
            let good = try await world.ispy("program", "write", candy3, try await Images.make("261124-1200"))
            #expect(good.status == 0, "\(good)")
            try await candy.stop()
            try await world.stop()
        }

        @Test func `Without a server ispy waits for the device itself`() async throws {
            let world = try await World.start()
            // The device tries again until ispy listens, so any order of the two starts works.
            let (reserved, port) = try Socket.listen()
            reserved.shut()
            let address = "tcp://127.0.0.1:\(port)"
            let candy = try world.startCandy(7, image: try await Images.make(old), at: address)
            func ispy(_ arguments: [String]) async throws -> Finished {
                try await RunningProgram(
                    Place.programs + "/ispy", arguments + ["--listen", address, "--wait", "30"],
                    folder: world.folder.path
                ).end()
            }
            let written = try await ispy([
                "program", "write", "candy7.cafenet", try await Images.make("261124-1200"), "--json",
            ])
            #expect(written.status == 0, "\(written) \(candy.report)")
            #expect(try written.object()["result"] as? String == "confirmed")
            let status = try await ispy(["program", "status", "candy7.cafenet", "--json"])
            #expect(try status.object()["version"] as? String == "261124-1200")
            try await candy.stop()
            try await world.stop()
        }

        @Test func `Signals are shown and set`() async throws {
            let (world, candy) = try await start()
            let signals = try await world.ispy("signals", candy3, "--json").array()
            let version = signals.first { $0["name"] as? String == "upd_version" }
            #expect(version?["value"] as? String == old)
            let set = try await world.ispy("set", candy3, "upd_version", "1")
            #expect(set.status == 1)
            #expect(set.errors.contains("cannot be set"))
            #expect(try await world.ispy("set", candy3, "reboot", "true").status == 0)
            try await candy.line(": connected to", count: 2)
            let memory = try await world.ispy("memory", candy3, "--json").array()
            #expect(
                Set(memory.compactMap { $0["name"] as? String })
                    .isSuperset(of: ["exp", "imp", "conf_exp", "conf_imp", "info"]))
            try await candy.stop()
            try await world.stop()
        }
    }
}
