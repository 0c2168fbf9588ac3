import ByteTools
import DeviceStorage
import IOCOM
import Installers
import LinuxUpdates
import Programs
import TerminalUI
import WindowsUpdates

/// A module after its boot: what runs on it and what it stores to. Nothing in here outlives a restart.
struct BootedModule: Sendable {
    let store: any PersistentStore
    /// Nil when the program can't be replaced over the network.
    let updatable: (any UpdatableProgram)?
    /// Version of the program that runs.
    let version: String
    /// How the program behaves.
    let behaviour: ProgramBehaviour
    /// How long its self-test takes: in the emulation as on a board; a program of Linux has opened its data by now.
    let selfTestTime: Duration
    /// True for a program that the boot loader started on trial.
    let isOnTrial: Bool
    let power: (any ModulePower)?

    /// Switches the module on. Blocking; `log` hears of the provisioning and of what the boot loader noticed.
    static func boot(_ settings: CandySettings, log: EventLog) throws -> BootedModule {
        switch settings.hardware {
        case .linux:
            let store = try FilePersistentStore(folder: settings.folder.path)
            let client = InstallerClient(path: settings.installer)
            let check = settings.signatureCheck(store, running: settings.name.description, settings.linuxVersion)
            let program = LinuxProgram(client, folder: settings.folder.path, for: check)
            return BootedModule(
                store: store, updatable: client.isThere ? program : nil, version: settings.linuxVersion,
                behaviour: ProgramBehaviour(), selfTestTime: .zero, isOnTrial: false, power: nil)
        case .stm32(let profile): return try boot(profile, settings, log: log)
        case .teensy(let layout): return try boot(layout, settings, log: log)
        case .windows:
            let store = try FilePersistentStore(folder: settings.folder.path)
            guard let prefix = settings.winePrefix else { throw CandyError(.usage, "--wine-prefix is missing") }
            let machine = try WindowsMachine(
                application: settings.name.description, architecture: ModuleHardware.windowsArchitecture,
                folder: settings.folder.path + "/windows", tools: .wine(prefix: prefix))
            let start = machine.start()
            let check = settings.signatureCheck(store, running: settings.name.description, start.version)
            log.note(
                "boot", start.problem.map { "\(start.version) does not run: \($0)" } ?? "\(start.version) is installed",
                [("version", .string(start.version)), ("problem", .string(start.problem))])
            return BootedModule(
                store: store, updatable: WindowsProgram(machine, start, for: check), version: start.version,
                behaviour: ProgramBehaviour(selfTest: start.problem == nil ? .passes : .fails), selfTestTime: .zero,
                isOnTrial: start.isOnTrial, power: nil)
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
            let gate = SignedInstaller(
                installer, for: settings.signatureCheck(store, running: application.project, application.version))
            return BootedModule(
                store: store,
                updatable: ESPProgram(flash: flash, boot: boot, slots: installer, installer: gate, store: store),
                version: application.version, behaviour: boot.behaviour, selfTestTime: .milliseconds(300),
                isOnTrial: boot.needsProof, power: power)
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
}
