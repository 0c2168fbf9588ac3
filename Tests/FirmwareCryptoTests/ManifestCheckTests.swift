import Crypto
import FirmwareCrypto
import FirmwareImages
import FoundationEssentials
import IOCOM
import IOCOMTestSupport
import Programs
import Testing

/// The same key as the device and the host hold it.
private func deviceKey(_ key: TrustedKey) throws -> ManifestKey {
    try ManifestKey(parsing: Array(key.text(comment: "a key").utf8).span.bytes)
}

/// Asks the host's code and the device's code; both have to say the same.
private func permitted(
    _ bytes: [UInt8], by keys: [TrustedKey], on device: ProgramTarget, _ comment: String = ""
) throws -> ManifestProblem? {
    let host = try? SignedManifest.permitted(bytes, by: keys, on: device)
    let deviceKeys = try keys.map(deviceKey)
    do throws(ManifestProblem) {
        let package = try ManifestCheck.permitted(bytes.span.bytes, by: deviceKeys.span, on: target(of: device))
        #expect(host.map(\.size) == Int(package.size), "\(comment)")
        #expect(host?.sha256 == (0..<32).map { package.sha256[$0] }, "\(comment)")
        return nil
    } catch {
        #expect(host == nil, "the device says \(error), the host takes it: \(comment)")
        return error
    }
}

private func target(of device: ProgramTarget) -> ManifestTarget {
    ManifestTarget(
        application: ShortText(device.application) ?? "", os: ShortText(device.os ?? "") ?? "",
        hardware: ShortText(device.hardware ?? "") ?? "", version: ShortText(device.version?.description ?? "") ?? "")
}

private func manifest(
    _ name: String = "iocafe-candy-261124-1200-riscv32-virt.bin", size: Int = 40_000, allowsDowngrade: Bool = false
) throws -> PackageManifest {
    PackageManifest(
        try PackageName(parsing: name), size: size, sha256: (0..<32).map { UInt8($0 * 8) },
        allowsDowngrade: allowsDowngrade)
}

private func device(_ version: String? = "261101-0000") throws -> ProgramTarget {
    ProgramTarget(
        application: "candy", os: "riscv32", hardware: "virt", version: try version.map { try ProgramVersion($0) })
}

/// Signs any text, also what the host would never sign.
private struct AnySigner {
    let key = Curve25519.Signing.PrivateKey()
    let number: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8]

    private func lines(_ bytes: some Sequence<UInt8>) -> String {
        "untrusted comment: any\n" + Data(Array("Ed".utf8) + number + bytes).base64EncodedString() + "\n"
    }

    func trusted() throws -> TrustedKey { try TrustedKey(parsing: Array(lines(key.publicKey.rawRepresentation).utf8)) }

    func sign(_ text: String) throws -> [UInt8] {
        Array((lines(try key.signature(for: Array(text.utf8))) + text).utf8)
    }
}

@Suite struct ManifestCheckTests {
    private let key = SigningKey.generate()
    private let other = SigningKey.generate()
    private let any = AnySigner()

    private func signed(_ manifest: PackageManifest) throws -> [UInt8] {
        Array(try key.sign(manifest, comment: "verify with maker.pub").text.utf8)
    }

    @Test func `What the host signs is permitted, with the size and hash that were signed`() throws {
        let keys = [other.trusted, key.trusted]
        #expect(try permitted(signed(manifest()), by: keys, on: device()) == nil)
        #expect(try permitted(signed(manifest(size: 4_294_967_295)), by: keys, on: device()) == nil)
    }

    @Test func `A package of another key, application, system or hardware is refused`() throws {
        let keys = [key.trusted]
        #expect(try permitted(signed(manifest()), by: [other.trusted], on: device()) == .unknownKey)
        #expect(try permitted(signed(manifest()), by: [], on: device()) == .unknownKey)
        for (name, problem) in [
            ("iocafe-cand-261124-1200-riscv32-virt.bin", ManifestProblem.application),
            ("iocafe-candyy-261124-1200-riscv32-virt.bin", .application),
            ("iocafe-candy-261124-1200-stm32-virt.bin", .os), ("iocafe-candy-261124-1200-riscv32-Virt.bin", .hardware),
            ("other-candy-261124-1200-riscv32-virt.bin", nil),
        ] {
            #expect(try permitted(signed(manifest(name)), by: keys, on: device(), name) == problem)
        }
        var unknown = try device()
        unknown.hardware = nil
        #expect(try permitted(signed(manifest()), by: keys, on: unknown) == .hardware)
    }

