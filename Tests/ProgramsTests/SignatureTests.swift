import ByteTools
import Programs
import Testing
import UpdateTesting

@Suite struct SignatureTests {
    private static let tool = "/usr/bin/signify-openbsd"
    private static let hasSignify = Folder.entry(tool) != nil

    private func signify(_ arguments: [String]) throws -> Subprocess.Result {
        try Subprocess.run(Self.tool, arguments, outputLimit: 10_000, milliseconds: 10_000)
    }

    static func manifest(_ version: String = "261124-1200", allowsDowngrade: Bool = false) throws -> PackageManifest {
        PackageManifest(
            try PackageName(parsing: "iocafe-candy-\(version)-esp32-espcam.bin"), size: 150_384,
            sha256: (0..<32).map { UInt8($0 * 8) }, allowsDowngrade: allowsDowngrade)
    }

    // MARK: Manifest

    @Test(arguments: [false, true])
    func `A manifest is read as it was written`(allowsDowngrade: Bool) throws {
        let manifest = try Self.manifest(allowsDowngrade: allowsDowngrade)
        #expect(try PackageManifest(parsing: Array(manifest.text.utf8)) == manifest)
        #expect(manifest.text.hasPrefix("iocom-manifest: 1\norganization: iocafe\napplication: candy\n"))
        #expect(manifest.text.hasSuffix("\ndowngrade: allowed\n") == allowsDowngrade)
    }

