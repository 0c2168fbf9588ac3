import DeviceDescription
import DeviceStorage
import IOCOM
import Installers
import Programs

/// The program of a module with two slots in its flash.
struct ESPProgram: UpdatableProgram {
    let flash: ESPFlash
    let boot: ESPBootLoader.Boot
    let slots: ESP32Installer
    let installer: any ProgramInstaller
    let store: any PersistentStore

    private var version: String { boot.image.application.version }

    var slotName: String { "ota_\(boot.slot)" }
    var capacity: Int { flash.slots[slots.targetSlot].size }

    func previousVersion() -> String? { slots.previousVersion }

    func findings() throws -> UpdateFindings {
        let record = try UpdateRecord(in: store)
        return try StartFindings(
            record: record, slot: boot.slot, version: version, needsProof: boot.needsProof, other: other,
            notes: boot.notes
        ).noted(after: record, in: store)
    }

    /// Version and state of the program in the slot that does not run, as far as they can be read.
    private var other: (version: String, state: OTAState)? {
        let other = 1 - boot.slot
        guard let image = try? flash.image(in: other),
            let data = try? OTAData(flash.otaData, slotCount: flash.slots.count),
            let entry = data.entry(for: other), data.entries[entry].standsFor(imageDigest: image.digest)
        else { return nil }
        return (image.application.version, data.entries[entry].state)
    }

    func trialLeft() -> Int64? { nil }

    /// otadata decides: a record that fails does not matter to the update.
    func noteTrial() throws {
        let slot = slots.targetSlot
        let to = try flash.image(in: slot).application.version
        try UpdateRecord(outcome: .trial, from: version, to: to, slot: slot).save(in: store)
    }

    func confirm() throws -> Confirmation {
        try slots.confirm()
        return UpdateRecord.confirm(in: store)
    }

    /// The program it returns to was proved on this device before and runs as valid at once. The one given up is marked
    /// invalid: only a new installation brings it back.
    func goBack(_ reason: String) throws {
        guard let previous = try slots.previousImage() else {
            throw InstallError(.failed, "the other slot holds no program that was proved on this device")
        }
        try UpdateRecord.rollBack(
            from: version, to: previous.application.version, slot: { _ in boot.slot }, reason: reason, in: store
        ) { try slots.markInvalidAndRollBack() }
    }
}
