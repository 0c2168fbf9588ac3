import IOCOM

/// Which persistent blocks may be read and written from outside (application-layer.md 3.1 and 3.3).
enum BlockRules {
    static var program: Int { 1 }
    static var defaults: Int { 3 }
    static var manifest: Int { 13 }
    static var lastPublic: Int { 99 }
    static var packageKeys: UInt8 { FactoryBlock.packageKeys }

    static func isSecret(_ block: Int) -> Bool { block == 4 || block == 5 || block == 7 }

    static func mayBeWritten(_ block: Int) -> Bool {
        block > 0 && block <= lastPublic && block != defaults && !isSecret(block)
    }

    static func mayBeRead(_ block: Int) -> Bool {
        block > 0 && block <= lastPublic && block != program && !isSecret(block)
    }
}

/// Persistent blocks that only the factory writes, straight into the flash: no operator can.
public enum FactoryBlock {
    /// Keys that packages have to be signed with: at most four, 8 bytes of number and 32 of Ed25519 key each.
    public static var packageKeys: UInt8 { 210 }
}
