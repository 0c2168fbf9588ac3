import Foundation
import Installers
import Programs
import Testing
import UpdateTesting

private let candy3 = "candy3.cafenet"
private let old = "261101-0800"

extension EndToEnd {
    @Suite(.serialized) struct Teensy {
        /// Writes a package to a file that is named as packages are.
        private func package(
            _ board: TeensyBoard, _ version: String, _ world: World, _ behaviour: ProgramBehaviour = ProgramBehaviour()
        ) throws -> String {
            let package = try TeensyUnderTest(board, programSize: board.programSize)
                .package(version, size: 40_000, behaviour: behaviour)
            let name = "iocafe-candy-\(version)-teensy-\(board.name).hex"
            return try world.write(package.bytes, asPackage: name, os: "teensy")
        }

        @Test func `A program whose boot data names the start of the flash makes no package, and the remedy is said`()
            async throws
        {
            let folder = try TemporaryFolder()
            // As a linker leaves it: without descriptor and hash.
            var program = try TeensyImageBuilder(.teensy41, application: "candy", version: old).build().dropLast(40)
            program.replaceSubrange(0x200..<0x280, with: [UInt8](repeating: 0xFF, count: 0x80))
            for (start, status) in [([0, 0, 0, 0x60] as [UInt8], Int32(1)), ([0, 0, 1, 0x60], 0)] {
                program.replaceSubrange(0x1020..<0x1024, with: start)
                let raw = try folder.write("program\(status).bin", Array(program))
                let made = try await RunningProgram(
                    Place.programs + "/ispy",
                    [
                        "package", "make-image", raw, "--application", "candy", "--version", old, "--os", "teensy",
                        "--hardware", "teensy41", "--load-address", "0x60010000", "--output", folder.path + "/made",
                    ], folder: folder.path
                ).end()
                #expect(made.status == status, "\(made)")
                #expect(made.errors.contains("bootdata.c") == (status == 1), "\(made)")
                let package = folder.path + "/made/iocafe-candy-\(old)-teensy-teensy41.hex"
                #expect(FileManager.default.fileExists(atPath: package) == (status == 0))
            }
        }

        @Test func `A board takes its hex file, gives up a bad one, and refuses that of another board`() async throws {
            let world = try await World.start()
            let first = try package(.teensy41, old, world)
            let candy = try await world.candy(image: first, hardware: "teensy41")
            #expect(try await world.status().version == old)

            let good = try package(.teensy41, "261124-1200", world)
            let written = try await world.ispy("program", "write", candy3, "--newest", "--json")
            #expect(written.status == 0, "\(written) \(candy.report)")
            #expect(try written.object()["result"] as? String == "confirmed")
            #expect(try written.object()["package"] as? String == good)
            let status = try await world.status()
            #expect(status == ProgramState(version: "261124-1200", previous: old, state: "confirmed", reason: nil))

            let bad = try package(.teensy41, "261201-0000", world, ProgramBehaviour(selfTest: .fails))
            let failed = try await world.ispy("program", "write", candy3, bad, "--json")
            #expect(failed.status == 5, "\(failed) \(candy.report)")
            let result = try failed.object()
            #expect(result["result"] as? String == "rolledBack")
            #expect(result["version"] as? String == "261124-1200")
            #expect((result["reason"] as? String)?.isEmpty == false)
            #expect(try await world.status().version == "261124-1200")

            // By the rules of ispy, and when these are passed by, by those of the device.
            let other = try package(.teensy40, "261203-0000", world)
            #expect(try await world.ispy("program", "write", candy3, other).status == 5)
            let raw = try await world.ispy("block", "write", candy3, "1", other, "--json")
            #expect(raw.status == 1)
            let refused = try await world.status()
            #expect(refused.reason?.contains("hardware") == true, "\(refused)")
            #expect(refused.version == "261124-1200")

            // What it knows survives that it is killed.
            try await candy.kill()
            let again = try await world.candy(hardware: "teensy41")
            #expect(again.count("started candy 261124-1200") == 1, "\(again.report)")
            try await again.stop()
            try await world.stop()
        }
    }
}
