public import ByteTools
import Crypto
import IOCOM
public import Programs
import Synchronization

/// Lets only packages through that a trusted key signed for this device, and hands them to the installer behind it.
///
/// The manifest was written before, as persistent block 13, and is read once, when an installation starts. Nothing is put
/// in force before every byte has come and their hash is the one that was signed. The check is on the device itself: no
/// server or operator can get round it. A device without keys takes every package, as the original does.
public final class SignedInstaller: ProgramInstaller {
    /// What a device is asked when an installation starts.
    public struct Device: Sendable {
        /// The keys that are trusted now; an error refuses every package.
        public var keys: @Sendable () throws(StorageFailure) -> [TrustedKey]
        /// Content of persistent block 13; nil when there is none.
        public var manifest: @Sendable () throws(StorageFailure) -> [UInt8]?
        /// What the device is and runs.
        public var target: ProgramTarget

        /// Composes the answers.
        public init(
            keys: @escaping @Sendable () throws(StorageFailure) -> [TrustedKey],
            manifest: @escaping @Sendable () throws(StorageFailure) -> [UInt8]?, target: ProgramTarget
        ) {
            self.keys = keys
            self.manifest = manifest
            self.target = target
        }
    }

    private struct Session {
        let manifest: PackageManifest
        var hash = SHA256()
        var size = 0
    }

    private let installer: any ProgramInstaller
    private let device: Device
    private let state = Mutex(State.closed)

    private enum State {
        /// Nothing was permitted.
        case closed
        /// The device has no keys.
        case unsigned
        case signed(Session)
    }

    /// Guards `installer`.
    public init(_ installer: any ProgramInstaller, for device: Device) {
        self.installer = installer
        self.device = device
    }

    /// Refuses unless the manifest in block 13 is signed with a trusted key and is for this device.
    public func start() throws(InstallError) {
        cancel()
        let manifest = try permittedManifest()
        try installer.start()
        state.withLock { $0 = manifest.map { .signed(Session(manifest: $0)) } ?? .unsigned }
    }

    private func permittedManifest() throws(InstallError) -> PackageManifest? {
        do throws(StorageFailure) {
            let keys = try device.keys()
            guard !keys.isEmpty else { return nil }
            guard let bytes = try device.manifest() else {
                throw StorageFailure(
                    "this device takes signed packages only, and no manifest came before the package; "
                        + "sign it with 'ispy package sign'")
            }
            do { return try SignedManifest.permitted(bytes, by: keys, on: device.target) } catch {
                throw StorageFailure("\(error)")
            }
        } catch { throw InstallError(.notAuthorized, error.description) }
    }

    /// Hands the bytes on; more than were signed are refused.
    public func append(_ bytes: [UInt8]) throws(InstallError) {
        do throws(InstallError) {
            try state.withLock { state throws(InstallError) in
                switch state {
                case .closed: throw InstallError(.failed, "no installation was started")
                case .unsigned: return
                case .signed(var open):
                    open.size += bytes.count
                    guard open.size <= open.manifest.size else {
                        let refusal = ManifestRefusal.size(manifest: open.manifest.size, package: open.size)
                        throw InstallError(.notAuthorized, refusal.description)
                    }
                    bytes.withUnsafeBytes { open.hash.update(bufferPointer: $0) }
                    state = .signed(open)
                }
            }
            try installer.append(bytes)
        } catch {
            cancel()
            throw error
        }
    }

    /// Puts the program in force when what came is what was signed.
    public func finish() throws(InstallError) -> InstalledProgram {
        let permitted = state.withLock { state in
            defer { state = .closed }
            return state
        }
        do throws(InstallError) {
            switch permitted {
            case .closed: throw InstallError(.failed, "no installation was started")
            case .unsigned: break
            case .signed(let open):
                do throws(ManifestRefusal) {
                    try open.manifest.check(size: open.size, sha256: Array(open.hash.finalize()))
                } catch { throw InstallError(.notAuthorized, error.description) }
            }
        } catch {
            installer.cancel()
            throw error
        }
        return try installer.finish()
    }

    /// Drops the installation.
    public func cancel() {
        state.withLock { $0 = .closed }
        installer.cancel()
    }
}
