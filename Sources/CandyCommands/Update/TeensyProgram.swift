import DeviceDescription
import DeviceStorage
import FirmwareStorage
import IOCOM
import Installers
import Programs

/// The program of a Teensy, which runs at one place and is copied there by the boot stage.
struct TeensyProgram: UpdatableProgram {
    /// Name of the only place.
    static let place = "program"

    let boot: TeensyBootStage.Boot
    let areas: TeensyInstaller
    let installer: any ProgramInstaller
    let store: any PersistentStore

    private var version: String { boot.image.version }

    var slotName: String { Self.place }
    var capacity: Int { areas.textCapacity }

    func previousVersion() -> String? { areas.previousImage?.version }

    private func slot(_ record: UpdateRecord?) -> Int { UpdateRecord.onlySlot(record, boot.goneBack) }

    func findings() throws -> UpdateFindings {
        let record = try UpdateRecord(in: store)
        var other: (version: String, state: OTAState)?
        if boot.goneBack != .no {
            other = areas.downloadedImage.map { ($0.version, .invalid) }
        } else if let previous = areas.previousImage {
            other = (previous.version, .valid)
        }
        return try StartFindings(
            record: record, slot: slot(record), version: version, needsProof: boot.isOnTrial, other: other,
            notes: boot.goneBack == .damaged ? ["slot \(1 - slot(record)) is passed over: it is damaged"] : []
        ).noted(after: record, in: store)
    }

    func trialLeft() -> Int64? { nil }

    /// The records of the boot stage decide: one here that fails does not matter to the update.
    func noteTrial() throws {
        guard let to = areas.downloadedImage?.version else { return }
        try UpdateRecord(outcome: .trial, from: version, to: to, slot: 1 - slot(UpdateRecord(in: store))).save(
            in: store)
    }

    func confirm() throws -> Confirmation {
        try areas.confirm()
        return UpdateRecord.confirm(in: store)
    }

    func goBack(_ reason: String) throws {
        guard let previous = areas.previousImage else {
            throw InstallError(.failed, "there is no program before this one that was proved on this device")
        }
        try UpdateRecord.rollBack(from: version, to: previous.version, slot: slot, reason: reason, in: store) {
            try areas.giveUp(!boot.isOnTrial)
        }
    }
}
