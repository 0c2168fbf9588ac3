import Foundation
import Installers
import Testing
import UpdateTesting

private let candy3 = "candy3.cafenet"
private let old = "261101-0800"

extension EndToEnd {
    @Suite(.serialized) struct STM32 {
        /// Parts with two banks and one with five areas, by their names for `--hardware`.
        private static let parts = ["stm32f429", "stm32l476", "stm32f405"]

        private func target(_ part: String) throws -> any InstallerUnderTest {
            switch part {
            case "stm32f429": STM32UnderTest(.f429, as: STM32DualBankBoard.self)
            case "stm32l476": STM32UnderTest(.l476, as: STM32DualBankBoard.self)
            case "stm32f405": STM32UnderTest(.f405, as: STM32FiveAreaBoard.self)
            default: throw Unexpected("there is no \(part)")
            }
        }

        /// Writes a package to a file that is named as packages are.
        private func package(
            _ part: String, _ version: String, _ world: World, _ behaviour: ProgramBehaviour = ProgramBehaviour()
        ) throws -> String {
            let package = try target(part).package(version, size: 40_000, behaviour: behaviour)
            return try world.write(package.bytes, asPackage: "iocafe-candy-\(version)-stm32-\(part).bin", os: "stm32")
        }

        @Test(arguments: parts)
        func `A board takes its program, gives up bad ones, and refuses that of another part`(
            part: String
        ) async throws {
            let world = try await World.start()
            let first = try package(part, old, world)
            let candy = try await world.candy(image: first, hardware: part)
            #expect(try await world.status().version == old)

            let good = try package(part, "261124-1200", world)
            let written = try await world.ispy("program", "write", candy3, "--newest", "--json")
            #expect(written.status == 0, "\(written) \(candy.report)")
            #expect(try written.object()["result"] as? String == "confirmed")
            #expect(try written.object()["package"] as? String == good)
            let status = try await world.status()
            #expect(status == ProgramState(version: "261124-1200", previous: old, state: "confirmed", reason: nil))

            let bad: [(String, ProgramBehaviour)] = [
                ("261201-0000", ProgramBehaviour(selfTest: .fails)),
                ("261202-0000", ProgramBehaviour(crashesAtBoot: true)),
            ]
            for (version, behaviour) in bad {
                let path = try package(part, version, world, behaviour)
                let written = try await world.ispy("program", "write", candy3, path, "--json")
                #expect(written.status == 5, "\(written) \(candy.report)")
                let result = try written.object()
                #expect(result["result"] as? String == "rolledBack")
                #expect(result["version"] as? String == "261124-1200")
                #expect((result["reason"] as? String)?.isEmpty == false)
                #expect(try await world.status().version == "261124-1200")
            }

            // By the rules of ispy, and when these are passed by, by those of the device.
            let other = try package(part == "stm32f429" ? "stm32l476" : "stm32f429", "261203-0000", world)
            #expect(try await world.ispy("program", "write", candy3, other).status == 5)
            let raw = try await world.ispy("block", "write", candy3, "1", other, "--json")
            #expect(raw.status == 1)
            let refused = try await world.status()
            #expect(refused.version == "261124-1200")
            #expect(refused.reason?.contains("hardware") == true, "\(refused)")

            // What it knows survives that it is killed.
            try await candy.kill()
            let again = try await world.candy(hardware: part)
            #expect(again.count("started candy 261124-1200") == 1, "\(again.report)")
            try await again.stop()
            try await world.stop()
        }
    }
}
