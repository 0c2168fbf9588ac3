import DeviceStorage
import IOCOM
import Installers
import Programs
import Testing
import UpdateTesting

@Suite struct ESP32InstallerTests {
    @Test(arguments: HardwareProfile.all)
    func `A program is written, started, confirmed, and can be rolled back`(profile: HardwareProfile) throws {
        let module = try Module(profile)
        var (boot, installer) = try module.start()
        #expect(boot.slot == 0 && boot.image.application.version == "1" && !boot.needsProof)
        #expect(installer.previousVersion == nil)
        #expect(throws: InstallError.self) { try installer.markInvalidAndRollBack() }

        let second = Module.program("2", chip: profile.chip, size: 300_000)
        let installed = try Module.install(second, with: installer)
        #expect(installed.version == "2" && installed.application == "candy" && installed.needsRestart)
        #expect(installed.size == second.count && installed.digest == Array(second.suffix(32)))
        (boot, installer) = try module.start()
        #expect(boot.slot == 1 && boot.image.application.version == "2")
        #expect(boot.state == .pendingVerify && boot.needsProof)
        #expect(installer.previousVersion == "1")
        try installer.confirm()
        (boot, installer) = try module.start()
        #expect(boot.slot == 1 && boot.state == .valid)
        #expect(try installer.readImage(slot: 1) == second)

        try installer.markInvalidAndRollBack()
        (boot, installer) = try module.start()
        #expect(boot.slot == 0 && boot.state == .valid)
        // The program that was given up is no way back.
        #expect(installer.previousVersion == nil)
        try Module.install(Module.program("3", chip: profile.chip), with: installer)
        (boot, installer) = try module.start()
        #expect(boot.slot == 1 && boot.image.application.version == "3")
        try installer.confirm()
        #expect(try FlashPersistentStore(module.flash.blocks).read(14)?.count == 100_000)
    }

    @Test func `Pieces of any size give the same slot`() throws {
        let program = Module.program("2")
        for piece in [1, 7, 4095, 4096, 4097, program.count] {
            let module = try Module()
            let installer = try module.start().installer
            try Module.install(program, with: installer, piece: piece)
            #expect(try installer.readImage(slot: 1) == program)
        }
    }

    @Test func `A program that restarts before it confirms is given up`() throws {
        let module = try Module()
        var (boot, installer) = try module.start()
        try Module.install(Module.program("2"), with: installer)
        (boot, installer) = try module.start()
        #expect(boot.slot == 1)
        (boot, installer) = try module.start()
        #expect(boot.slot == 0 && !boot.needsProof)
        #expect(boot.notes.count == 1)
        #expect(installer.previousVersion == nil)
    }

    @Test func `No program is taken while the running one has not proved itself`() throws {
        let module = try Module()
        try Module.install(Module.program("2"), with: module.start().installer)
        let installer = try module.start().installer
        let error = #expect(throws: InstallError.self) { try installer.start() }
        #expect(error?.status == .failed)
        try installer.confirm()
        try installer.start()
    }

    @Test func `Behaviour comes from the record after the descriptor`() throws {
        let module = try Module()
        let bad = ProgramBehaviour(selfTest: .neverEnds, neverConnects: true, crashesAtBoot: false)
        try Module.install(Module.program("2", behaviour: bad), with: module.start().installer)
        #expect(try module.start().boot.behaviour == bad)
        #expect(ProgramBehaviour(record: []) == ProgramBehaviour())
        #expect(ProgramBehaviour(record: Array("CNDY".utf8) + [2, 1, 1, 1]) == ProgramBehaviour())
        #expect(ProgramBehaviour(record: Array("CNDY".utf8) + [1, 1, 0, 1]).crashesAtBoot)
    }

