import DeviceDescription
import DeviceStorage
import FirmwareImages
import FirmwareStorage
import FlashControllerModels
import IOCOM
import Installers
import Programs

/// The program of a board with an STM32, in one of two banks or in the active area.
struct STM32Program<Board: STM32Board>: UpdatableProgram {
    let board: Board
    let boot: STM32Boot
    let slots: any ProvingInstaller
    let installer: any ProgramInstaller
    let store: any PersistentStore

    private var version: String { boot.program.version.description }

    var slotName: String { board.placeName(boot) }
    var capacity: Int { slots.capacity }

    func previousVersion() -> String? { slots.previous?.version.description }

    /// Number of the place that the program runs from, in the records of updates.
    private func slot(_ record: UpdateRecord?) -> Int {
        board.profile.part.bankCount == 1 ? UpdateRecord.onlySlot(record, boot.goneBack) : boot.bank
    }

    func findings() throws -> UpdateFindings {
        let record = try UpdateRecord(in: store)
        var other: (version: String, state: OTAState)?
        if let left = board.leftProgram() {
            other = (left.version.description, .invalid)
        } else if let previous = slots.previous {
            other = (previous.version.description, .valid)
        }
        return try StartFindings(
            record: record, slot: slot(record), version: version, needsProof: boot.isOnTrial, other: other,
            notes: boot.goneBack == .damaged ? ["slot \(1 - slot(record)) is passed over: it is damaged"] : []
        ).noted(after: record, in: store)
    }

    func trialLeft() -> Int64? { nil }

    /// The records of the boot check decide: one here that fails does not matter to the update.
    func noteTrial() throws {
        guard let to = board.newProgram()?.version.description else { return }
        try UpdateRecord(outcome: .trial, from: version, to: to, slot: 1 - slot(UpdateRecord(in: store))).save(
            in: store)
    }

    func confirm() throws -> Confirmation {
        try slots.confirm()
        return UpdateRecord.confirm(in: store)
    }

    func goBack(_ reason: String) throws {
        guard let previous = slots.previous else {
            throw InstallError(.failed, "there is no program before this one that was proved on this device")
        }
        try UpdateRecord.rollBack(
            from: version, to: previous.version.description, slot: slot, reason: reason, in: store
        ) { try slots.markInvalidAndRollBack(boot.isOnTrial ? .selfTest : .asked) }
    }
}
