import FirmwareImages
import FirmwareStorage
import FlashControllerModels
import FlashControllers
import Installers
import Programs
import Synchronization
import Testing
import UpdateTesting

/// What the boot check of two banks and the installer do when the flash does not do what it should.
@Suite struct STM32BootCheckTests {
    private func image(_ profile: STM32Profile, _ version: String) throws -> [UInt8] {
        try MicrocontrollerImageBuilder.cortexM(
            application: "candy", version: version, hardware: profile.name, loadAddress: profile.loadAddress,
            stackPointer: profile.part.ram.upperBound, data: (0..<1500).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        ).build()
    }

    private func device(_ profile: STM32Profile) throws -> FaultyDevice {
        let device = FaultyDevice(
            profile, STM32DualBankBoard.produced(profile, program: try image(profile, "200101-0000")))
        #expect(try device.start() == .program(isOnTrial: false, goneBack: .no))
        return device
    }

    private func install(_ version: String, _ device: FaultyDevice) throws {
        let installer = try device.installer()
        try installer.start()
        try installer.append(image(device.profile, version))
        _ = try installer.finish()
    }

    @Test(arguments: STM32Profile.dualBank)
    func `A trial that can't be written down is not given, and the proved program starts`(
        profile: STM32Profile
    ) throws {
        let device = try device(profile)
        try install("200102-0000", device)
        device.set { $0.keepsRecords = false }
        for _ in 0..<3 {
            #expect(try device.start() == .program(isOnTrial: false, goneBack: .no))
            #expect(device.bank == 0)
        }
        // There with the installation, and back: the option bytes are not changed at each start.
        #expect(device.model.counts.optionWrites == 2)
        // The new program is still due.
        device.set { $0.keepsRecords = true }
        #expect(try device.start() == .program(isOnTrial: true, goneBack: .no))
        #expect(device.bank == 1)
        #expect(try device.start() == .program(isOnTrial: false, goneBack: .noProof))
        #expect(device.bank == 0)
    }

    @Test(arguments: STM32Profile.dualBank)
    func `A trial of the only program that is whole is one also when it can't be written down`(
        profile: STM32Profile
    ) throws {
        let device = try device(profile)
        try install("200102-0000", device)
        device.set { $0.keepsRecords = false }
        try STM32Driver(device.model).erase(bank: 0, sectorAt: DualBank<STM32Driver>.programStart)
        for _ in 0..<2 {
            #expect(try device.start() == .program(isOnTrial: true, goneBack: .no))
            #expect(device.bank == 1)
        }
    }

    @Test func `A place that reads as erased and can't be programmed does not keep a program from its trial`() throws {
        let device = try device(.l476)
        try install("200102-0000", device)
        // The next record goes where the first free place of either half is.
        var contents = device.model.contents
        var random = SeededGenerator(seed: 5)
        for bank in 0..<2 {
            let start = bank * STM32Part.l47x.bankSize + DualBank<STM32Driver>.recordsStart
            let free = (0..<21).map { start + 96 * $0 }.first {
                contents.bytes(at: $0, count: 96).allSatisfy { $0 == 0xFF }
            }
            let place = try #require(free)
            var left = contents
            repeat {
                left = contents.remains(
                    of: .program(offset: place, [1, 2, 3, 4, 5, 6, 7, 8]), cut: .torn, random: &random)
            } while !left.spent.contains(place / 8)
            contents = left
        }
        let after = FaultyDevice(.l476, contents)
        #expect(try after.start() == .program(isOnTrial: true, goneBack: .no))
        #expect(after.bank == 1)
        try after.installer().confirm()
        #expect(try after.start() == .program(isOnTrial: false, goneBack: .no))
        #expect(after.bank == 1)
    }

    @Test(arguments: STM32Profile.dualBank)
    func `Option bytes that never come into effect are not worn out by trying`(profile: STM32Profile) throws {
        let device = try device(profile)
        device.set { $0.options = .forgotten }
        try install("200102-0000", device)
        #expect(try device.start() == .program(isOnTrial: false, goneBack: .damaged))
        #expect(device.bank == 0)
        let most = Int(DualBank<STM32Driver>.mostExchanges) + 1
        #expect(device.selections == most)
        #expect(try device.start() == .program(isOnTrial: false, goneBack: .damaged))
        #expect(device.selections == most)
        // Another update has all attempts again.
        device.set { $0.options = .work }
        try install("200103-0000", device)
        #expect(try device.start() == .program(isOnTrial: true, goneBack: .no))
        #expect(device.bank == 1)
    }

