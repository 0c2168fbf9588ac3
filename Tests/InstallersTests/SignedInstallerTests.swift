import ByteTools
import Crypto
import DeviceStorage
import IOCOM
import Installers
import Programs
import Synchronization
import Testing
import UpdateTesting

@Suite struct SignedInstallerTests {
    /// A module with keys, whose block 13 can be written.
    private struct Guarded {
        let module: Module
        let installer: SignedInstaller
        let inner: ESP32Installer
        let box: Box

        final class Box: Sendable {
            let manifest = Mutex<[UInt8]?>(nil)
            let keys = Mutex<[TrustedKey]>([])
            let failure = Mutex<StorageFailure?>(nil)
        }

        init(running version: String = "261101-0000", keys: [TrustedKey]) throws {
            module = try Module()
            inner = try module.start().installer
            let box = Box()
            box.keys.withLock { $0 = keys }
            self.box = box
            installer = SignedInstaller(
                inner,
                for: SignedInstaller.Device(
                    keys: { () throws(StorageFailure) in
                        if let failure = box.failure.withLock({ $0 }) { throw failure }
                        return box.keys.withLock { $0 }
                    }, manifest: { box.manifest.withLock { $0 } },
                    target: ProgramTarget(
                        application: "candy", os: "esp32", hardware: "espcam", version: try ProgramVersion(version))))
        }

        func install(_ program: [UInt8]) throws(InstallError) -> InstalledProgram {
            try installer.start()
            var offset = 0
            while offset < program.count {
                try installer.append(Array(program[offset..<min(program.count, offset + 1000)]))
                offset += 1000
            }
            return try installer.finish()
        }

        /// Tries to install; the reason of the refusal. Nothing outside of the other slot may have been touched, and with
        /// `untouched` nothing at all.
        func refusal(_ program: [UInt8], untouched: Bool = true) throws -> String? {
            _ = module.touched.take()
            do throws(InstallError) {
                _ = try install(program)
                return nil
            } catch {
                let touched = module.touched.take()
                let place = module.flash.slots[inner.targetSlot]
                let outside = touched.filter { !(place.offset..<place.offset + place.size).contains($0.offset) }
                #expect(outside.isEmpty && (!untouched || touched.isEmpty))
                #expect(try module.start().boot.image.application.version == "1")
                #expect(error.status == .notAuthorized)
                return error.description
            }
        }
    }

    private static let key = SigningKey.generate()
    private static let program = Module.program("261124-1200")

    private static func manifest(
        _ program: [UInt8] = program, name: String = "iocafe-candy-261124-1200-esp32-espcam.bin",
        downgrade: Bool = false
    ) throws -> PackageManifest {
        PackageManifest(
            try PackageName(parsing: name), size: program.count, sha256: Array(SHA256.hash(data: program)),
            allowsDowngrade: downgrade)
    }

    private static func signed(_ manifest: PackageManifest, by key: SigningKey = key) throws -> [UInt8] {
        Array(try key.sign(manifest, comment: "test").text.utf8)
    }

    @Test func `A package that a trusted key signed is installed`() throws {
        let device = try Guarded(keys: [SigningKey.generate().trusted, Self.key.trusted])
        try device.box.manifest.withLock { $0 = try Self.signed(Self.manifest()) }
        let installed = try device.install(Self.program)
        #expect(installed.version == "261124-1200")
        #expect(try device.module.start().boot.image.application.version == "261124-1200")
    }

    @Test func `Without keys every package is taken, signed or not`() throws {
        let device = try Guarded(keys: [])
        device.box.manifest.withLock { $0 = Array("no manifest".utf8) }
        #expect(try device.install(Self.program).version == "261124-1200")
    }

