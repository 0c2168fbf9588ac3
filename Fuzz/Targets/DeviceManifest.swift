// modules: IOCOM PackedJSON ByteTools Programs FirmwareCrypto
// options: -max_len=4200
import Crypto
import FirmwareCrypto
import IOCOM
import Programs

/// A device and the host decide the same about every text, as it comes and when a trusted key signed it.
func fuzz(_ input: [UInt8]) {
    compare(input)
    guard let signature = try? signer.signature(for: input) else { fatalError("no signature") }
    compare(lines(signature) + input)
}

private func compare(_ bytes: [UInt8]) {
    let host = try? SignedManifest.permitted(bytes, by: hostKeys, on: hostTarget)
    do throws(ManifestProblem) {
        let package = try ManifestCheck.permitted(bytes.span.bytes, by: deviceKeys.span, on: deviceTarget)
        guard host?.size == Int(package.size), host?.sha256 == (0..<32).map({ package.sha256[$0] }) else {
            fatalError("the device takes what the host does not")
        }
    } catch {
        // Microcontrollers have no package of 4 GiB.
        guard host == nil || error == .size && (host?.size ?? 0) > Int(UInt32.max) else {
            fatalError("the device refuses what the host takes: \(error)")
        }
    }
    let hostKey = try? TrustedKey(parsing: bytes)
    let deviceKey = try? ManifestKey(parsing: bytes.span.bytes)
    // The host takes no key file that is longer.
    guard (hostKey == nil) == (deviceKey == nil) || bytes.count > TrustedKey.largestFile else { fatalError("key") }
}

private let signer = Curve25519.Signing.PrivateKey()

/// Both lines of a signature or key; signify's base64.
private func lines(_ bytes: some Sequence<UInt8>) -> [UInt8] {
    let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    let binary = Array("Ed12345678".utf8) + bytes
    var text = Array("untrusted comment: \n".utf8)
    for start in stride(from: 0, to: binary.count, by: 3) {
        let group = binary[start..<min(start + 3, binary.count)]
        var bits = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - group.count))
        bits <<= 8
        for i in 0..<4 {
            text.append(i <= group.count ? digits[Int(bits >> 26)] : UInt8(ascii: "="))
            bits <<= 6
        }
    }
    return text + [10]
}

private let keyText = lines(signer.publicKey.rawRepresentation)
private let hostKeys = [try? TrustedKey(parsing: keyText)].compactMap(\.self)
private let deviceKeys = [try? ManifestKey(parsing: keyText.span.bytes)].compactMap(\.self)
private let hostTarget = ProgramTarget(
    application: "candy", os: "riscv32", hardware: "virt", version: try? ProgramVersion("261101-0000"))
private let deviceTarget = ManifestTarget(application: "candy", os: "riscv32", hardware: "virt", version: "261101-0000")
