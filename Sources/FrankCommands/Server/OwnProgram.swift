import DeviceStorage
import IODevice
import IOServer
import Installers
import LinuxUpdates
import Programs

/// frank as a program that can be replaced over the network: where there is an installer, and frank came in a package.
struct OwnProgram: Sendable {
    private static let application = "frank"

    let folder: String
    let keys: PackageKeys
    let installer: InstallerClient

    /// Nil when it can't be replaced.
    func make(_ store: any PersistentStore) -> ServerProgram? {
        guard installer.isThere, let version = InstalledVersion.of(Self.application) else { return nil }
        let target = ProgramTarget(
            application: Self.application, os: "linux", hardware: DebianArchitecture.own,
            version: try? ProgramVersion(version))
        let check = SignedInstaller.Device(keys: keys, store: store, target: target)
        return ServerProgram(
            LinuxProgram(installer, folder: folder, for: check), version: version,
            keyCount: { [keys] in try keys.load().count })
    }
}
