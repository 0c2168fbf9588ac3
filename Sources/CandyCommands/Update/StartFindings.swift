import DeviceDescription
import DeviceStorage
import Installers

/// What a start finds out about the update before it: record and otadata together. A pure function of both.
///
/// The record may lag behind otadata by one step, because the power can go between two writes; otadata decides.
struct StartFindings: Equatable {
    /// What the record should say now; nil when there never was an update.
    var record: UpdateRecord?
    /// What the device shows.
    var phase: UpdatePhase

    /// `other` is the program in the slot that does not run: its version and its state in otadata, as far as they can be
    /// read. `notes` are those of the boot loader.
    init(
        record: UpdateRecord?, slot: Int, version: String, needsProof: Bool, other: (version: String, state: OTAState)?,
        notes: [String]
    ) {
        self.record = record
        if needsProof {
            phase = .proving
            let isKnown = record?.outcome == .trial && record?.slot == slot && record?.to == version
            if !isKnown {
                self.record = UpdateRecord(
                    outcome: .trial, from: other?.version ?? "", to: version, slot: slot)
            }
            return
        }
        phase = .idle
        if let record, record.slot == slot {
            // Confirmed in otadata, then the power went before the record said so.
            if record.outcome == .trial, record.to == version { self.record?.outcome = .confirmed }
            if self.record?.outcome == .confirmed { phase = .confirmed }
            return
        }
        if record?.outcome == .rolledBack {
            phase = .rolledBack
            return
        }
        let wasGivenUp = other?.state == .aborted || other?.state == .invalid
        guard record?.outcome == .trial || wasGivenUp else { return }
        // Seen only when the program that was on trial could not write down why.
        var found = record ?? UpdateRecord(outcome: .trial, from: version, to: other?.version ?? "?", slot: 1 - slot)
        if let other, record?.outcome != .trial { found.to = other.version }
        found.outcome = .rolledBack
        found.from = version
        let passedOver = notes.first { $0.hasPrefix("slot \(found.slot) is passed over") }
        found.reason = passedOver ?? "the new program \(found.to) did not confirm itself before the device restarted"
        self.record = found
        phase = .rolledBack
    }

    /// Writes down what `record`, the one that was read, does not say yet; gives what the device shows.
    func noted(after record: UpdateRecord?, in store: any PersistentStore) throws -> UpdateFindings {
        if let new = self.record, new != record { try new.save(in: store) }
        return UpdateFindings(phase, error: self.record?.error ?? "")
    }
}
