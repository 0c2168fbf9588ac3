import ByteTools
import Crypto
public import Installers
import Programs
import Synchronization

/// Any target behind ``SignedInstaller``, with keys: what its packages' owner signed, and nothing else, is installed.
///
/// Every package of the target is signed, also one that the target itself has to refuse. What is damaged on the way comes with
/// the manifest of the package that was signed.
public final class SignedUnderTest: InstallerUnderTest {
    private let target: any InstallerUnderTest
    private let application: String
    private let os: String
    private let hardware: String
    private let key = SigningKey.generate()
    /// Versions of the packages that were made, by their hash.
    private let made = Mutex<[[UInt8]: String]>([:])

    /// A target whose packages are for this application, operating system and hardware.
    public init(_ target: any InstallerUnderTest, application: String, os: String, hardware: String) {
        self.target = target
        self.application = application
        self.os = os
        self.hardware = hardware
    }

    /// The target's, signed.
    public var description: String { "\(target), signed" }
    /// The target's.
    public var failures: [ProgramBehaviour] { target.failures }
    /// The target's.
    public var samples: Int { target.samples }
    /// The target's.
    public var programSize: Int { target.programSize }
    /// What is written is the target's matter.
    public var isCutByOperation: Bool { false }

    private func note(_ bytes: [UInt8], _ version: String) {
        made.withLock { $0[Array(SHA256.hash(data: bytes))] = version }
    }

    /// The target's.
    public func package(_ version: String, size: Int, behaviour: ProgramBehaviour) throws -> TestPackage {
        let package = try target.package(version, size: size, behaviour: behaviour)
        note(package.bytes, version)
        return package
    }

    /// The target's, signed by mistake.
    public func wrongPackages() throws -> [(name: String, bytes: [UInt8])] {
        let wrong = try target.wrongPackages()
        for (_, bytes) in wrong where !bytes.isEmpty { note(bytes, "260102-0000") }
        return wrong
    }

    /// The target's, signed by mistake.
    public func tooLargePackage() throws -> [UInt8]? {
        let package = try target.tooLargePackage()
        if let package { note(package, "260102-0000") }
        return package
    }

    /// The target's, with keys.
    public func device(running program: TestPackage) throws -> any DeviceUnderTest {
        SignedDevice(self, try target.device(running: program))
    }

    /// The signed manifest of a package that was made here; nil for other bytes.
    fileprivate func manifest(of package: [UInt8]) throws -> [UInt8]? {
        let hash = Array(SHA256.hash(data: package))
        guard let version = made.withLock({ $0[hash] }) else { return nil }
        let name = try PackageName(
            organization: "iocafe", application: application, version: try ProgramVersion(version), os: os,
            hardware: hardware, fileExtension: "bin")
        let manifest = PackageManifest(name, size: package.count, sha256: hash, allowsDowngrade: true)
        return Array(try key.sign(manifest, comment: "test").text.utf8)
    }

    /// What a device with the key asks before it installs.
    fileprivate func guarded(_ installer: any ProgramInstaller, _ manifest: [UInt8]?) -> SignedInstaller {
        let key = key.trusted
        return SignedInstaller(
            installer,
            for: SignedInstaller.Device(
                keys: { [key] }, manifest: { manifest },
                target: ProgramTarget(application: application, os: os, hardware: hardware, version: nil)))
    }
}

/// A device with keys, around one without.
private final class SignedDevice: DeviceUnderTest {
    private let target: SignedUnderTest
    private let device: any DeviceUnderTest
    private let state = Mutex<(manifest: [UInt8]?, installer: SignedInstaller?)>((nil, nil))

    init(_ target: SignedUnderTest, _ device: any DeviceUnderTest) {
        self.target = target
        self.device = device
    }

    func start() throws -> StartedProgram {
        state.withLock { $0.installer = nil }
        return try device.start()
    }

    /// Persistent block 13 keeps what came last.
    func prepare(for package: [UInt8]) throws {
        try device.prepare(for: package)
        guard let manifest = try target.manifest(of: package) else { return }
        state.withLock { $0 = (manifest, nil) }
    }

    var installer: any ProgramInstaller {
        get throws {
            if let installer = state.withLock({ $0.installer }) { return installer }
            let made = target.guarded(try device.installer, state.withLock { $0.manifest })
            state.withLock { $0.installer = made }
            return made
        }
    }

    func confirm() throws { try device.confirm() }
    func giveUp() throws { try device.giveUp() }
    func runs(_ package: TestPackage) throws -> Bool { try device.runs(package) }
    func checkSettings() throws { try device.checkSettings() }
    func checkRecords() throws { try device.checkRecords() }
}
