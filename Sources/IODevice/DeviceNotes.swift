public import DeviceStorage
import PackedJSON

/// What a device has to know of its operators' wishes after a restart. Persistent block 202.
///
/// A controller may keep a command's value and send it again when the device is back: what was done before the restart must not
/// be done for it again.
public struct DeviceNotes: Equatable, Sendable {
    /// Values that a device is about to lose.
    public enum Wipe: String, Sendable {
        /// Secret and trusted certificates: the device is a new one for its server.
        case forget
        /// Everything but the program, what became of its updates, and these notes.
        case factory
    }

    /// Commands that led to the latest restart.
    public var commands: Set<String> = []
    /// Fingerprints of settings that were taken from signals before it, by signal.
    public var settings: [String: String] = [:]
    /// What was to be wiped; done again at the start, in case the power went.
    public var wipe: Wipe?

    /// Notes of nothing.
    public init() {}

    /// Reads the notes of a device; what makes no sense counts as none.
    public init(in store: any PersistentStore) throws(PersistentStoreError) {
        let bytes: [UInt8]?
        do { bytes = try store.read(PersistentBlock.notes) } catch {
            guard case .damaged = error else { throw error }
            return
        }
        guard let bytes, let json = try? JSON(parsing: bytes) else { return }
        commands = Set(json["commands"]?.elements?.compactMap(\.text) ?? [])
        for member in json["settings"]?.members ?? [] { settings[member.name] = member.value.text }
        wipe = json["wipe"]?.text.flatMap(Wipe.init)
    }

    /// Writes the notes; they are safe from loss of power when this returns.
    public func save(in store: any PersistentStore) throws(PersistentStoreError) {
        let json: JSON = [
            "commands": .array(commands.sorted().map { .string($0) }),
            "settings": .object(settings.sorted { $0.key < $1.key }.map { JSON.Member($0.key, .string($0.value)) }),
            "wipe": wipe.map { .string($0.rawValue) } ?? .null,
        ]
        try store.write(PersistentBlock.notes, Array(json.compactText.utf8))
    }

    /// Does what was to be wiped, and notes that it is done. Again after a cut at any moment.
    public mutating func finishWipe(in store: any PersistentStore) throws(PersistentStoreError) {
        guard let wipe else { return }
        switch wipe {
        case .forget:
            try store.remove(PersistentBlock.trustBefore)
            try store.remove(PersistentBlock.clientChain)
            try store.remove(PersistentBlock.secret)
        case .factory:
            for block in try store.blocks() where Self.isLost(block) { try store.remove(block) }
        }
        self.wipe = nil
        try save(in: store)
    }

    /// Blocks that a factory reset removes. The program and what became of its updates stay.
    private static func isLost(_ block: Int) -> Bool {
        switch block {
        case PersistentBlock.program, PersistentBlock.manifest, PersistentBlock.updateRecord, PersistentBlock.notes:
            false
        default: true
        }
    }
}
