import FirmwareImages
import FirmwareStorage
import FlashControllerModels
import FlashControllers
import IOCOM
import Installers
import Programs
import Testing

/// Programs in the two banks of STM32F429 and STM32L476.
@Suite struct STM32DualBankTests {
    private func image(
        _ profile: STM32Profile, _ version: String, application: String = "candy", hardware: String? = nil,
        stackPointer: UInt32? = nil, size: Int = 3000, behaviour: ProgramBehaviour = ProgramBehaviour()
    ) throws -> [UInt8] {
        var builder = MicrocontrollerImageBuilder.cortexM(
            application: application, version: version, hardware: hardware ?? profile.name,
            loadAddress: profile.loadAddress, stackPointer: stackPointer ?? profile.part.ram.upperBound,
            data: (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7) })
        builder.record = behaviour.record
        return try builder.build()
    }

    private func board(_ profile: STM32Profile) throws -> STM32DualBankBoard {
        let first = try image(profile, "200101-0000")
        return STM32DualBankBoard(
            profile, STM32Model(STM32DualBankBoard.produced(profile, program: first), speed: .longest))
    }

    private func install(_ program: [UInt8], _ installer: any ProgramInstaller, piece: Int = 999) throws {
        try installer.start()
        var at = 0
        while at < program.count {
            try installer.append(Array(program[at..<min(program.count, at + piece)]))
            at += piece
        }
        _ = try installer.finish()
    }

    @Test(arguments: STM32Profile.dualBank)
    func `A program goes into the other bank, proves itself, and can be taken back`(profile: STM32Profile) throws {
        let board = try board(profile)
        let first = try board.start()
        #expect(first.bank == 0)
        #expect(!first.isOnTrial)
        #expect(first.program.version.description == "200101-0000")
        let new = try image(profile, "200102-0000", size: 150_000)
        try install(new, board.installer(application: "candy"))
        #expect(board.model.counts.optionWrites == 1)
        // As a program restarts its machine: an L4 loads its option bytes.
        board.banks.controller.restart()
        let started = try board.start(powerOn: false)
        #expect(started.bank == 1)
        #expect(started.isOnTrial)
        #expect(board.program(started) == new)
        let installer = try board.installer(application: "candy")
        #expect(throws: InstallError.self) { try installer.start() }
        try installer.confirm()
        #expect(installer.previous?.version.description == "200101-0000")
        #expect(try !board.start().isOnTrial)
        // The next one goes into the first bank, which appears behind the second now.
        let third = try image(profile, "200103-0000", size: 4000)
        try install(third, board.installer(application: "candy"), piece: 1)
        let again = try board.start()
        #expect(again.bank == 0)
        #expect(board.program(again) == third)
        #expect(board.model.counts.optionWrites == 2)
        #expect(again.notes == [])
        try board.installer(application: "candy").markInvalidAndRollBack(.asked)
        let back = try board.start()
        #expect(back.bank == 1)
        #expect(!back.isOnTrial)
        #expect(back.goneBack == .asked)
        #expect(board.program(back) == new)
        #expect(back.notes == ["the program before it was left: that was asked for"])
        // An update, another one, and the way back: nothing but these changed the option bytes.
        #expect(board.model.counts.optionWrites == 3)
        #expect(board.model.counts.busErrors == 0)
        #expect(board.model.counts.cachedChanges == 0)
        #expect(board.model.isLocked)
    }

    @Test(arguments: STM32Profile.dualBank)
    func `A program that gives no proof gets one start`(profile: STM32Profile) throws {
        let board = try board(profile)
        _ = try board.start()
        try install(
            try image(profile, "200102-0000", behaviour: ProgramBehaviour(crashesAtBoot: true)),
            board.installer(application: "candy"))
        #expect(try board.start().behaviour.crashesAtBoot)
        let back = try board.start(powerOn: false, cause: .watchdog)
        #expect(back.bank == 0)
        #expect(!back.isOnTrial)
        #expect(back.goneBack == .watchdog)
        #expect(back.notes == ["the program before it was left: it stopped answering the watchdog"])
        // There and back.
        #expect(board.model.counts.optionWrites == 2)
        #expect(back.program.version.description == "200101-0000")
        // And it takes another one.
        try install(try image(profile, "200103-0000"), board.installer(application: "candy"))
        #expect(try board.start().bank == 1)
    }

    @Test(arguments: STM32Profile.dualBank)
    func `What is not for this device is refused before anything is erased`(profile: STM32Profile) throws {
        let board = try board(profile)
        _ = try board.start()
        let other = profile == .f429 ? STM32Profile.l476 : .f429
        var damaged = try image(profile, "200102-0000")
        damaged[0x200 + 30] ^= 1
        let wrong: [([UInt8], String)] = [
            (try image(other, "200102-0000", stackPointer: 0x2000_1000), "hardware"),
            (try image(profile, "200102-0000", application: "gauge"), "application"),
            (try image(profile, "200102-0000", stackPointer: 0x3000_0000), "stack"),
            (damaged, "checksum"), ([UInt8](repeating: 0xE9, count: 4000), "descriptor"),
            (try image(profile, "200102-0000", size: profile.capacity), "bytes"),
        ]
        let before = board.model.contents
        for (program, word) in wrong {
            let installer = try board.installer(application: "candy")
            try installer.start()
            let error = #expect(throws: InstallError.self) { try installer.append(Array(program.prefix(700))) }
            #expect(error?.description.contains(word) == true, "\(error?.description ?? "")")
        }
        #expect(board.model.contents == before)
        #expect(board.model.counts.erases == 0)
    }

    @Test(arguments: STM32Profile.dualBank)
    func `A damaged package leaves the program as it is`(profile: STM32Profile) throws {
        let board = try board(profile)
        let boot = try board.start()
        var program = try image(profile, "200102-0000")
        program[2000] ^= 4
        #expect(throws: InstallError.self) { try install(program, board.installer(application: "candy")) }
        let installer = try board.installer(application: "candy")
        try installer.start()
        try installer.append(Array(try image(profile, "200102-0000").prefix(2500)))
        installer.cancel()
        let after = try board.start()
        #expect(after.digest == boot.digest)
        #expect(!after.isOnTrial)
        try install(try image(profile, "200102-0000"), board.installer(application: "candy"))
        #expect(try board.start().bank == 1)
    }
}
