import ByteTools
import DeviceStorage
import IOCOM
import Installers
import Programs
import TerminalUI

/// A module after its boot: what runs on it and what it stores to. Nothing in here outlives a restart.
struct BootedModule: Sendable {
    /// What only updatable hardware has.
    struct Updatable: Sendable {
        let flash: ESPFlash
        let boot: ESPBootLoader.Boot
        let installer: ESP32Installer
        /// What control streams install through.
        let gate: SignedInstaller
    }

    let store: any PersistentStore
    let updatable: Updatable?
    private let power: PowerSwitch?

    /// Version of the program that runs.
    var version: String { updatable?.boot.image.application.version ?? CandySettings.builtInVersion }
    /// How the program behaves.
    var behaviour: ProgramBehaviour { updatable?.boot.behaviour ?? ProgramBehaviour() }

    /// Switches the module on. Blocking; `log` hears of the provisioning and of what the boot loader noticed.
    static func boot(_ settings: CandySettings, log: EventLog) throws -> BootedModule {
        switch settings.hardware {
        case .linux:
            return BootedModule(
                store: try FilePersistentStore(folder: settings.folder.path), updatable: nil, power: nil)
        case .esp(let profile):
            let power = PowerSwitch(try NORFlash(file: settings.folder.flashImage, size: profile.flashSize))
            let flash = try openOrProvision(power, profile, settings, log)
            let boot = try ESPBootLoader(flash).boot()
            let application = boot.image.application
            log.note(
                "boot",
                "started \(application.project) \(application.version) in slot \(boot.slot)"
                    + ", state \(boot.state?.description ?? "none")",
                [
                    ("slot", .number(boot.slot)), ("version", .string(application.version)),
                    ("state", .string(boot.state?.description)), ("notes", .array(boot.notes.map { .string($0) })),
                ], notes: boot.notes)
            let store = try FlashPersistentStore(flash.blocks)
            let installer = ESP32Installer(flash, running: boot, application: application.project)
            return BootedModule(
                store: store,
                updatable: Updatable(
                    flash: flash, boot: boot, installer: installer,
                    gate: SignedInstaller(
                        installer,
                        for: settings.signatureCheck(store, running: application.project, application.version))),
                power: power)
        }
    }

    /// Ends everything that could still write.
    func switchOff() { power?.switchOff() }

    private static func openOrProvision(
        _ device: PowerSwitch, _ profile: HardwareProfile, _ settings: CandySettings, _ log: EventLog
    ) throws -> ESPFlash {
        do { return try ESPFlash(device, profile) } catch {
            // Provisioning writes the table last: without one nothing of value is there.
            guard error == .table(.empty) else { throw error }
        }
        let builder = ESPImageBuilder(
            chip: profile.chip, project: settings.name.description, version: CandySettings.builtInVersion)
        let flash = try ESPFlash.provision(
            device, profile, table: try profile.partitionTable(), program: settings.firstProgram ?? builder.build())
        let source = settings.firstProgram == nil ? "the built-in program" : "the program given"
        log.note("provisioned", "a new flash of \(device.size) bytes was made with \(source) in slot 0")
        return flash
    }

    /// Version and state of the program in the slot that does not run, as far as they can be read.
    var otherProgram: (version: String, state: OTAState)? {
        guard let updatable else { return nil }
        let other = 1 - updatable.boot.slot
        guard let image = try? updatable.flash.image(in: other),
            let data = try? OTAData(updatable.flash.otaData, slotCount: updatable.flash.slots.count),
            let entry = data.entry(for: other), data.entries[entry].standsFor(imageDigest: image.digest)
        else { return nil }
        return (image.application.version, data.entries[entry].state)
    }
}
