public import FirmwareImages
public import IOCOM

/// What a device is, for the question whether a package is for it. Other than in checks of images, an empty text is not
/// "any": it never fits.
public struct ManifestTarget: Sendable {
    /// Device name without number.
    public var application: ShortText<15>
    /// Operating system, as in package names.
    public var os: ShortText<7>
    /// Hardware, as in package names.
    public var hardware: ShortText<16>
    /// Version of the program that runs, `YYMMDD-HHMM`. With anything else it counts as unknown, and only packages that
    /// may be older are taken.
    public var version: ShortText<15>

    /// A target.
    public init(
        application: ShortText<15>, os: ShortText<7>, hardware: ShortText<16>, version: ShortText<15>
    ) {
        self.application = application
        self.os = os
        self.hardware = hardware
        self.version = version
    }
}

/// The package that a signed manifest permits. What comes has to have this size and this hash.
public struct PermittedPackage: Sendable {
    /// Bytes of the package.
    public let size: UInt32
    /// SHA-256 of the package: of the whole file, while the trailer of an image has that of everything before the trailer.
    public let sha256: ImageDigest
}

/// Checks signed manifests on a device: the form of `SignedManifest` of the host, with the same decisions, but without
/// allocation, and no more state than the text itself.
public enum ManifestCheck {
    /// Longest signed manifest in bytes.
    public static let longest = 4096

    private static let signatureOffset = 2 + ManifestKey.numberSize

    /// The package that `bytes` permits on `target`. Throws unless one of `keys` signed it, and it is for this device and
    /// not older than what runs there (or may be).
    ///
    /// A package of 4 GiB or more is refused here; the host's check has no such limit.
    public static func permitted(
        _ bytes: RawSpan, by keys: Span<ManifestKey>, on target: ManifestTarget
    ) throws(ManifestProblem) -> PermittedPackage {
        guard bytes.byteCount <= longest else { throw .tooLong }
        var start = 0
        let signature: InlineArray<74, UInt8> = try SignifyLines.read(bytes, at: &start)
        let manifest = try ManifestText(parsing: bytes, from: start)
        try verify(signature.span.bytes, of: bytes.extracting(droppingFirst: start), by: keys)
        guard isEqual(target.application, bytes, manifest.application) else { throw .application }
        guard isEqual(target.os, bytes, manifest.os) else { throw .os }
        guard isEqual(target.hardware, bytes, manifest.hardware) else { throw .hardware }
        if !manifest.allowsDowngrade {
            // When what runs does not say its version, every older package would pass.
            guard let running = version(target.version), manifest.version.order >= running.order else { throw .older }
        }
        return PermittedPackage(size: manifest.size, sha256: manifest.sha256)
    }

    /// Throws unless one of `keys` has the number in the signature and made it.
    private static func verify(
        _ signature: RawSpan, of text: RawSpan, by keys: Span<ManifestKey>
    ) throws(ManifestProblem) {
        var isKnown = false
        for i in keys.indices where hasNumber(keys[i], signature) {
            isKnown = true
            let isValid = Ed25519.isValid(
                signature: signature.extracting(droppingFirst: signatureOffset), of: text, by: keys[i].bytes.span.bytes)
            if isValid { return }
        }
        throw isKnown ? .wrongSignature : .unknownKey
    }

    private static func hasNumber(_ key: ManifestKey, _ signature: RawSpan) -> Bool {
        for i in 0..<ManifestKey.numberSize
        where key.number[i] != signature.unsafeLoad(fromByteOffset: 2 + i, as: UInt8.self) { return false }
        return true
    }

    private static func isEqual<let limit: Int>(_ text: ShortText<limit>, _ bytes: RawSpan, _ range: Range<Int>) -> Bool
    {
        guard text.count == range.count else { return false }
        for i in 0..<text.count
        where text[i] != bytes.unsafeLoad(fromByteOffset: range.lowerBound + i, as: UInt8.self) { return false }
        return true
    }

    private static func version(_ text: ShortText<15>) -> ManifestVersion? {
        var bytes = InlineArray<15, UInt8>(repeating: 0)
        for i in 0..<text.count { bytes[i] = text[i] }
        return ManifestVersion(bytes.span.bytes, 0..<text.count)
    }
}
