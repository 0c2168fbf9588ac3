import Foundation
import Testing
import UpdateTesting

extension EndToEnd {
    /// The firmware of the RISC-V board in QEMU, on a serial line to a real frank, updated by a real ispy.
    @Suite(.serialized, .timeLimit(.minutes(30))) struct Firmware {
        private static let device = EmulatedBoard.device
        private static let (old, new) = ("261126-1000", "261126-1200")

        /// A frank and a board at the two ends of a cable.
        private struct Bench {
            let cable: SerialCable
            let world: World
            let board: EmulatedBoard
            let images: String
            private let folder: TemporaryFolder

            init(baud: Double = 115_200) async throws {
                folder = try TemporaryFolder()
                cable = try SerialCable(folder: folder.path, baud: baud)
                world = try await World.start(run: ["--listen", "serial://\(cable.ports[0])?baud=115200"])
                images = world.packages + "/riscv32"
                try FileManager.default.createDirectory(atPath: images, withIntermediateDirectories: true)
                let image = try await EmulatedBoard.image("device-virt", Firmware.old, folder: images)
                board = try await EmulatedBoard(image: image, port: cable.ports[1], folder: folder)
            }

            func stop() async throws {
                try await board.powerOff()
                try await world.stop()
            }
        }

        @Test func `A board in QEMU is updated through frank, and the version that answers is the new program's own`()
            async throws
        {
            let bench = try await Bench()
            let before = try await bench.world.status(Self.device)
            #expect(before.version == Self.old)
            #expect(try await counterSteps(bench.world) == 1)
            let saved = try bench.world.folder.write("saved", Array("settings of the board".utf8))
            let stored = try await bench.world.ispy("block", "write", Self.device, "14", saved)
            #expect(stored.status == 0, "\(stored)")

            // The connection took what memory it needs; no transfer takes more, and neither does a line that was dead.
            let connected = try await memoryRequests(bench.world)
            for _ in 0..<3 {
                let again = try await bench.world.ispy("block", "write", Self.device, "14", saved)
                #expect(again.status == 0, "\(again)")
            }
            // Shorter and longer than the device holds what it had with its server.
            for outage in [700, 3500] {
                let before = try #require(try await signals(bench.world)["rm_connects"])
                bench.cable.set(SerialCable.Faults(isDead: true))
                try await Task.sleep(for: .milliseconds(outage))
                bench.cable.set(SerialCable.Faults())
                try await eventually("the device connected again", seconds: 30) { () async throws -> Bool? in
                    // While it is gone nobody can be asked.
                    let connects = try? await signals(bench.world)["rm_connects"]
                    return (connects ?? 0) > before ? true : nil
                }
                let reconnected = try await memoryRequests(bench.world)
                #expect(reconnected["rm_malloc"] == connected["rm_malloc"], "\(connected) \(reconnected)")
            }

            // The next program counts in tens: other code, not another number in the same.
            _ = try await EmulatedBoard.image("device-virt-next", Self.new, folder: bench.images)
            let written = try await bench.world.ispy("program", "write", Self.device, "--newest", "--json")
            #expect(written.status == 0, "\(written) \(bench.world.frank.report)")
            let result = try written.object()
            #expect(result["result"] as? String == "confirmed")
            #expect(result["version"] as? String == Self.new)
            let after = try await bench.world.status(Self.device)
            #expect(after.version == Self.new)
            #expect(after.previous == Self.old)
            #expect(try await counterSteps(bench.world) == 10)
            let kept = try await settings(bench.world)
            #expect(kept == "settings of the board", "\(bench.world.frank.report)")

            // Back again on request, and the same after a loss of power.
            let back = try await bench.world.ispy("program", "rollback", Self.device)
            #expect(back.status == 0, "\(back)")
            let logins = bench.world.frank.count("login blink1")
            try await bench.board.powerCycle()
            // Until then frank holds what the board had before the power went.
            try await bench.world.frank.line("login blink1", count: logins + 1)
            try await eventually("the old program is back") {
                try await bench.world.status(Self.device).version == Self.old ? true : nil
            }
            let left = try await settings(bench.world)
            #expect(left == "settings of the board", "\(bench.world.frank.report)")
            try await bench.stop()
        }

        @Test func `A program that hangs at its start is taken back, and ispy says so`() async throws {
            let bench = try await Bench(baud: 921_600)
            _ = try await bench.world.status(Self.device)
            let image = try await EmulatedBoard.image("hang-virt", Self.new, folder: bench.images)
            let written = try await bench.world.ispy("program", "write", Self.device, image, "--json")
            #expect(written.status == 5, "\(written)")
            let result = try written.object()
            #expect(result["result"] as? String == "rolledBack")
            #expect((result["reason"] as? String)?.contains("watchdog") == true, "\(result)")
            #expect(try await bench.world.status(Self.device).version == Self.old)
            try await bench.stop()
        }

        @Test func `A board with a key takes what the key signed, and nothing else`() async throws {
            let folder = try TemporaryFolder()
            let cable = try SerialCable(folder: folder.path, baud: 921_600)
            let world = try await World.start(run: ["--listen", "serial://\(cable.ports[0])?baud=115200"])
            for name in ["mine", "other"] {
                let made = try await RunningProgram(
                    Place.programs + "/ispy", ["package", "keygen", folder.path + "/" + name], folder: folder.path
                ).end()
                #expect(made.status == 0, "\(made)")
            }
            let old = try await EmulatedBoard.image("device-virt", Self.old, folder: folder.path)
            let board = try await EmulatedBoard(
                image: old, keys: [folder.path + "/mine.pub"], port: cable.ports[1], folder: folder)
            _ = try await world.status(Self.device)
            let new = try await EmulatedBoard.image("device-virt-next", Self.new, folder: folder.path)
            func write(signedWith key: String?) async throws -> Finished {
                if let key {
                    let signed = try await RunningProgram(
                        Place.programs + "/ispy", ["package", "sign", new, "--key", "\(folder.path)/\(key).sec"],
                        folder: folder.path
                    ).end()
                    guard signed.status == 0 else { throw Unexpected("\(signed)") }
                }
                return try await world.ispy("program", "write", Self.device, new, "--json")
            }
            #expect(try await write(signedWith: nil).status != 0)
            let other = try await write(signedWith: "other")
            #expect(other.status != 0 && "\(other)".contains("does not trust"), "\(other)")
            #expect(try await world.status(Self.device).version == Self.old)
            let mine = try await write(signedWith: "mine")
            #expect(mine.status == 0, "\(mine)")
            #expect(try await world.status(Self.device).version == Self.new)
            try await board.powerOff()
            try await world.stop()
        }

        @Test func `QEMU killed in the middle of updates comes up with one of the two programs and its blocks`()
            async throws
        {
            let folder = try TemporaryFolder()
            let old = try await EmulatedBoard.image("device-virt", Self.old, folder: folder.path)
            let new = try await EmulatedBoard.image("device-virt-next", Self.new, folder: folder.path)
            let flash = folder.path + "/flash.img"
            let made = try await EmulatedBoard.script(["flash", old, flash], folder: folder.path)
            #expect(made.status == 0, "\(made)")
            // Other moments at each run; the script says which seed gives the same ones again.
            let cuts = try await RunningProgram(
                Place.root + "/scripts/firmware-cuts",
                [
                    "--moments", ProcessInfo.processInfo.environment["IOCOM_FULL"] == nil ? "20" : "200",
                    "--programs", Place.programs, "--elves", Place.root + "/Firmware/.build/elf", "--old", old,
                    "--new", new, "--flash", flash,
                ], folder: folder.path
            ).end(seconds: 1500)
            Place.note(cuts.output.split(separator: "\n").last.map(String.init) ?? "")
            #expect(cuts.status == 0, "\(cuts)")
        }

        @Test func `The STM32F405 board has the same signals, blocks and streams, and says that it takes no program`()
            async throws
        {
            let folder = try TemporaryFolder()
            let cable = try SerialCable(folder: folder.path)
            let world = try await World.start(run: ["--listen", "serial://\(cable.ports[0])?baud=115200"])
            let image = folder.path + "/iocafe-blink-\(Self.old)-stm32-netduinoplus2.bin"
            let made = try await EmulatedBoard.script(
                ["image", "device-netduino", "blink", Self.old, image], folder: folder.path)
            #expect(made.status == 0, "\(made)")
            let board = try EmulatedBoard.netduino(image: image, port: cable.ports[1], folder: folder)
            let status = try await world.status(Self.device)
            #expect(status.version == Self.old)
            let saved = try world.folder.write("saved", Array("settings of the board".utf8))
            let stored = try await world.ispy("block", "write", Self.device, "14", saved)
            #expect(stored.status == 0, "\(stored)")
            #expect(try await settings(world) == "settings of the board")
            let set = try await world.ispy("set", Self.device, "set_led", "1")
            #expect(set.status == 0, "\(set)")
            try await eventually("the LED is on") {
                let result = try await world.ispy("signals", Self.device, "--json")
                let led = try result.array().first { $0["name"] as? String == "led" }
                return led?["value"] as? Bool == true ? true : nil
            }
            #expect(try await counterSteps(world) == 1)
            // QEMU has no flash controller for this board (docs/firmware.md).
            let written = try await world.ispy("program", "write", Self.device, image, "--force")
            #expect(written.status == 5, "\(written)")
            #expect(try await world.status(Self.device).reason == "the flash failed")
            try await board.kill()
            try await world.stop()
        }

        @Test func `A package for other hardware, and a damaged one, are refused`() async throws {
            let bench = try await Bench(baud: 921_600)
            _ = try await bench.world.status(Self.device)
            let image = try await EmulatedBoard.image("device-virt-next", Self.new, folder: bench.images)
            var bytes = try Data(contentsOf: URL(filePath: image))
            bytes[bytes.count / 2] ^= 1
            try bytes.write(to: URL(filePath: image))
            let written = try await bench.world.ispy("program", "write", Self.device, image)
            #expect(written.status == 1, "\(written)")
            #expect(written.errors.contains("do not match its hash"), "\(written)")
            let netduino = try await EmulatedBoard.script(
                [
                    "image", "device-netduino", "blink", Self.new,
                    bench.images + "/iocafe-blink-\(Self.new)-stm32-netduinoplus2.bin",
                ], folder: bench.world.folder.path)
            #expect(netduino.status == 0, "\(netduino)")
            let other = try await bench.world.ispy(
                "program", "write", Self.device, bench.images + "/iocafe-blink-\(Self.new)-stm32-netduinoplus2.bin")
            #expect(other.status == 5, "\(other)")
            #expect(try await bench.world.status(Self.device).version == Self.old)
            try await bench.stop()
        }

        /// The signals with requests for memory up to now. The board shows them once a second, so what is shown first may be
        /// from before.
        private func memoryRequests(_ world: World) async throws -> [String: Int] {
            let first = try await signals(world)
            return try await eventually("the board shows its memory again", seconds: 30) {
                let now = try await signals(world)
                guard let before = first["uptime"], let uptime = now["uptime"] else { return nil }
                return uptime > before ? now : nil
            }
        }

        private func signals(_ world: World) async throws -> [String: Int] {
            let result = try await world.ispy("signals", Self.device, "--json")
            guard result.status == 0 else { throw Unexpected("\(result)") }
            var found: [String: Int] = [:]
            for signal in try result.array() {
                if let name = signal["name"] as? String, let value = signal["value"] as? Int { found[name] = value }
            }
            return found
        }

        /// How far the counter goes in a second.
        private func counterSteps(_ world: World) async throws -> Int {
            func look() async throws -> (counter: Int, uptime: Int) {
                let found = try await signals(world)
                return (found["counter"] ?? 0, found["uptime"] ?? 0)
            }
            let first = try await look()
            return try await eventually("the counter goes on", seconds: 30) {
                let now = try await look()
                return now.uptime > first.uptime ? (now.counter - first.counter) / (now.uptime - first.uptime) : nil
            }
        }

        private func settings(_ world: World) async throws -> String {
            let path = world.folder.path + "/back"
            let read = try await world.ispy("block", "read", Self.device, "14", path)
            guard read.status == 0 else { return "\(read)" }
            return try String(contentsOfFile: path, encoding: .utf8)
        }
    }
}
