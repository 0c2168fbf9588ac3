import DeviceStorage
import IODevice
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

    /// Writes the record; it is safe from loss of power when this returns.
    func save(in store: any PersistentStore) throws(PersistentStoreError) {
        let json: JSON = [
            "outcome": .string(outcome.rawValue), "from": .string(from), "to": .string(to),
            "slot": .integer(Int64(slot)), "reason": .string(reason),
        ]
        try store.write(PersistentBlock.updateRecord, Array(json.compactText.utf8))
    }
}