    @Test(arguments: STM32Profile.dualBank)
    func `An update that fails at the option bytes changes nothing, and another one can follow`(
        profile: STM32Profile
    ) throws {
        let device = try device(profile)
        device.set { $0.options = .fail }
        let installer = try device.installer()
        for _ in 0..<2 {
            try installer.start()
            try installer.append(image(profile, "200102-0000"))
            let error = #expect(throws: InstallError.self) { try installer.finish() }
            #expect(error?.description.contains("option bytes") == true, "\(error?.description ?? "")")
            #expect(error?.description.contains("did not succeed") == true, "\(error?.description ?? "")")
        }
        let records = try SlotRecords(device.banks.recordArea)
        #expect(records.choice.boot == 0)
        #expect(records.choice[0].status == .valid)
        device.set { $0.options = .work }
        #expect(try device.start() == .program(isOnTrial: false, goneBack: .no))
        #expect(device.bank == 0)
        try install("200102-0000", device)
        #expect(try device.start() == .program(isOnTrial: true, goneBack: .no))
    }

    @Test(arguments: STM32Profile.dualBank)
    func `Going back that fails at the option bytes leaves the program that runs`(profile: STM32Profile) throws {
        let device = try device(profile)
        try install("200102-0000", device)
        #expect(try device.start() == .program(isOnTrial: true, goneBack: .no))
        let installer = try device.installer()
        try installer.confirm()
        device.set { $0.options = .fail }
        let error = #expect(throws: InstallError.self) { try installer.markInvalidAndRollBack(.asked) }
        #expect(error?.description.contains("option bytes") == true, "\(error?.description ?? "")")
        device.set { $0.options = .work }
        #expect(try device.start() == .program(isOnTrial: false, goneBack: .no))
        #expect(device.bank == 1)
        // Asked again, it works.
        try device.installer().markInvalidAndRollBack(.asked)
        #expect(try device.start() == .program(isOnTrial: false, goneBack: .asked))
        #expect(device.bank == 0)
    }

    @Test(arguments: STM32Profile.dualBank)
    func `A program without proof does not become proved because the way back is closed`(
        profile: STM32Profile
    ) throws {
        let device = try device(profile)
        try install("200102-0000", device)
        #expect(try device.start() == .program(isOnTrial: true, goneBack: .no))
        device.set { $0.options = .fail }
        #expect(try device.start() == .program(isOnTrial: true, goneBack: .no))
        #expect(device.bank == 1)
        device.set { $0.keepsRecords = false }
        #expect(try device.start() == .program(isOnTrial: true, goneBack: .no))
        device.set { $0 = FaultyDevice.Faults() }
        #expect(try device.start() == .program(isOnTrial: false, goneBack: .noProof))
        #expect(device.bank == 0)
    }

    @Test(arguments: STM32Profile.dualBank)
    func `A program without proof stays one while the option bytes do not come into effect`(
        profile: STM32Profile
    ) throws {
        for proves in [false, true] {
            let device = try device(profile)
            try install("200102-0000", device)
            #expect(try device.start() == .program(isOnTrial: true, goneBack: .no))
            device.set { $0.options = .forgotten }
            let before = device.selections
            let most = Int(DualBank<STM32Driver>.mostExchanges)
            // After that many attempts one before each start: there is nothing better to do.
            for attempts in [most, most + 1, most + 2] {
                #expect(try device.start() == .program(isOnTrial: true, goneBack: .no))
                #expect(device.bank == 1)
                #expect(device.selections == before + attempts)
            }
            if proves {
                try device.installer().confirm()
                #expect(try device.start() == .program(isOnTrial: false, goneBack: .no))
                #expect(device.bank == 1)
            } else {
                device.set { $0.options = .work }
                #expect(try device.start() == .program(isOnTrial: false, goneBack: .noProof))
                #expect(device.bank == 0)
            }
        }
    }

