import DeviceStorage
import FirmwareStorage
import IODevice
import Installers
import PackedJSON

/// What became of the latest program update, kept in persistent block 200 across restarts.
struct UpdateRecord: Equatable {
    enum Outcome: String { case trial, confirmed, rolledBack }

    /// Where the update stands.
    var outcome: Outcome
    /// Version before.
    var from: String
    /// Version that was installed.
    var to: String
    /// Slot it was installed in.
    var slot: Int
    /// Why it was rolled back.
    var reason = ""

    /// The text for `upd_error`; empty as long as nothing went wrong.
    var error: String {
        outcome == .rolledBack ? "\(to) was rolled back to \(from): \(reason)" : ""
    }
}

extension UpdateRecord {
    /// Reads the record of a device; nil when there is none or it is not one.
    init?(in store: any PersistentStore) throws(PersistentStoreError) {
        guard let bytes = try store.read(PersistentBlock.updateRecord) else { return nil }
        guard let json = try? JSON(parsing: bytes), let outcome = json["outcome"]?.text.flatMap(Outcome.init),
            let from = json["from"]?.text, let to = json["to"]?.text, let slot = json["slot"]?.int,
            let slot = Int(exactly: slot)
        else { return nil }
        self.init(outcome: outcome, from: from, to: to, slot: slot, reason: json["reason"]?.text ?? "")
    }

    /// Writes down that the program proved itself, which it is already where that counts: a record that fails is a note.
    static func confirm(in store: any PersistentStore) -> Confirmation {
        do {
            guard var record = try UpdateRecord(in: store) else { return .confirmed(note: nil) }
            record.outcome = .confirmed
            try record.save(in: store)
            return .confirmed(note: nil)
        } catch { return .confirmed(note: "the update could not be written down: \(error)") }
    }

    /// Goes back with `goBack`; the reason is written down first, and what stood there comes back when it fails. `slot` says
    /// where the program runs that is given up.
    static func rollBack(
        from version: String, to previous: String, slot: (UpdateRecord?) -> Int, reason: String,
        in store: any PersistentStore, _ goBack: () throws -> Void
    ) throws {
        let before = try? UpdateRecord(in: store)
        try? UpdateRecord(outcome: .rolledBack, from: previous, to: version, slot: slot(before), reason: reason).save(
            in: store)
        do { try goBack() } catch {
            try? before?.save(in: store)
            throw error
        }
    }

    /// Number of the place that the program runs from where there is one only: a new program counts as another place until
    /// it is taken back.
    static func onlySlot(_ record: UpdateRecord?, _ goneBack: GoneBack) -> Int {
        guard let record else { return 0 }
        return goneBack == .no ? record.slot : 1 - record.slot
    }

    /// Writes the record; it is safe from loss of power when this returns.
    func save(in store: any PersistentStore) throws(PersistentStoreError) {
        let json: JSON = [
            "outcome": .string(outcome.rawValue), "from": .string(from), "to": .string(to),
            "slot": .integer(Int64(slot)), "reason": .string(reason),
        ]
        try store.write(PersistentBlock.updateRecord, Array(json.compactText.utf8))
    }
}