    @Test func `Older packages need permission, and every one does when the running version is unknown`() throws {
        let versions = [
            "XXXXXX-XXXX", "000101-XXXX", "000101-0000", "240229-2359", "261123-2359", "261124-XXXX", "261124-0000",
            "261124-1200", "261124-1201", "991231-2359",
        ]
        for (age, package) in versions.enumerated() {
            for allows in [false, true] {
                let bytes = try signed(
                    manifest("iocafe-candy-\(package)-riscv32-virt.bin", allowsDowngrade: allows))
                for running in versions.map({ $0 as String? }) + [nil] {
                    let mayBeOlder = versions.firstIndex { $0 == running }.map { age < $0 } ?? true
                    let result = try permitted(
                        bytes, by: [key.trusted], on: device(running), "\(package), \(running ?? "-")")
                    #expect(result == (mayBeOlder && !allows ? .older : nil))
                }
            }
        }
    }

    @Test func `A package that no microcontroller can hold is refused, though it is signed`() throws {
        let bytes = try signed(manifest(size: 4_294_967_296))
        let key = try deviceKey(key.trusted)
        #expect(throws: ManifestProblem.size) {
            try ManifestCheck.permitted(bytes.span.bytes, by: [key].span, on: target(of: device()))
        }
    }

    @Test func `Every changed or missing byte is refused, as on the host`() throws {
        let keys = [key.trusted]
        let bytes = try signed(manifest(allowsDowngrade: true))
        let start = try #require(bytes.firstIndex(of: 10)) + 1
        for at in bytes.indices where at >= start || at % 5 == 0 {
            var changed = bytes
            changed[at] ^= [1, 2, 4, 8, 16, 32, 64, 128][at % 8]
            let isComment = at > 18 && at < start - 1
            if isComment { continue }
            #expect(try permitted(changed, by: keys, on: device(), "byte \(at)") != nil)
        }
        for count in 0..<bytes.count {
            #expect(try permitted(Array(bytes.prefix(count)), by: keys, on: device(), "\(count) bytes") != nil)
        }
        #expect(try permitted(bytes + [10], by: keys, on: device()) == .manifest)
        #expect(try permitted([UInt8](repeating: 65, count: 4097), by: keys, on: device()) == .tooLong)
    }

    @Test func `The comment may be what it likes, up to signify's limit`() throws {
        let bytes = try signed(manifest())
        let rest = bytes[try #require(bytes.firstIndex(of: 10))...]
        for (comment, problem) in [
            ([UInt8](), nil), ([UInt8](repeating: 65, count: 1023), nil),
            ([UInt8](repeating: 65, count: 1024), ManifestProblem.signature), ([0, 255, 27, 13], nil),
        ] {
            let text = Array("untrusted comment: ".utf8) + comment + rest
            #expect(try permitted(text, by: [key.trusted], on: device(), "\(comment.count)") == problem)
        }
    }

    @Test(arguments: [
        ("size: 40000", "size: 040000"), ("size: 40000", "size: +40000"), ("size: 40000", "size: 0"),
        ("size: 40000", "size: -1"), ("size: 40000", "size: 99999999999999999999"), ("size: 40000", "size: "),
        ("size: 40000", "size:40000"), ("iocom-manifest: 1", "iocom-manifest: 2"), ("candy", "can-dy"), ("candy", ""),
        ("candy", "candy\napplication: candy"), ("261124-1200", "1"), ("261124-1200", "261324-1200"),
        ("261124-1200", "260229-1200"), ("261124-1200", "261124-2400"), ("261124-1200", "XXXXXX-1200"),
        ("261124-1200", "261124-120X"), ("261124-1200", "26112-41200"), ("os: riscv32\n", ""), ("virt", "vi rt"),
        ("virt", "virt.bin"), ("sha256: 0008", "sha256: 08"), ("sha256: 000810", "sha256: 0008G0"),
        ("e0e8f0f8\n", "E0E8F0F8\n"), ("e0e8f0f8\n", "e0e8f0f8\ndowngrade: no\n"), ("e0e8f0f8\n", "e0e8f0f8"),
        ("e0e8f0f8\n", "e0e8f0f8\r\n"), ("e0e8f0f8\n", "e0e8f0f8\ndowngrade: allowed\n\n"),
        ("iocafe", String(repeating: "a", count: 300)),
    ])
    func `A text that is no manifest is refused though a trusted key signed it`(from: String, to: String) throws {
        let text = try manifest().text
        let changed = text.replacing(from, with: to)
        #expect(changed != text)
        let problem: ManifestProblem = to.hasPrefix("size: 999") ? .size : .manifest
        #expect(try permitted(any.sign(changed), by: [any.trusted()], on: device()) == problem)
        #expect(
            try permitted(any.sign(text), by: [any.trusted()], on: device()) == nil, "the text that was changed is good"
        )
    }

    @Test func `A manifest of every length of name is judged as on the host`() throws {
        for count in 200...250 {
            let name = try? manifest("\(String(repeating: "o", count: count))-candy-261124-1200-riscv32-virt.pkg")
            let text = try manifest().text.replacing("iocafe", with: String(repeating: "o", count: count))
            let result = try permitted(any.sign(text), by: [any.trusted()], on: device(), "\(count)")
            #expect((result == nil) == (name != nil), "\(count)")
        }
    }

    @Test func `Base64 has one spelling`() throws {
        let bytes = try signed(manifest())
        let end = try #require(bytes.firstIndex(of: 10)) + 1 + 100
        #expect(bytes[end] == 10 && bytes[end - 1] == UInt8(ascii: "="))
        var (longer, spare, bare) = (bytes, bytes, bytes)
        longer.insert(UInt8(ascii: "="), at: end)
        // The last digit before the padding holds two bits that mean nothing.
        let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        let digit = try #require(digits.firstIndex(of: spare[end - 2]))
        spare[end - 2] = digits[digit + 1]
        bare.remove(at: end - 1)
        for changed in [longer, spare, bare] {
            #expect(try permitted(changed, by: [key.trusted], on: device()) == .signature)
        }
    }

    @Test func `A key file is read as on the host`() throws {
        let text = Array(key.trusted.text(comment: "maker").utf8)
        let key = try ManifestKey(parsing: text.span.bytes)
        let line = try #require(text.split(separator: 10).last)
        let decoded = Array(try #require(Data(base64Encoded: Data(line))))
        #expect((0..<8).map { key.number[$0] } == Array(decoded[2..<10]))
        #expect((0..<32).map { key.bytes[$0] } == Array(decoded[10...]))
        for other in [Array(text.dropLast()), text + [10], Array(try signed(manifest()).prefix(200)), []] {
            #expect(throws: ManifestProblem.signature) { try ManifestKey(parsing: other.span.bytes) }
            #expect(throws: SignifyError.self) { try TrustedKey(parsing: other) }
        }
    }

    @Test func `Random manifests are judged as on the host`() throws {
        var random = Seeded(13)
        var taken = 0
        let names = ["candy", "candy", "candy", "frank"]
        for round in 0..<300 {
            let os = random.oneIn(8) ? "esp32" : "riscv32"
            let package = "maker-\(names[random.below(4)])-26112\(random.below(10))-1200-\(os)-virt.bin"
            var bytes = try signed(
                manifest(package, size: 1 + random.below(5_000_000), allowsDowngrade: random.oneIn(3)))
            if random.oneIn(3) { bytes[random.below(bytes.count)] ^= UInt8(1 << random.below(8)) }
            let keys = random.oneIn(10) ? [other.trusted] : [other.trusted, key.trusted]
            let running = random.oneIn(10) ? nil : "26112\(random.below(10))-1200"
            if try permitted(bytes, by: keys, on: device(running), "round \(round)") == nil { taken += 1 }
        }
        #expect(taken > 20 && taken < 200, "\(taken) of 300 were taken")
    }
}
