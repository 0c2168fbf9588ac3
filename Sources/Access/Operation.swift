/// What somebody may be allowed to do in an IO network of a server.
public enum Operation: String, Sendable, CaseIterable {
    /// See the devices, their signals and pictures.
    case see
    /// Set signals of devices (`imp`), but for commands that belong to another operation.
    case setSignals
    /// Read persistent blocks of devices.
    case readBlocks
    /// Write persistent blocks of devices, their network settings, and restart or reset them.
    case writeConfiguration
    /// Write programs (block 1 and its manifest), confirm them and go back to the one before.
    case writePrograms
    /// See and change accounts, let new devices in, read the history.
    case manageAccounts
    /// Everything that changes the server itself: its program, its blocks.
    case manageServer
    /// Bring the blocks of the one device that the account is for.
    case bringOwnDevice
    /// Bring the blocks of any device: another server.
    case bringAnyDevice

    /// What it is, for the sentence "… may not …".
    public var text: String {
        switch self {
        case .see: "see devices"
        case .setSignals: "set signals"
        case .readBlocks: "read blocks of devices"
        case .writeConfiguration: "change the configuration of devices"
        case .writePrograms: "write programs"
        case .manageAccounts: "manage accounts"
        case .manageServer: "change the server"
        case .bringOwnDevice: "be a device"
        case .bringAnyDevice: "be a server"
        }
    }
}
