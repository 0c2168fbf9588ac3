public import IOCOM

/// A block that somebody wrote into a device, as the server saw it pass.
public struct TransferReport: Sendable, Equatable {
    /// How it ended.
    public enum Result: String, Sendable {
        /// The device stored it.
        case stored
        /// A program was installed; the device has no word for what comes after.
        case installed
        /// The new program runs and has proved itself.
        case confirmed
        /// The device went back to the program before.
        case rolledBack
        /// The device refused it, or the installation failed.
        case failed
        /// Who wrote it gave up or went away before the end.
        case cancelled
        /// The device did not say in time.
        case unknown

        /// For people.
        public var text: String { self == .rolledBack ? "rolled back" : rawValue }
    }

    /// The device.
    public var device: DevicePath
    /// Who wrote.
    public var visitor: Visitor
    /// Persistent block.
    public var block: Int
    /// Bytes that passed.
    public var bytes: UInt64
    /// SHA-256 of a program, hexadecimal; empty for other blocks.
    public var hash: String
    /// Name of the package as its manifest tells; empty without one.
    public var package: String
    /// Version that runs after a program was written; empty when the device does not say.
    public var version: String
    /// How it ended.
    public var result: Result
    /// From the first byte to the result.
    public var seconds: Double
    /// Words of the device.
    public var text: String
}
