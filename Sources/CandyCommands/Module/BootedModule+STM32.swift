import ByteTools
import DeviceStorage
import FirmwareImages
import FirmwareStorage
import FlashControllerModels
import IOCOM
import Installers
import Programs
import TerminalUI

extension STM32Model: ModulePower {}

extension BootedModule {
    /// Switches a board with an STM32 on. A new one gets the boot check and a program first, as in production.
    static func boot(_ profile: STM32Profile, _ settings: CandySettings, log: EventLog) throws -> BootedModule {
        if profile == .f405 { return try boot(STM32FiveAreaBoard.self, profile, settings, log: log) }
        return try boot(STM32DualBankBoard.self, profile, settings, log: log)
    }

    private static func boot<Board: STM32Board>(
        _ kind: Board.Type, _ profile: STM32Profile, _ settings: CandySettings, log: EventLog
    ) throws -> BootedModule {
        let model = try STM32Model(file: settings.folder.flashImage, part: profile.part)
        do { return try boot(Board(profile, model), settings, log: log) } catch {
            model.switchOff()
            throw error
        }
    }

    private static func boot<Board: STM32Board>(
        _ board: Board, _ settings: CandySettings, log: EventLog
    ) throws -> BootedModule {
        let profile = board.profile
        let check = profile.bootCheck
        if board.model.contents.bytes(at: 0, count: check.count) != check {
            let builder = MicrocontrollerImageBuilder.cortexM(
                application: settings.name.description, version: CandySettings.builtInVersion, os: profile.os,
                hardware: profile.name, loadAddress: profile.loadAddress, stackPointer: profile.part.ram.upperBound)
            let program = try settings.firstProgram ?? builder.build()
            try board.model.program(Board.produced(profile, program: program))
            let source = settings.firstProgram == nil ? "the built-in program" : "the program given"
            log.note("provisioned", "a new flash of \(profile.part.flashSize) bytes was made with \(source)")
        }
        let boot = try board.start(powerOn: true, cause: .noProof)
        let application = boot.program.application.description
        let version = boot.program.version.description
        let place = board.placeName(boot)
        let state = boot.isOnTrial ? "on trial" : "proved"
        log.note(
            "boot", "started \(application) \(version) in \(place), \(state)",
            [
                ("slot", .string(place)), ("version", .string(version)), ("state", .string(state)),
                ("notes", .array(boot.notes.map { .string($0) })),
            ], notes: boot.notes)
        let store = try board.openBlocks()
        let slots = try board.provingInstaller(application: application)
        let gate = SignedInstaller(slots, for: settings.signatureCheck(store, running: application, version))
        return BootedModule(
            store: store,
            updatable: STM32Program(board: board, boot: boot, slots: slots, installer: gate, store: store),
            version: version, behaviour: boot.behaviour, selfTestTime: .milliseconds(300), isOnTrial: boot.isOnTrial,
            power: board.model)
    }
}
