/// Why a device does not take the package that a signed manifest describes.
public enum ManifestProblem: UInt8, Error, Equatable, Sendable {
    /// Longer than ``ManifestCheck/longest``.
    case tooLong
    /// The two lines of the signature, or of a key, are not as signify(1) writes them.
    case signature
    /// The text below the signature is no manifest, or not written as it has to be.
    case manifest
    /// The keys of this device can't be read.
    case noKeys
    /// None of the keys of this device has the number that the signature names.
    case unknownKey
    /// The signature is not that of this text by that key.
    case wrongSignature
    /// The package is larger than any device of this kind can count: 4 GiB or more.
    case size
    /// It is another application.
    case application
    /// It is for another operating system.
    case os
    /// It is for other hardware.
    case hardware
    /// It is, or may be, older than what runs, and its maker did not permit that.
    case older
}
