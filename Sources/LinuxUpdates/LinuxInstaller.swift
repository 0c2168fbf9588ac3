public import ByteTools
import IOCOM
public import Installers
import Programs
import Synchronization

/// Takes a package for a Linux machine and hands it to the machine's installer, which checks it itself and does what needs
/// rights (application-layer.md 4.2 with the defects left out).
public final class LinuxInstaller: ProgramInstaller {
    private let client: InstallerClient
    private let spool: PackageSpool
    private let manifest: @Sendable () throws(StorageFailure) -> [UInt8]?
    private let handedOver = Mutex(false)

    private let heard = Mutex("")

    /// The last lines of what the package manager said to the latest package.
    var said: String { heard.withLock { $0 } }
    /// The machine's installer is at work.
    var isAtWork: Bool { handedOver.withLock { $0 } }

    /// `folder` is the application's own; `manifest` gives the content of persistent block 13.
    public init(
        _ client: InstallerClient, folder: String,
        manifest: @escaping @Sendable () throws(StorageFailure) -> [UInt8]?
    ) {
        self.client = client
        spool = PackageSpool(path: folder + "/incoming.deb", limit: DebianPackage.largestSize)
        self.manifest = manifest
    }

    /// Opens a file for the package.
    public func start() throws(InstallError) { try spool.start() }

    /// Writes the next bytes.
    public func append(_ bytes: [UInt8]) throws(InstallError) { try spool.append(bytes) }

    /// Hands the package over and waits until it is refused, or the new program is about to be started.
    public func finish() throws(InstallError) -> InstalledProgram {
        defer { cancel() }
        let (file, size) = try spool.collected()
        let package: PackageInspection
        do throws(StorageFailure) {
            try file.sync()
            do { package = try PackageInspection(path: file.path) } catch { throw StorageFailure(error.description) }
        } catch { throw InstallError(.checksumMismatch, error.description) }
        let reply: InstallerReply
        handedOver.withLock { $0 = true }
        defer { handedOver.withLock { $0 = false } }
        do throws(StorageFailure) {
            heard.withLock { $0 = "" }
            reply = try client.install(file.path, manifest: try manifest()) { text in heard.withLock { $0 = text } }
        } catch { throw InstallError(.installerNotStarted, "the installer of this machine: \(error)") }
        switch reply {
        case .refused(let status, let reason): throw InstallError(StreamStatus(rawValue: status), reason)
        case .state(let state) where state.result == .failed:
            throw InstallError(.installationFailed, state.reason)
        case .list, .said: throw InstallError(.installerNotStarted, "the installer's answer is not understood")
        case .state, .restarting:
            return InstalledProgram(
                application: package.application, version: package.versionText, size: size, digest: package.sha256,
                needsRestart: true)
        }
    }

    /// Drops the package.
    public func cancel() { spool.cancel() }
}
