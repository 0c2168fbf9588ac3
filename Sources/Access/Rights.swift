/// The rights that signals and persistent blocks of devices take, whoever looks at them.
public enum Rights {
    /// What setting a signal takes beyond the right to set signals; nil for most.
    public static func setting(_ signal: String) -> Operation? {
        switch signal {
        case "upd_confirm", "upd_rollback": .writePrograms
        case "reboot", "forget_it", "factory_rst", "cfg_back": .writeConfiguration
        case _ where signal.hasPrefix("set_nc_"): .writeConfiguration
        // A camera delivers to who asks for pictures (application-layer.md 6.2).
        case "rec_cmd": .see
        default: nil
        }
    }

    /// What writing a persistent block takes; nil when nobody may (application-layer.md 3.1, 3.3).
    public static func writing(block: Int) -> Operation? {
        switch block {
        // The program, and the manifest that goes before it.
        case 1, 13: .writePrograms
        case _ where isSecret(block): nil
        default: .writeConfiguration
        }
    }

    /// What reading one takes; nil when nobody may.
    public static func reading(block: Int) -> Operation? { isSecret(block) ? nil : .readBlocks }

    /// The secret of a node, the private keys of a server and of an authority.
    private static func isSecret(_ block: Int) -> Bool { block == 4 || block == 5 || block == 7 }
}
