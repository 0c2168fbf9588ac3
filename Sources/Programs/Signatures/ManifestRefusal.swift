/// Why a device does not take the package that a manifest describes.
public enum ManifestRefusal: Error, Equatable, Sendable, CustomStringConvertible {
    /// It is not for this device.
    case unfit([Fit.Mismatch])
    /// It is, or may be, older than what runs, and its manifest does not permit that.
    case older(package: ProgramVersion, device: ProgramVersion?)
    /// The package has another size than its manifest says.
    case size(manifest: Int, package: Int)
    /// The package has other bytes than its manifest says.
    case hash

    /// The reason for people.
    public var description: String {
        switch self {
        case .unfit(let reasons): "the signed package " + reasons.map(\.description).joined(separator: "; it ")
        case .older(let package, let device):
            "the signed package is version \(package), "
                + (device.map { "older than \($0) which runs; " } ?? "and what runs does not say its version; ")
                + "its maker can permit that when signing it ('ispy package sign --allow-downgrade')"
        case .size(let manifest, let package):
            "the package has \(package) bytes, its manifest says \(manifest)"
        case .hash: "the package is not the one that was signed: its bytes differ from the manifest's SHA-256"
        }
    }
}

extension SignedManifest {
    /// The manifest in `bytes`, when one of `keys` signed it and it permits its package on `device`. The one place that
    /// decides before a package comes; what came is checked with ``PackageManifest/check(size:sha256:)``.
    public static func permitted(
        _ bytes: [UInt8], by keys: [TrustedKey], on device: ProgramTarget
    ) throws -> PackageManifest {
        let signed = try SignedManifest(parsing: bytes)
        try signed.verify(keys)
        try signed.manifest.check(for: device)
        return signed.manifest
    }
}

extension PackageManifest {
    /// Throws when the package is not for `device`, or is older than what runs there without permission.
    public func check(for device: ProgramTarget) throws(ManifestRefusal) {
        switch Fit(application: application, os: os, hardware: hardware, version: version, for: device) {
        case .unfit(let reasons): throw .unfit(reasons)
        case .fits(.older) where !allowsDowngrade:
            throw .older(package: version, device: device.version)
        // What runs does not say its version: every older package would pass.
        case .fits(.unknown) where !allowsDowngrade: throw .older(package: version, device: nil)
        case .fits: return
        }
    }

    /// Throws when what came is not what was signed.
    public func check(size: Int, sha256: [UInt8]) throws(ManifestRefusal) {
        guard size == self.size else { throw .size(manifest: self.size, package: size) }
        guard sha256 == self.sha256 else { throw .hash }
    }
}
