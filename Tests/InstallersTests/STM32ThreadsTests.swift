import FirmwareStorage
import FlashControllerModels
import FlashControllers
import Installers
import Testing

/// Several threads and one flash controller, as in candy: one receives a program, another one stores settings.
@Suite struct STM32ThreadsTests {
    @Test(arguments: STM32Profile.all)
    func `Threads that write at the same time do not spoil each other's work`(profile: STM32Profile) async throws {
        let part = profile.part
        let model = STM32Model(FlashContents(part))
        let size = part.unitSizes[0]
        let rounds = 12
        try await withThrowingTaskGroup(of: Void.self) { group in
            for thread in 0..<3 {
                group.addTask {
                    // Each has a driver of its own, as each board and each installer has.
                    let driver = STM32Driver(model)
                    let bank = thread % part.bankCount
                    let place = size * (thread + 1)
                    for round in 0..<rounds {
                        let bytes = (0..<256).map { UInt8(truncatingIfNeeded: $0 &* 3 &+ round &+ thread << 6) }
                        try driver.erase(bank: bank, sectorAt: place)
                        var area = BankArea(driver, bank: bank, start: place, length: size)
                        try bytes.withUnsafeBytes { try area.write(at: 0, $0) }
                        var found = [UInt8](repeating: 0, count: 256)
                        try found.withUnsafeMutableBytes { try area.read(at: 0, into: $0) }
                        #expect(found == bytes)
                    }
                }
            }
            if part.bankCount == 2 {
                group.addTask {
                    let driver = STM32Driver(model)
                    for round in 0..<2 * rounds { try driver.select(bank: (round + 1) % 2) }
                }
            }
            try await group.waitForAll()
        }
        #expect(model.isLocked)
        #expect(model.counts.busErrors == 0)
        #expect(model.counts.cachedChanges == 0)
        #expect(model.counts.erases == 3 * rounds)
    }
}