    @Test func `A damaged program is passed over at the start`() throws {
        let module = try Module()
        try Module.install(Module.program("2"), with: module.start().installer)
        try module.start().installer.confirm()
        try module.flash.slots[1].write(at: 5000, [0, 0, 0, 0, 0, 0, 0, 0])
        let (boot, installer) = try module.start()
        #expect(boot.slot == 0 && boot.image.application.version == "1")
        // It can be replaced, and then it boots although otadata named the slot before.
        try Module.install(Module.program("3"), with: installer)
        #expect(try module.start().boot.image.application.version == "3")
    }

    @Test func `A device whose otadata was lost boots, heals and takes an update`() throws {
        let module = try Module()
        try Module.install(Module.program("2"), with: module.start().installer)
        try module.start().installer.confirm()
        for garbage: UInt8 in [0xFF, 0x00, 0x5A] {
            for sector in [0, 4096] {
                try module.flash.otaData.eraseSector(at: sector)
                try module.flash.otaData.write(at: sector, [UInt8](repeating: garbage, count: 32))
            }
            var (boot, installer) = try module.start()
            #expect(boot.slot == 0)
            if boot.needsProof { try installer.confirm() }
            (boot, installer) = try module.start()
            #expect(!boot.needsProof)
            try Module.install(Module.program("4"), with: installer)
            (boot, installer) = try module.start()
            #expect(boot.slot == 1 && boot.image.application.version == "4")
            try installer.confirm()
        }
    }

    @Test func `An image that was never selected is no way back`() throws {
        let module = try Module()
        try Module.install(Module.program("2"), with: module.start().installer)
        var installer = try module.start().installer
        try installer.confirm()
        #expect(installer.previousVersion == "1")
        // The power goes after the last byte of another program, before it is selected.
        try Module.feed(Module.program("3", size: 20_480 - 8), to: installer)
        try module.flash.slots[0].eraseSector(at: 0)
        for place in stride(from: 0, to: 24_576, by: 4096) { try module.flash.slots[0].eraseSector(at: place) }
        try module.flash.slots[0].write(at: 0, Module.program("3"))
        installer = try module.start().installer
        #expect(try installer.readImage(slot: 0) == Module.program("3"))
        #expect(installer.previousVersion == nil)
        #expect(throws: InstallError.self) { try installer.markInvalidAndRollBack() }
    }

    @Test func `A flash that was not provisioned is refused`() throws {
        let chip = try NORFlash(size: 4 << 20)
        #expect(throws: ESPFlashError.table(.empty)) { try ESPFlash(chip, .esp32) }
        let program = Module.program("1", chip: .esp32c3)
        #expect(throws: ESPFlashError.self) {
            try ESPFlash.provision(chip, .esp32, table: .standard4MB(), program: program)
        }
        #expect(throws: ESPFlashError.size(found: 1 << 20, expected: 4 << 20)) {
            try ESPFlash.provision(NORFlash(size: 1 << 20), .esp32, table: .standard4MB(), program: program)
        }
    }

    @Test func `Nothing is written any more once another slot was chosen`() throws {
        let module = try Module()
        let installer = try module.start().installer
        try Module.install(Module.program("2"), with: installer)
        // An upload that begins before the restart could put other bytes in the place of what was verified.
        let error = #expect(throws: InstallError.self) { try installer.start() }
        #expect(error?.description.contains("about to restart") == true)
        #expect(throws: InstallError.self) { try installer.append(Array(Module.program("3").prefix(8192))) }
        #expect(throws: InstallError.self) { try installer.markInvalidAndRollBack() }
        #expect(try module.start().boot.image.application.version == "2")
    }

    @Test func `Going back and an installation exclude each other`() throws {
        let module = try Module()
        try Module.install(Module.program("2"), with: module.start().installer)
        let installer = try module.start().installer
        try installer.confirm()
        try installer.start()
        #expect(throws: InstallError.self) { try installer.markInvalidAndRollBack() }
        installer.cancel()
        try installer.markInvalidAndRollBack()
        #expect(throws: InstallError.self) { try installer.start() }
        #expect(try module.start().boot.image.application.version == "1")
    }
}