    @Test func `A manifest that differs anywhere is refused or says something else`() throws {
        let manifest = try Self.manifest(allowsDowngrade: true)
        let bytes = Array(manifest.text.utf8)
        for at in bytes.indices {
            for bit in 0..<8 {
                var changed = bytes
                changed[at] ^= 1 << UInt8(bit)
                let read = try? PackageManifest(parsing: changed)
                #expect(read != manifest, "byte \(at), bit \(bit)")
                if let read { #expect(Array(read.text.utf8) == changed, "what is read is what stands there") }
            }
            #expect((try? PackageManifest(parsing: bytes.prefix(at))) != manifest)
        }
        #expect(throws: PackageManifest.ParseError.line(expected: "end")) {
            try PackageManifest(parsing: bytes + Array("more\n".utf8))
        }
        #expect(throws: PackageManifest.ParseError.tooLong) {
            try PackageManifest(parsing: [UInt8](repeating: 65, count: PackageManifest.longest + 1))
        }
    }

    @Test(arguments: [
        ("size: 150384", "size: 0150384"), ("size: 150384", "size: -1"), ("size: 150384", "size: 0"),
        ("size: 150384", "size: 99999999999999999999"), ("iocom-manifest: 1", "iocom-manifest: 2"),
        ("application: candy", "application: can-dy"), ("application: candy", "application: ../candy"),
        ("application: candy", "application: candy\napplication: candy"), ("version: 261124-1200", "version: 1"),
        ("os: esp32\n", ""), ("hardware: espcam", "hardware: "), ("sha256: 0008", "sha256: 08"),
        ("sha256: 000810", "sha256: 0008G0"), ("e0e8f0f8\n", "E0E8F0F8\n"), ("e0e8f0f8\n", "e0e8f0f8\ndowngrade: no\n"),
        ("e0e8f0f8\n", "e0e8f0f8"), ("e0e8f0f8\n", "e0e8f0f8\r\n"),
    ])
    func `Other forms of a manifest are refused`(from: String, to: String) throws {
        let text = try Self.manifest().text
        let other = text.replacing(from, with: to)
        #expect(other != text)
        #expect(throws: PackageManifest.ParseError.self) { try PackageManifest(parsing: Array(other.utf8)) }
    }

    // MARK: Signatures

    @Test func `What a key signed is verified by its public half and by no other`() throws {
        let key = SigningKey.generate()
        let other = SigningKey.generate()
        let signed = try key.sign(Self.manifest(), comment: "verify with x.pub")
        let read = try SignedManifest(parsing: Array(signed.text.utf8))
        #expect(read == signed)
        #expect(try read.verify([other.trusted, key.trusted]) == key.trusted)
        #expect(throws: SignifyError.unknownKey(key.trusted.number.description)) { try read.verify([other.trusted]) }
        #expect(throws: SignifyError.self) { try read.verify([]) }
    }

    @Test func `A key of the same number that is another key verifies nothing`() throws {
        let key = SigningKey.generate()
        let signed = try key.sign(Self.manifest(), comment: "")
        // The number is not secret: an attacker takes over that of a trusted key.
        let text = SigningKey.generate().trusted.text(comment: "")
        let forged = try TrustedKey(parsing: Self.number(of: key.trusted.text(comment: ""), in: text))
        #expect(forged.number == key.trusted.number)
        #expect(throws: SignifyError.wrongSignature) { try signed.verify([forged]) }
    }

    /// `text` with the key number of `source`: both are base64 of 2 bytes, 8 bytes of number, 32 bytes of key.
    private static func number(of source: String, in text: String) -> [UInt8] {
        var bytes = Array(text.utf8)
        let from = Array(source.utf8)
        guard let at = bytes.firstIndex(of: 10), let start = from.firstIndex(of: 10) else { return [] }
        // Ten bytes are fourteen characters; the last of them holds bits of the key too.
        for i in 1...14 { bytes[at + i] = from[start + i] }
        return bytes
    }

    @Test func `Every changed byte of a signed manifest is noticed`() throws {
        let key = SigningKey.generate()
        let signed = try key.sign(Self.manifest(), comment: "c")
        let bytes = Array(signed.text.utf8)
        let signature = try #require(bytes.firstIndex(of: 10))
        let end = try #require(bytes[(signature + 1)...].firstIndex(of: 10))
        for at in bytes.indices where at > signature {
            for bit: UInt8 in [1, 4, 32, 128] {
                var changed = bytes
                changed[at] ^= bit
                guard let read = try? SignedManifest(parsing: changed) else { continue }
                // Base64 has several spellings of the last bits of a signature: what is verified then is the same text.
                if (try? read.verify([key.trusted])) != nil { #expect(read.manifest == signed.manifest) }
                if at > end { #expect(throws: SignifyError.self) { try read.verify([key.trusted]) } }
            }
        }
    }

    @Test func `Keys are read as they were written, damaged and protected ones are refused`() throws {
        let key = SigningKey.generate()
        let text = key.text(comment: "my secret key")
        let read = try SigningKey(parsing: Array(text.utf8))
        #expect(read.trusted == key.trusted)
        #expect(try TrustedKey(parsing: Array(key.trusted.text(comment: "x\ny").utf8)) == key.trusted)
        #expect(throws: SignifyError.self) { try TrustedKey(parsing: Array(text.utf8)) }
        #expect(throws: SignifyError.self) { try SigningKey(parsing: Array(key.trusted.text(comment: "").utf8)) }
        #expect(throws: SignifyError.self) { try SigningKey(parsing: Array((text + "more").utf8)) }
        #expect(throws: SignifyError.self) { try SigningKey(parsing: [UInt8](repeating: 65, count: 5000)) }
        var bytes = Array(text.utf8)
        bytes[bytes.count - 20] = bytes[bytes.count - 20] == 65 ? 66 : 65
        #expect(throws: SignifyError.damagedKey) { try SigningKey(parsing: bytes) }
    }

    @Test(.enabled(if: hasSignify))
    func `signify verifies what we sign, with a key that we made`() throws {
        let folder = try TemporaryFolder()
        let key = SigningKey.generate()
        let manifest = try Self.manifest()
        let signed = try key.sign(manifest, comment: "verify with k.pub")
        let file = try folder.write("p.bin.manifest", Array(signed.text.utf8))
        let pub = try folder.write("k.pub", Array(key.trusted.text(comment: "k public key").utf8))
        let out = folder.path + "/out"
        let result = try signify(["-V", "-e", "-p", pub, "-x", file, "-m", out])
        #expect(result.status == 0, "\(result)")
        #expect(try Self.content(out) == Array(manifest.text.utf8))

        // And signs with our secret key; the same text gives the same signature.
        let secret = try folder.write("k.sec", Array(key.text(comment: "k secret key").utf8))
        let message = try folder.write("message", Array(manifest.text.utf8))
        let again = folder.path + "/again"
        let sign = try signify(["-S", "-e", "-s", secret, "-m", message, "-x", again])
        #expect(sign.status == 0, "\(sign)")
        #expect(try SignedManifest(parsing: Self.content(again)).verify([key.trusted]) == key.trusted)
    }

    @Test(.enabled(if: hasSignify))
    func `We verify what signify signs, with a key that it made`() throws {
        let folder = try TemporaryFolder()
        let (pub, secret) = (folder.path + "/k.pub", folder.path + "/k.sec")
        let made = try signify(["-G", "-n", "-p", pub, "-s", secret])
        #expect(made.status == 0, "\(made)")
        let manifest = try Self.manifest()
        let message = try folder.write("message", Array(manifest.text.utf8))
        let file = folder.path + "/p.bin.manifest"
        let sign = try signify(["-S", "-e", "-s", secret, "-m", message, "-x", file])
        #expect(sign.status == 0, "\(sign)")
        let keys = try TrustedKey.load(folder.path)
        #expect(keys.count == 1)
        let signed = try SignedManifest(parsing: Self.content(file))
        #expect(try signed.verify(keys) == keys.first)
        #expect(signed.manifest == manifest)
        #expect(try SigningKey(parsing: Self.content(secret)).trusted == keys.first)
    }

    private static func content(_ path: String) throws -> [UInt8] {
        let file = try File(path, .read)
        return try file.read(at: 0, count: file.byteCount)
    }

    @Test func `A folder of keys gives all of them, and one bad key fails all`() throws {
        let folder = try TemporaryFolder()
        #expect(try TrustedKey.load(folder.path + "/none").isEmpty)
        let keys = [SigningKey.generate().trusted, SigningKey.generate().trusted]
        _ = try folder.write("a.pub", Array(keys[0].text(comment: "a").utf8))
        _ = try folder.write("b.pub", Array(keys[1].text(comment: "b").utf8))
        _ = try folder.write("readme.txt", Array("no key".utf8))
        #expect(try TrustedKey.load(folder.path) == keys)
        #expect(try TrustedKey.load(folder.path + "/b.pub") == [keys[1]])
        _ = try folder.write("c.pub", Array("no key".utf8))
        #expect(throws: StorageFailure.self) { try TrustedKey.load(folder.path) }
    }

    // MARK: What a manifest permits

    private func target(
        _ version: String? = "261101-0000", application: String = "candy", os: String? = "esp32",
        hardware: String? = "espcam"
    ) throws -> ProgramTarget {
        ProgramTarget(
            application: application, os: os, hardware: hardware, version: try version.map { try ProgramVersion($0) })
    }

    @Test func `A manifest is for one application, system and hardware`() throws {
        let manifest = try Self.manifest()
        try manifest.check(for: target())
        for other in [
            try target(application: "gina"), try target(os: "linux"), try target(hardware: "other"),
            try target(os: nil), try target(hardware: nil),
        ] {
            #expect(throws: ManifestRefusal.self) { try manifest.check(for: other) }
        }
    }

    @Test func `An older program needs the permission that is signed`() throws {
        let newer = try target("261125-0000")
        let running = try ProgramVersion("261125-0000")
        #expect(throws: ManifestRefusal.older(package: try ProgramVersion("261124-1200"), device: running)) {
            try Self.manifest().check(for: newer)
        }
        try Self.manifest(allowsDowngrade: true).check(for: newer)
        // A device that does not say what it runs could run anything.
        #expect(throws: ManifestRefusal.self) { try Self.manifest().check(for: target(nil)) }
        try Self.manifest(allowsDowngrade: true).check(for: target(nil))
        try Self.manifest().check(for: target("261124-1200"))
    }

    @Test func `Size and hash must be those that were signed`() throws {
        let manifest = try Self.manifest()
        try manifest.check(size: manifest.size, sha256: manifest.sha256)
        #expect(throws: ManifestRefusal.size(manifest: 150_384, package: 1)) {
            try manifest.check(size: 1, sha256: manifest.sha256)
        }
        #expect(throws: ManifestRefusal.hash) { try manifest.check(size: manifest.size, sha256: []) }
    }
}
