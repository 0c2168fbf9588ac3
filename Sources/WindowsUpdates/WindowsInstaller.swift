import ByteTools
import IOCOM
public import Installers
public import Programs
import Synchronization

/// Collects a Windows Installer package in a file, checks it and installs it.
public final class WindowsInstaller: ProgramInstaller {
    private let machine: WindowsMachine
    private let spool: PackageSpool
    private let working = Mutex(false)

    /// Windows Installer is at work.
    var isAtWork: Bool { working.withLock { $0 } }

    /// Installs packages of up to `limit` bytes on a Windows.
    public init(_ machine: WindowsMachine, limit: Int = WindowsPackage.largestSize) {
        self.machine = machine
        spool = PackageSpool(path: machine.spool, limit: limit)
    }

    /// Opens a file for the package.
    public func start() throws(InstallError) {
        cancel()
        try machine.requireFree()
        try spool.start()
    }

    /// Writes the next bytes.
    public func append(_ bytes: [UInt8]) throws(InstallError) { try spool.append(bytes) }

    /// Checks what came, and waits until it is installed.
    public func finish() throws(InstallError) -> InstalledProgram {
        defer { cancel() }
        let (file, _) = try spool.collected()
        let inspection: PackageInspection
        do throws(StorageFailure) { try file.sync() } catch { throw InstallError(storing: error) }
        do { inspection = try PackageInspection(path: file.path) } catch {
            throw InstallError(.checksumMismatch, error.description)
        }
        working.withLock { $0 = true }
        defer { working.withLock { $0 = false } }
        return try machine.install(inspection)
    }

    /// Drops the package.
    public func cancel() { spool.cancel() }
}
