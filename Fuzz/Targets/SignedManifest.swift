// modules: IOCOM PackedJSON ByteTools Programs
// options: -max_len=4200
import Programs

/// What is read is what stands there, and no key verifies what was not signed.
func fuzz(_ input: [UInt8]) {
    if let manifest = try? PackageManifest(parsing: input) {
        guard Array(manifest.text.utf8) == input else { fatalError("another text: \(manifest.text)") }
    }
    if let signed = try? SignedManifest(parsing: input) {
        guard (try? signed.verify([key])) == nil else { fatalError("verified") }
    }
    _ = try? TrustedKey(parsing: input)
    _ = try? SigningKey(parsing: input)
}

private let key = SigningKey.generate().trusted
