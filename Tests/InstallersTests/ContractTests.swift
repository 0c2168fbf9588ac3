import Installers
import Programs
import Testing
import UpdateTesting

/// Every target whose installer runs in this module; those with test targets of their own (Linux, Windows) check the same
/// clauses there.
enum ContractTargets {
    static let all: [any InstallerUnderTest] = {
        var targets: [any InstallerUnderTest] = []
        targets += ([ESPChip.esp32, .esp32c3] as [ESPChip]).compactMap { try? ESP32UnderTest($0) }
        targets += [TeensyUnderTest(.teensy41), TeensyUnderTest(.teensy40, isCut: false)]
        if let module = try? ESP32UnderTest() {
            targets.append(SignedUnderTest(module, application: "candy", os: "esp32", hardware: "espcam"))
        }
        targets.append(STM32UnderTest(.f429, as: STM32DualBankBoard.self, stride: 32))
        targets.append(STM32UnderTest(.l476, as: STM32DualBankBoard.self, stride: 16))
        targets.append(STM32UnderTest(.f405, as: STM32FiveAreaBoard.self, stride: 80))
        return targets
    }()

    /// How many there have to be: one that can't be made must not go missing.
    static let count = 8
}

@Suite struct ContractTests {
    @Test func `All targets are there`() { #expect(ContractTargets.all.count == ContractTargets.count) }

    @Test(arguments: ContractTargets.all.indices, InstallerContract.Clause.allCases)
    func `Every installer keeps the contract`(target: Int, clause: InstallerContract.Clause) throws {
        try InstallerContract(ContractTargets.all[target]).check(clause)
    }
}
