public import ByteTools
import IOCOM
public import Installers
import Programs
import Synchronization

/// Takes a package for a Linux machine and hands it to the machine's installer, which checks it itself and does what needs
/// rights (application-layer.md 4.2 with the defects left out).
public final class LinuxInstaller: ProgramInstaller {
    private static let fileName = "incoming.deb"

    private let client: InstallerClient
    private let folder: String
    private let manifest: @Sendable () throws(StorageFailure) -> [UInt8]?
    private let file = Mutex<(file: File, size: Int)?>(nil)
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
        self.folder = folder
        self.manifest = manifest
    }

    /// Opens a file for the package.
    public func start() throws(InstallError) {
        cancel()
        do throws(StorageFailure) {
            let made = try File(folder + "/" + Self.fileName, .create)
            file.withLock { $0 = (made, 0) }
        } catch { throw Self.failure(error) }
    }

    /// Writes the next bytes.
    public func append(_ bytes: [UInt8]) throws(InstallError) {
        try file.withLock { open throws(InstallError) in
            guard let (file, size) = open else { throw InstallError(.failed, "no installation was started") }
            guard size + bytes.count <= DebianPackage.largestSize else {
                throw InstallError(.discFull, "the package is larger than \(DebianPackage.largestSize) bytes")
            }
            do throws(StorageFailure) { try file.write(at: size, bytes) } catch { throw Self.failure(error) }
            open = (file, size + bytes.count)
        }
    }

    /// Hands the package over and waits until it is refused, or the new program is about to be started.
    public func finish() throws(InstallError) -> InstalledProgram {
        defer { cancel() }
        guard let (file, size) = file.withLock({ $0 }) else {
            throw InstallError(.failed, "no installation was started")
        }
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
    public func cancel() {
        file.withLock { $0 = nil }
        try? Folder.remove(Self.fileName, in: folder)
    }

    private static func failure(_ failure: StorageFailure) -> InstallError {
        InstallError(failure.isFull ? .discFull : .writeFailed, failure.description)
    }
}