    @Test func `What is not signed for this device is refused before anything is touched`() throws {
        let device = try Guarded(keys: [Self.key.trusted])
        #expect(try device.refusal(Self.program)?.contains("takes signed packages only") == true)
        let cases: [(String, [UInt8], String)] = [
            ("damaged", Array("untrusted comment: x\n".utf8), "not a key or signature"),
            ("empty", [], "not a key or signature"),
            ("wrong key", try Self.signed(Self.manifest(), by: .generate()), "not a trusted one"),
            (
                "other application",
                try Self.signed(Self.manifest(name: "iocafe-gina-261124-1200-esp32-espcam.bin")), "application gina"
            ),
            ("other os", try Self.signed(Self.manifest(name: "iocafe-candy-261124-1200-linux-espcam.deb")), "linux"),
            ("other board", try Self.signed(Self.manifest(name: "iocafe-candy-261124-1200-esp32-other.bin")), "other"),
            ("older", try Self.signed(Self.manifest(name: "iocafe-candy-261031-1200-esp32-espcam.bin")), "older"),
        ]
        for (what, bytes, reason) in cases {
            device.box.manifest.withLock { $0 = bytes }
            let said = try device.refusal(Self.program)
            #expect(said?.contains(reason) == true, "\(what): \(said ?? "installed")")
        }
        // A changed text under a good signature.
        let text = try Self.key.sign(Self.manifest(), comment: "").text
        device.box.manifest.withLock { $0 = Array(text.replacing("candy", with: "gandy").utf8) }
        #expect(try device.refusal(Self.program)?.contains("signature is wrong") == true)
    }

    @Test func `Other bytes than those that were signed are not put in force`() throws {
        let device = try Guarded(keys: [Self.key.trusted])
        try device.box.manifest.withLock { $0 = try Self.signed(Self.manifest()) }
        // A program that is good in itself, of another size and of the same one.
        let longer = Module.program("261124-1200", size: 20_016)
        let shorter = Module.program("261124-1200", size: 19_000)
        let other = Module.program("261124-1300")
        #expect(other.count == Self.program.count)
        #expect(try device.refusal(longer, untouched: false)?.contains("bytes, its manifest says") == true)
        #expect(try device.refusal(shorter, untouched: false)?.contains("bytes, its manifest says") == true)
        #expect(try device.refusal(other, untouched: false)?.contains("not the one that was signed") == true)
        #expect(try device.install(Self.program).version == "261124-1200", "the signed one still goes in")
    }

    @Test func `A manifest that is replaced while the package comes changes nothing`() throws {
        let device = try Guarded(keys: [Self.key.trusted])
        let other = Module.program("261124-1300")
        try device.box.manifest.withLock { $0 = try Self.signed(Self.manifest()) }
        try device.installer.start()
        try device.box.manifest.withLock {
            $0 = try Self.signed(Self.manifest(other, name: "iocafe-candy-261124-1300-esp32-espcam.bin"))
        }
        try device.installer.append(other)
        let error = #expect(throws: InstallError.self) { try device.installer.finish() }
        #expect(error?.description.contains("not the one that was signed") == true)
    }

    @Test func `An older package is installed with the permission that was signed`() throws {
        let device = try Guarded(running: "261125-0000", keys: [Self.key.trusted])
        try device.box.manifest.withLock { $0 = try Self.signed(Self.manifest()) }
        #expect(try device.refusal(Self.program)?.contains("older") == true)
        try device.box.manifest.withLock { $0 = try Self.signed(Self.manifest(downgrade: true)) }
        #expect(try device.install(Self.program).version == "261124-1200")
    }

    @Test func `Keys that cannot be read refuse everything, and keys are read for each installation`() throws {
        let device = try Guarded(keys: [])
        device.box.failure.withLock { $0 = StorageFailure("the keys are gone") }
        #expect(try device.refusal(Self.program) == "the keys are gone")
        device.box.failure.withLock { $0 = nil }
        device.box.keys.withLock { $0 = [Self.key.trusted] }
        #expect(try device.refusal(Self.program) != nil)
    }
}
