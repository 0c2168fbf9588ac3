import Installers
import Programs
import Testing
import UpdateTesting

@Suite struct PowerCutTests {
    @Test(arguments: [ESPChip.esp32, .esp32c3])
    func `A cut at any flash operation of an update leaves a device that works`(chip: ESPChip) throws {
        let campaign = try PowerCutCampaign(
            program: Module.program("2", chip: chip, size: 20_000), slotSize: 0x10000)
        let report = try campaign.run()
        for phase in PowerCutCampaign.Phase.allCases {
            print(
                "\(chip), \(phase.rawValue): \(report.operations[phase] ?? 0) operations, \(report.cuts[phase] ?? 0) cuts"
            )
            #expect((report.cuts[phase] ?? 0) > 20)
        }
        print("\(chip): \(report.totalCuts) power cuts, \(report.failureCount) failures")
        #expect(report.failureCount == 0, "\(report.failures.prefix(10))")
        #expect(report.oldProgram > 0 && report.newProgram > 0)
    }
}
