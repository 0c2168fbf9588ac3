import ByteTools
import DeviceStorage
import IODevice
import Installers
import Programs

extension CandySettings {
    /// The keys that packages must be signed with; none takes every package.
    ///
    /// Read anew for each installation, so that keys can be rotated while the device runs. Keys that were asked for and are
    /// not there are an error: a device must not trust everybody because a file was lost.
    @Sendable func trustedKeys() throws(StorageFailure) -> [TrustedKey] {
        guard let packageKeys else { return try TrustedKey.load(folder.path + "/package-keys") }
        let keys = try TrustedKey.load(packageKeys)
        guard !keys.isEmpty else {
            throw StorageFailure("\(packageKeys) holds no key for packages (*.pub): no package is accepted")
        }
        return keys
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
