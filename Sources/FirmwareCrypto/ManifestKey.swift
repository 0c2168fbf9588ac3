/// A public key that a device trusts to sign packages, and the number by which signatures name it.
public struct ManifestKey: Sendable {
    /// Bytes of a key number.
    public static let numberSize = 8

    /// Eight random bytes of the key's maker.
    public var number: InlineArray<8, UInt8>
    /// The Ed25519 public key.
    public var bytes: InlineArray<32, UInt8>

    /// A key of its parts.
    public init(number: InlineArray<8, UInt8>, bytes: InlineArray<32, UInt8>) {
        self.number = number
        self.bytes = bytes
    }

    /// Reads the text of a public key file: two lines, as `signify -G` writes them.
    public init(parsing text: RawSpan) throws(ManifestProblem) {
        var at = 0
        let binary: InlineArray<42, UInt8> = try SignifyLines.read(text, at: &at)
        guard at == text.byteCount else { throw .signature }
        number = InlineArray(repeating: 0)
        for i in 0..<8 { number[i] = binary[2 + i] }
        bytes = InlineArray(repeating: 0)
        for i in 0..<32 { bytes[i] = binary[10 + i] }
    }
}
