import ByteTools
import DeviceStorage
import IODevice
import Installers
import LinuxUpdates
import Programs

extension CandySettings {
    /// Where the keys are that packages must be signed with.
    private var keys: PackageKeys {
        let machine = hardware == .linux ? [ApplicationSettings.standardKeys] : []
        return PackageKeys(named: packageKeys, usual: [folder.path + "/package-keys"] + machine)
    }

    /// The keys that packages must be signed with; none takes every package.
    func trustedKeys() throws(StorageFailure) -> [TrustedKey] { try keys.load() }

    /// What decides about packages on this device, which runs `version` of `application`.
    func signatureCheck(
        _ store: any PersistentStore, running application: String, _ version: String
    ) -> SignedInstaller.Device {
        SignedInstaller.Device(
            keys: keys, store: store,
            target: ProgramTarget(
                application: application, os: hardware.os, hardware: hardware.packageHardware,
                version: try? ProgramVersion(version)))
    }
}
