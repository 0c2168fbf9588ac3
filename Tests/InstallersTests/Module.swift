import DeviceStorage
import Installers
import Programs
import Synchronization
import Testing
import UpdateTesting

/// Notes which places of a flash were touched.
final class Touched: Sendable {
    private let operations = Mutex<[FlashOperation]>([])

    func note(_ operation: FlashOperation) { operations.withLock { $0.append(operation) } }

    /// What was touched since the last call.
    func take() -> [FlashOperation] {
        operations.withLock { operations in
            defer { operations = [] }
            return operations
        }
    }
}

/// A device of 4 MB in memory with a first program and some persistent values.
struct Module {
    let chip: NORFlash
    let observed: ObservedFlash
    let touched = Touched()
    let flash: ESPFlash
    let profile: HardwareProfile

    static func program(
        _ version: String, chip: ESPChip = .esp32, project: String = "candy", size: Int = 20_000,
        behaviour: ProgramBehaviour? = nil
    ) -> [UInt8] {
        var builder = ESPImageBuilder(chip: chip, project: project, version: version)
        var random = SeededGenerator(seed: UInt64(size))
        builder.data = random.bytes(size)
        builder.code = random.bytes(700)
        if let behaviour { builder.record = behaviour.record }
        return builder.build()
    }

    init(_ profile: HardwareProfile = .esp32) throws {
        self.profile = profile
        chip = try NORFlash(size: profile.flashSize)
        observed = ObservedFlash(chip)
        flash = try ESPFlash.provision(
            observed, profile, table: profile.partitionTable(), program: Self.program("1", chip: profile.chip))
        let store = try FlashPersistentStore(flash.blocks)
        try store.write(2, Array("configuration".utf8))
        try store.write(14, [UInt8](repeating: 7, count: 100_000))
        observed.observe { [touched] operation, _ in touched.note(operation) }
    }

    /// Power on: the boot loader runs, then there is an installer.
    func start() throws -> (boot: ESPBootLoader.Boot, installer: ESP32Installer) {
        let flash = try ESPFlash(observed, profile)
        let boot = try ESPBootLoader(flash).boot()
        return (boot, ESP32Installer(flash, running: boot, application: "candy"))
    }

    /// Flash operations since the last call that were not on the slot.
    func touchedOutside(of slot: Int) -> [FlashOperation] {
        let place = flash.slots[slot].offset..<flash.slots[slot].offset + flash.slots[slot].size
        return touched.take().filter { !place.contains($0.offset) }
    }

    /// Feeds a program in pieces of odd size.
    static func feed(_ program: [UInt8], to installer: ESP32Installer, piece: Int = 997) throws(InstallError) {
        try installer.start()
        var offset = 0
        while offset < program.count {
            try installer.append(Array(program[offset..<min(program.count, offset + piece)]))
            offset += piece
        }
    }

    @discardableResult
    static func install(
        _ program: [UInt8], with installer: ESP32Installer, piece: Int = 997
    ) throws(InstallError) -> InstalledProgram {
        try feed(program, to: installer, piece: piece)
        return try installer.finish()
    }
}