    @Test func `Faults of the controller are told in words`() throws {
        let device = try device(.f429)
        let words: [(ControllerFault, String)] = [
            (.writeProtection, "write-protected"), (.timeout, "did not become ready"), (.locked, "stays locked"),
            ([.operation, .alignment], "did not succeed; the flash controller was given a wrong address"),
            (ControllerFault(rawValue: 1 << 30), "error 0x40000000"), ([], "the flash failed"),
        ]
        for (fault, text) in words {
            device.set { $0.erase = fault }
            let installer = try device.installer()
            try installer.start()
            let error = #expect(throws: InstallError.self) { try installer.append(image(.f429, "200102-0000")) }
            #expect(error?.description.contains(text) == true, "\(error?.description ?? "")")
        }
    }
}

/// A machine with two banks whose flash fails on request, and what its boot check does.
private final class FaultyDevice: Sendable {
    struct Faults {
        enum Options { case work, fail, forgotten }

        /// The half of the records takes what is written.
        var keepsRecords = true
        /// Changes of the option bytes are done, end with an error, or are not there after the restart.
        var options = Options.work
        /// Why the other bank can't be erased.
        var erase: ControllerFault?
    }

    let profile: STM32Profile
    let model: STM32Model
    private let state = Mutex((faults: Faults(), selections: 0))

    init(_ profile: STM32Profile, _ contents: FlashContents) {
        self.profile = profile
        model = STM32Model(contents)
    }

    func set(_ change: (inout Faults) -> Void) { state.withLock { change(&$0.faults) } }

    var faults: Faults { state.withLock { $0.faults } }
    /// How often the other bank was to be selected.
    var selections: Int { state.withLock { $0.selections } }
    func noteSelection() { state.withLock { $0.selections += 1 } }

    var banks: DualBank<FaultyController> {
        DualBank(FaultyController(device: self, driver: STM32Driver(model)), for: profile.target(application: "candy"))
    }

    /// The bank that runs.
    var bank: Int { STM32Driver(model).runningBank }

    func installer() throws -> STM32DualBankInstaller<FaultyController> {
        STM32DualBankInstaller(try DualBankPlaces(banks))
    }

    /// Switches the machine on; resets until the boot check starts a program or gives up.
    func start() throws -> DualBank<FaultyController>.Start {
        for turn in 0..<100 {
            guard case .bank = model.reset(powerOn: turn == 0) else { throw STM32BootFailure.systemBootLoader }
            let start = banks.start()
            if start != .restart { return start }
        }
        throw STM32BootFailure.restartsForEver
    }
}

private struct FaultyController: DualBankController, Sendable {
    let device: FaultyDevice
    let driver: STM32Driver

    var bankCount: Int { driver.bankCount }
    var bankSize: Int { driver.bankSize }
    var writeSize: Int { driver.writeSize }
    func sector(at offset: Int) -> FlashUnit { driver.sector(at: offset) }
    func read(bank: Int, at offset: Int, into out: UnsafeMutableRawBufferPointer) throws(FlashFault) {
        try driver.read(bank: bank, at: offset, into: out)
    }
    func program(bank: Int, at offset: Int, _ bytes: UnsafeRawBufferPointer) throws(FlashFault) {
        let records = DualBank<STM32Driver>.recordsStart..<DualBank<STM32Driver>.blocksStart
        guard !records.contains(offset) || device.faults.keepsRecords else { throw .notErased }
        try driver.program(bank: bank, at: offset, bytes)
    }
    func erase(bank: Int, sectorAt offset: Int) throws(FlashFault) {
        if let fault = device.faults.erase, offset >= DualBank<STM32Driver>.programStart { throw fault.fault }
        try driver.erase(bank: bank, sectorAt: offset)
    }
    var runningBank: Int { driver.runningBank }
    var selectedBank: Int { driver.selectedBank }
    func select(bank: Int) throws(FlashFault) {
        device.noteSelection()
        switch device.faults.options {
        case .work: try driver.select(bank: bank)
        case .fail: throw ControllerFault.operation.fault
        case .forgotten: break
        }
    }
    func restart() { driver.restart() }
}
