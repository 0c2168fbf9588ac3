import Access
import IODevice

/// What the persistent blocks of a device need.
enum PersistentAccess {
    /// What writing a persistent block of a device needs; nil when nobody may (application-layer.md 3.3).
    static func write(_ block: Int) -> Operation? {
        switch block {
        case PersistentBlock.program, PersistentBlock.manifest: .writePrograms
        case _ where PersistentBlock.isSecret(block): nil
        default: .writeConfiguration
        }
    }

    /// What reading one needs.
    static func read(_ block: Int) -> Operation? { PersistentBlock.isSecret(block) ? nil : .readBlocks }
}
