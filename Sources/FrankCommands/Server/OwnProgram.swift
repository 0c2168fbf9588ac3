import ByteTools
import DeviceStorage
import IODevice
import IOServer
import Installers
import LinuxUpdates
import Programs

/// frank as a program that can be replaced over the network: where there is an installer, and frank came in a package.
struct OwnProgram: Sendable {
    private static let application = "frank"
    #if arch(x86_64)
    private static let architecture = "amd64"
    #else
    private static let architecture = "arm64"
    #endif

    let folder: String
    let keys: PackageKeys
    let installer: InstallerClient

    /// Nil when it can't be replaced.
    func make(_ store: any PersistentStore) -> ServerProgram? {
        guard installer.isThere, let version = LinuxProgram.installedVersion(of: Self.application) else { return nil }
        let keys = keys
        let manifest: @Sendable () throws(StorageFailure) -> [UInt8]? = { () throws(StorageFailure) in
            do { return try store.read(PersistentBlock.manifest) } catch { throw StorageFailure("\(error)") }
        }
        let check = SignedInstaller.Device(
            keys: { () throws(StorageFailure) in try keys.load() }, manifest: manifest,
            target: ProgramTarget(
                application: Self.application, os: "linux", hardware: Self.architecture,
                version: try? ProgramVersion(version)))
        let program = LinuxProgram(installer, folder: folder, for: check)
        return ServerProgram(program, version: version, keyCount: { try keys.load().count })
    }
}
