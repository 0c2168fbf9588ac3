import Foundation
import Testing
import UpdateTesting

private let candy3 = "candy3.cafenet"
private let old = "261101-0800"
private let new = "261124-1200"

extension EndToEnd {
    /// A device that trusts keys takes what they signed and nothing else, whoever writes it.
    @Suite(.serialized) struct SignedPackages {
        private func package(_ version: String, _ world: World) async throws -> String {
            let path = "\(world.packages)/esp32/iocafe-candy-\(version)-esp32-espcam.bin"
            try FileManager.default.copyItem(atPath: try await Images.make(version), toPath: path)
            return path
        }

        private func run(_ world: World, _ arguments: String...) async throws -> Finished {
            try await RunningProgram(Place.programs + "/ispy", arguments, folder: world.folder.path).end()
        }

        @Test func `Only what a trusted key signed for this device is written`() async throws {
            let world = try await World.start()
            let folder = world.folder.path
            for name in ["maker", "stranger"] {
                #expect(try await run(world, "package", "keygen", "\(folder)/\(name)").status == 0)
            }
            let candy = try await world.candy(
                image: try await Images.make(old), ["--package-keys", folder + "/maker.pub"])
            let good = try await package(new, world)

            // Not signed: ispy says so before anything travels, and so does the device to whom does not ask.
            let unsigned = try await world.ispy("program", "write", candy3, good)
            #expect(unsigned.status == 5 && unsigned.errors.contains("takes signed packages only"), "\(unsigned)")
            try await expectRefused(world, good, "takes signed packages only", candy, 1)

            // Signed by somebody else.
            #expect(try await run(world, "package", "sign", good, "--key", folder + "/stranger.sec").status == 0)
            let stranger = try await world.ispy("program", "write", candy3, good)
            #expect(stranger.status == 5 && stranger.errors.contains("not a trusted one"), "\(stranger)")

            // The manifest of another package, sent by hand before the package.
            let other = try await package("261125-0000", world)
            #expect(try await run(world, "package", "sign", other, "--key", folder + "/maker.sec").status == 0)
            #expect(try await world.ispy("block", "write", candy3, "13", other + ".manifest").status == 0)
            try await expectRefused(world, good, "not the one that was signed", candy, 3)

            // An older package that was signed when it was new.
            let older = try await package("261001-0000", world)
            #expect(try await run(world, "package", "sign", older, "--key", folder + "/maker.sec").status == 0)
            let replay = try await world.ispy("program", "write", candy3, older, "--force")
            #expect(replay.status == 5 && replay.errors.contains("older than"), "\(replay)")

            #expect(try await world.status().version == old)
            #expect(candy.count("started candy") == 1)
            #expect(try await run(world, "package", "sign", good, "--key", folder + "/maker.sec").status == 0)
            #expect(try await run(world, "package", "verify", good, "--keys", folder + "/maker.pub").status == 0)
            let written = try await world.ispy("program", "write", candy3, good, "--json")
            #expect(written.status == 0, "\(written) \(candy.report)")
            #expect(try await world.status().version == new)

            // Back to an older one, with permission.
            let back = try await run(
                world, "package", "sign", older, "--key", folder + "/maker.sec", "--allow-downgrade")
            #expect(back.status == 0)
            let downgrade = try await world.ispy("program", "write", candy3, older, "--force", "--json")
            #expect(downgrade.status == 0, "\(downgrade) \(candy.report)")
            #expect(try await world.status().version == "261001-0000")
            try await candy.stop()
            try await world.stop()
        }

        /// Writes block 1 as an operator does who knows nothing of signatures.
        private func expectRefused(
            _ world: World, _ file: String, _ reason: String, _ candy: RunningProgram, _ count: Int
        ) async throws {
            let result = try await world.ispy("block", "write", candy3, "1", file)
            #expect(result.status == 1, "\(result)")
            let line = try await candy.line("update: failed", count: count)
            #expect(line.contains(reason), "\(line)")
        }

        @Test func `Keys that are not there stop the start of a device`() async throws {
            let world = try await World.start()
            let candy = try world.startCandy(image: try await Images.make(old), ["--package-keys", "/nonexistent"])
            let result = try await candy.end()
            #expect(result.status != 0 && result.errors.contains("no key for packages"), "\(result)")
            try await world.stop()
        }
    }
}
