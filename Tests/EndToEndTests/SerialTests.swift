import Foundation
import Testing
import UpdateTesting

private let candy3 = "candy3.cafenet"

extension EndToEnd {
    /// Devices on serial lines, with pseudo terminals that are as slow as a line of 115,200 baud, and as bad.
    @Suite(.serialized, .timeLimit(.minutes(15))) struct SerialLines {
        /// A frank that waits at one port, and what is at the other.
        private struct Bench {
            let cable: SerialCable
            let world: World
            var port: String { "serial://\(cable.ports[1])" }
            private let folder: TemporaryFolder

            init(_ run: [String] = [], seed: UInt64 = 1) async throws {
                folder = try TemporaryFolder()
                cable = try SerialCable(folder: folder.path, seed: seed)
                world = try await World.start(run: ["--listen", "serial://\(cable.ports[0])?baud=115200"] + run)
            }

            func candy(_ extra: [String] = [], image: String? = nil) async throws -> RunningProgram {
                try await world.candy(image: image, at: port, ["--ring", "1024"] + extra)
            }
        }

        @Test func `An upload uses four fifths of the line through a ring of 1 KiB`() async throws {
            let bench = try await Bench()
            let candy = try await bench.candy()
            let payload = try bench.world.folder.write("payload", Self.noise(49_152))
            var best = 0.0
            // Other programs on the machine can only make it slower than the line is: beside other tests it is enough that it
            // arrives.
            let least = Self.isAlone ? 0.8 : 0.3
            for _ in 0..<4 where best < least {
                let written = try await bench.world.ispy(
                    "block", "write", candy3, "14", payload, "--json", at: bench.world.tcp)
                #expect(written.status == 0, "\(written) \(candy.report) \(bench.world.frank.report)")
                let seconds = try #require(try written.object()["seconds"] as? Double)
                best = max(best, 49_152 / seconds / 11_520)
            }
            Place.note("serial line of 115,200 baud, ring of 1 KiB: \(Int(best * 100)) % of the line rate")
            #expect(best >= least)
            let back = bench.world.folder.path + "/back"
            let read = try await bench.world.ispy("block", "read", candy3, "14", back, at: bench.world.tcp)
            #expect(read.status == 0, "\(read)")
            #expect(FileManager.default.contentsEqual(atPath: payload, andPath: back))
            try await candy.stop()
            try await bench.world.stop()
        }

        @Test func `A program arrives over a line that changes one byte in 10,000, and the device never disappears`()
            async throws
        {
            let bench = try await Bench(seed: 7)
            let old = try await Images.make("261101-0800", size: 48_000)
            let candy = try await bench.candy(image: old)
            bench.cable.set(SerialCable.Faults(corrupt: 10_000))
            let new = try await Images.make("261124-1200", size: 48_000)
            let start = ContinuousClock.now
            let written = try await bench.world.ispy("program", "write", candy3, new, "--json", at: bench.world.tcp)
            let seconds = (ContinuousClock.now - start) / .seconds(1)
            #expect(written.status == 0, "\(written) \(candy.report) \(bench.world.frank.report)")
            let result = try written.object()
            #expect(result["result"] as? String == "confirmed")
            #expect(result["version"] as? String == "261124-1200")
            #expect(bench.cable.corrupted > 0)
            Place.note(
                "one byte in 10,000 changed: \(bench.cable.corrupted) bytes, program confirmed after \(Int(seconds)) s")
            bench.cable.set(SerialCable.Faults())
            let status = try await bench.world.status()
            #expect(status.version == "261124-1200")
            try await candy.stop()
            try await bench.world.stop()
        }

        @Test func `A line that loses bytes or stops for two seconds in the middle of an upload goes on by itself`()
            async throws
        {
            let bench = try await Bench(seed: 3)
            let candy = try await bench.candy()
            let payload = try bench.world.folder.write("payload", Self.noise(40_000))
            let write = try bench.world.startISpy(
                ["block", "write", candy3, "14", payload, "--json"], at: bench.world.tcp)
            let before = bench.cable.moved[0]
            try await eventually("bytes travel") { bench.cable.moved[0] > before + 8_000 ? true : nil }
            bench.cable.set(SerialCable.Faults(lose: 4_000))
            try await eventually("bytes are lost") { bench.cable.corrupted > 1 ? true : nil }
            bench.cable.set(SerialCable.Faults())
            // Two failures, not a long one.
            let lost = bench.cable.moved[0]
            try await eventually("it goes on") { bench.cable.moved[0] > lost + 4_000 ? true : nil }
            bench.cable.set(SerialCable.Faults(isDead: true))
            try await Task.sleep(for: .seconds(2))
            bench.cable.set(SerialCable.Faults())
            let written = try await write.end()
            #expect(written.status == 0, "\(written) \(candy.report) \(bench.world.frank.report)")
            #expect(bench.world.frank.count("device \(candy3) appeared") == 1, "\(bench.world.frank.report)")
            try await candy.stop()
            try await bench.world.stop()
        }

        @Test func `A line that is dead for longer takes the device away, and brings it back by itself`() async throws {
            let bench = try await Bench()
            let candy = try await bench.candy()
            bench.cable.set(SerialCable.Faults(isDead: true))
            try await bench.world.frank.line("device \(candy3) left")
            try await candy.line("not connected")
            bench.cable.set(SerialCable.Faults())
            try await bench.world.frank.line("device \(candy3) appeared", count: 2)
            try await candy.line(": connected to", count: 2)
            // Both ports vanish as when an adapter is pulled out, and come back as others.
            bench.cable.unplug()
            try await bench.world.frank.line("device \(candy3) left", count: 2)
            try bench.cable.plugIn()
            try await bench.world.frank.line("device \(candy3) appeared", count: 3)
            // One that is started again has nothing of what was held.
            try await candy.kill()
            let again = try await bench.candy()
            try await bench.world.frank.line("device \(candy3) appeared", count: 4)
            try await again.stop()
            try await bench.world.frank.line("device \(candy3) left", count: 4)
            try await bench.world.stop()
        }

        @Test func `ispy waits at a port for a device itself`() async throws {
            let folder = try TemporaryFolder()
            let cable = try SerialCable(folder: folder.path)
            let candy = try RunningProgram(
                Place.programs + "/candy",
                [
                    "run", "--connect", "serial://\(cable.ports[1])", "--data", folder.path + "/candy", "--number", "3",
                    "--ring", "1024",
                ], folder: folder.path)
            let payload = try folder.write("payload", Self.noise(5_000))
            let written = try await RunningProgram(
                Place.programs + "/ispy",
                [
                    "block", "write", candy3, "14", payload, "--listen", "serial://\(cable.ports[0])", "--wait", "20",
                ], folder: folder.path
            ).end()
            #expect(written.status == 0, "\(written) \(candy.report)")
            try await candy.stop()
        }

        @Test func `An operator is let in on a serial line only where the owner wants it`() async throws {
            for isOpen in [false, true] {
                let bench = try await Bench(isOpen ? ["--insecure-plain"] : [])
                let listed = try await bench.world.ispy("devices", at: bench.port)
                #expect(listed.status == (isOpen ? 0 : 3), "\(listed) \(bench.world.frank.report)")
                #expect(listed.output.contains("frank1.cafenet") == isOpen)
                #expect(listed.errors.contains("--insecure-plain") == !isOpen, "\(listed)")
                // Whether or not one was let in, the port is there for a device.
                let candy = try await bench.candy()
                try await bench.world.frank.line("device \(candy3) appeared")
                try await candy.stop()
                try await bench.world.stop()
            }
        }

        @Test func `An operator on a bad line goes on with its transfer as well`() async throws {
            let bench = try await Bench(["--insecure-plain"], seed: 5)
            let candy = try await bench.world.candy(3, ["--ring", "1024"])
            let payload = try bench.world.folder.write("payload", Self.noise(30_000))
            bench.cable.set(SerialCable.Faults(corrupt: 10_000))
            let written = try await bench.world.ispy("block", "write", candy3, "14", payload, at: bench.port)
            #expect(written.status == 0, "\(written) \(bench.world.frank.report)")
            bench.cable.set(SerialCable.Faults())
            let back = bench.world.folder.path + "/back"
            let read = try await bench.world.ispy("block", "read", candy3, "14", back, at: bench.world.tcp)
            #expect(read.status == 0, "\(read)")
            #expect(FileManager.default.contentsEqual(atPath: payload, andPath: back))
            Place.note("operator on a serial line: \(bench.cable.corrupted) bytes changed")
            try await candy.stop()
            try await bench.world.stop()
        }

        @Test func `A port that is in use, missing or no port is told with what to do`() async throws {
            let bench = try await Bench()
            let folder = bench.world.folder.path
            for (port, text) in [
                (bench.cable.ports[0], "another program uses it"), ("/dev/ttyNothing9", "plugged in"),
                ("/dev/null", "is not a serial port"),
            ] {
                let listed = try await RunningProgram(
                    Place.programs + "/ispy", ["devices", "--listen", "serial://\(port)"], folder: folder
                ).end()
                #expect(listed.status == 3 && listed.errors.contains(text), "\(listed)")
            }
            try await bench.world.stop()
        }

        /// Nothing else runs on this machine (scripts/test, timing of serial lines).
        private static let isAlone = ProcessInfo.processInfo.environment["IOCOM_TIMING"] != nil

        private static func noise(_ count: Int) -> [UInt8] {
            var state: UInt32 = 1
            return (0..<count).map { _ in
                state = state &* 1_664_525 &+ 1_013_904_223
                return UInt8(truncatingIfNeeded: state >> 24)
            }
        }
    }
}
