/// Numbers of persistent blocks (application-layer.md 3.1).
public enum PersistentBlock {
    /// Writing it installs a program.
    public static let program = 1
    /// Network configuration.
    public static let configuration = 2
    /// Compiled-in default configuration; read only.
    public static let defaults = 3
    /// The node's secret.
    public static let secret = 4
    /// Private key of a server.
    public static let serverKey = 5
    /// Private key of the own CA.
    public static let rootKey = 7
    /// Certificates a client trusts; writing it restarts the device.
    public static let clientChain = 9
    /// Wi-Fi and node settings.
    public static let nodeSettings = 11
    /// A server's table of automatic numbers.
    public static let automaticNumbers = 12
    /// Manifest of the program that follows (DESIGN.md section 5).
    public static let manifest = 13
    /// First application block.
    public static let custom = 14
    /// First accounts block; one for each published network.
    public static let accounts = 21

    /// History of a network, read from its accounts device (docs/protocol-extensions.md); read only.
    public static let history = 60

    /// Blocks that never leave a device and cannot be written from outside (3.3).
    public static func isSecret(_ block: Int) -> Bool { block == secret || block == serverKey || block == rootKey }

    /// Highest number that can be written from outside: beyond it a device keeps notes of its own.
    public static let lastPublic = 99
    /// Result of the latest program update, kept by the device for itself.
    public static let updateRecord = 200
    /// Course of a change of the configuration, kept by the device for itself.
    public static let configurationJournal = 201
    /// What was done for operators before the latest restart, kept by the device for itself.
    public static let notes = 202
    /// The trusted certificates before those that have not proved themselves yet, kept by the device for itself.
    public static let trustBefore = 203
}
