import Installers
import Programs
import Testing
import UpdateTesting

@Suite struct PowerCutTests {
    @Test(arguments: [ESPChip.esp32, .esp32c3])
    func `A cut at any flash operation of an update leaves a device that works`(chip: ESPChip) throws {
        let campaign = try PowerCutCampaign(
            program: Module.program("2", chip: chip, size: 20_000), slotSize: 0x10000, mostSecondCuts: 200)
        let report = try campaign.run()
        for phase in PowerCutCampaign.Phase.allCases {
            let cuts = "\(report.cuts[phase] ?? 0) cuts"
            print("\(chip), \(phase.rawValue): \(report.operations[phase] ?? 0) operations, \(cuts)")
            #expect((report.cuts[phase] ?? 0) > 20)
            #expect((report.secondCuts[phase] ?? 0) >= 20)
        }
        let cuts = "\(report.totalCuts) power cuts and \(report.totalSecondCuts) second ones"
        print("\(chip): \(cuts), \(report.failureCount) failures")
        #expect(report.failureCount == 0, "\(report.failures.prefix(10))")
        #expect(report.oldProgram > 0 && report.newProgram > 0)
    }
}
