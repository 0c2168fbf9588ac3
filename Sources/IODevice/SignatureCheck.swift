public import DeviceStorage
public import Installers
public import Programs

import ByteTools

extension SignedInstaller.Device {
    /// A device that keeps the manifest in its persistent blocks and finds its keys at `keys`, anew for each installation.
    public init(keys: PackageKeys, store: any PersistentStore, target: ProgramTarget) {
        self.init(
            keys: { () throws(StorageFailure) in try keys.load() },
            manifest: { () throws(StorageFailure) in
                do { return try store.read(PersistentBlock.manifest) } catch { throw StorageFailure("\(error)") }
            }, target: target)
    }
}
