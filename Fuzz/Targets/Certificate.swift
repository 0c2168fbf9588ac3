// modules: IOCOM PackedJSON ByteTools ServerData
// options: -max_len=1024
import FoundationEssentials
import ServerData

/// Certificate and key texts: with an even first byte the rest is the text, with an odd one its content, to which the PEM
/// form is added. What is read is written and read as the same.
func fuzz(_ input: [UInt8]) {
    guard let first = input.first else { return }
    let rest = Array(input.dropFirst())
    func text(_ name: String) -> String {
        guard first & 1 == 1 else { return String(decoding: rest, as: UTF8.self) }
        let base64 = Array(Data(rest).base64EncodedString().utf8)
        let lines = stride(from: 0, to: base64.count, by: 64).map {
            String(decoding: base64[$0..<min(base64.count, $0 + 64)], as: UTF8.self)
        }
        return "-----BEGIN \(name)-----\n\(lines.joined(separator: "\n"))\n-----END \(name)-----\n"
    }
    do {
        let certificate = try CertificateFile(pem: text("CERTIFICATE"))
        precondition((try? CertificateFile(pem: certificate.pem)) == certificate)
        _ = certificate.needsRenewal(now: Date(timeIntervalSince1970: 1_800_000_000))
    } catch {
        _ = error.description
    }
    if let key = try? ServerKey(pem: text(first & 2 == 0 ? "PRIVATE KEY" : "EC PRIVATE KEY")) {
        precondition((try? ServerKey(pem: key.pem())) != nil)
    }
}
