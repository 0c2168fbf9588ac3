import DeviceStorage
import IOCOM
import Installers
import Programs
import TerminalUI

extension BootedModule {
    /// Switches a Teensy on. A new one gets the boot stage and a program first, as in production.
    static func boot(_ layout: TeensyLayout, _ settings: CandySettings, log: EventLog) throws -> BootedModule {
        let power = PowerSwitch(try NORFlash(file: settings.folder.flashImage, size: layout.flashSize))
        let flash = try openOrProvision(power, layout, settings, log)
        let boot = try TeensyBootStage(flash).boot()
        let state = boot.isOnTrial ? "on trial" : "proved"
        log.note(
            "boot", "started \(boot.image.application) \(boot.image.version), \(state)",
            [
                ("slot", .string(TeensyProgram.place)), ("version", .string(boot.image.version)),
                ("state", .string(state)), ("notes", .array(boot.notes.map { .string($0) })),
            ], notes: boot.notes)
        let store = try FlashPersistentStore(flash.blocks)
        let areas = try TeensyInstaller(flash, running: boot)
        let gate = SignedInstaller(
            areas, for: settings.signatureCheck(store, running: boot.image.application, boot.image.version))
        return BootedModule(
            store: store, updatable: TeensyProgram(boot: boot, areas: areas, installer: gate, store: store),
            version: boot.image.version, behaviour: boot.behaviour, selfTestTime: .milliseconds(300),
            isOnTrial: boot.isOnTrial, power: power)
    }

    private static func openOrProvision(
        _ device: PowerSwitch, _ layout: TeensyLayout, _ settings: CandySettings, _ log: EventLog
    ) throws -> TeensyFlash {
        do { return try TeensyFlash(device, layout) } catch {
            // Provisioning writes the boot stage last: without one nothing of value is there.
            guard error == .empty else { throw error }
        }
        let builder = TeensyImageBuilder(
            layout.board, application: settings.name.description, version: CandySettings.builtInVersion)
        let flash = try TeensyFlash.provision(
            device, layout, program: try settings.firstProgram ?? builder.build())
        let source = settings.firstProgram == nil ? "the built-in program" : "the program given"
        log.note("provisioned", "a new flash of \(device.size) bytes was made with \(source)")
        return flash
    }
}
