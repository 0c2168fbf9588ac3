public import IOCOM

/// Puts a program into a device. Called off the event loop, one call at a time.
///
/// `start`, then `append` for each piece, then `finish` when all bytes have come and their checksum was right, or `cancel`
/// for any other end (application-layer.md 4.1). A call that throws has ended the installation; nothing of it counts.
public protocol ProgramInstaller: AnyObject, Sendable {
    /// Gets ready; a leftover of an earlier installation is dropped. Changes nothing that a restart would see.
    func start() throws(InstallError)
    /// Takes the next bytes of the package.
    func append(_ bytes: [UInt8]) throws(InstallError)
    /// Verifies what was written and makes it the program of the next start.
    func finish() throws(InstallError) -> InstalledProgram
    /// Drops the installation; the device stays as it was. No error when there is none.
    func cancel()
}

/// A program that was installed.
public struct InstalledProgram: Sendable, Equatable {
    /// The application.
    public let application: String
    /// Its version as the package says.
    public let version: String
    /// Bytes of the package.
    public let size: Int
    /// SHA-256 of the package, or the one it carries.
    public let digest: [UInt8]
    /// True when the device has to restart to run it.
    public let needsRestart: Bool

    /// A program of its parts.
    public init(application: String, version: String, size: Int, digest: [UInt8], needsRestart: Bool) {
        self.application = application
        self.version = version
        self.size = size
        self.digest = digest
        self.needsRestart = needsRestart
    }
}

/// Why a program was not installed.
public struct InstallError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The number for the stream's status.
    public let status: StreamStatus
    /// The reason for people.
    public let description: String

    /// An error with its number and text.
    public init(_ status: StreamStatus, _ description: String) {
        self.status = status
        self.description = description
    }
}
