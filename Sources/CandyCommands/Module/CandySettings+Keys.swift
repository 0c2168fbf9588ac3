import ByteTools
import DeviceStorage
import IODevice
import Installers
import LinuxUpdates
import Programs

extension CandySettings {
    /// The keys that packages must be signed with; none takes every package.
    @Sendable func trustedKeys() throws(StorageFailure) -> [TrustedKey] {
        let machine = hardware == .linux ? [ApplicationSettings.standardKeys] : []
        return try PackageKeys(named: packageKeys, usual: [folder.path + "/package-keys"] + machine).load()
    }

    /// What decides about packages on this device, which runs `version` of `application`.
    func signatureCheck(
        _ store: any PersistentStore, running application: String, _ version: String
    ) -> SignedInstaller.Device {
        let settings = self
        return SignedInstaller.Device(
            keys: settings.trustedKeys,
            manifest: { () throws(StorageFailure) in
                do { return try store.read(PersistentBlock.manifest) } catch { throw StorageFailure("\(error)") }
            },
            target: ProgramTarget(
                application: application, os: hardware.os, hardware: hardware.packageHardware,
                version: try? ProgramVersion(version)))
    }
}
