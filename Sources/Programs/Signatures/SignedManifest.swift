public import ByteTools

/// A manifest with its signature in front, as `signify -S -e` writes it: the file `PACKAGE.manifest`, and what travels as
/// persistent block 13 before the program.
public struct SignedManifest: Sendable, Hashable {
    /// Longest in bytes.
    public static let longest = 4096
    private static let signatureSize = 64

    /// What was signed. Means nothing before ``verify(_:)``.
    public let manifest: PackageManifest
    /// The key that the signature names.
    public let key: KeyNumber
    /// The whole file.
    public let text: String
    private let signature: [UInt8]

    /// Why bytes are no signed manifest.
    public enum ParseError: Error, Equatable, Sendable, CustomStringConvertible {
        /// Longer than ``SignedManifest/longest``.
        case tooLong
        /// The signature's lines are wrong.
        case signature(SignifyError)
        /// The text below it is wrong.
        case manifest(PackageManifest.ParseError)

        /// The reason for people.
        public var description: String {
            switch self {
            case .tooLong: "longer than the \(SignedManifest.longest) bytes a signed manifest may have"
            case .signature(let error): error.description
            case .manifest(let error): error.description
            }
        }
    }

    init(manifest: PackageManifest, key: KeyNumber, signature: [UInt8], text: String) {
        self.manifest = manifest
        self.key = key
        self.signature = signature
        self.text = text
    }

    /// Reads a signed manifest without checking the signature.
    public init(parsing bytes: [UInt8]) throws(ParseError) {
        guard bytes.count <= Self.longest else { throw .tooLong }
        let parts: (bytes: [UInt8], rest: ArraySlice<UInt8>)
        do throws(SignifyError) {
            parts = try SignifyText.parse(bytes[...])
            guard parts.bytes.count == 2 + KeyNumber.size + Self.signatureSize else {
                throw SignifyError.form("it is not a signature")
            }
        } catch { throw .signature(error) }
        do { manifest = try PackageManifest(parsing: parts.rest) } catch { throw .manifest(error) }
        key = KeyNumber(parts.bytes[2..<(2 + KeyNumber.size)])
        signature = Array(parts.bytes.suffix(Self.signatureSize))
        text = String(decoding: bytes, as: UTF8.self)
    }

    /// Throws unless one of `keys` signed this manifest.
    @discardableResult
    public func verify(_ keys: [TrustedKey]) throws(SignifyError) -> TrustedKey {
        let candidates = keys.filter { $0.number == key }
        guard !candidates.isEmpty else { throw .unknownKey(key.description) }
        // The text form is exact: what was parsed and written again is what was signed.
        guard let signer = candidates.first(where: { $0.verifies(signature, of: manifest.text.utf8) }) else {
            throw .wrongSignature
        }
        return signer
    }

    private static let fileExtension = ".manifest"

    /// Where the manifest of a package file is.
    public static func path(of package: String) -> String { package + fileExtension }

    /// The package that a manifest of that name is for; nil when it is no name of a manifest.
    static func package(ofManifest name: String) -> String? {
        name.hasSuffix(fileExtension) ? String(name.dropLast(fileExtension.count)) : nil
    }

    /// Reads the manifest beside a package file; nil when there is none.
    public static func read(beside package: String) throws(StorageFailure) -> SignedManifest? {
        let path = path(of: package)
        let file: File
        do { file = try File(path, .read) } catch {
            guard error.isNoSuchFile else { throw error }
            return nil
        }
        let size = try file.byteCount
        guard size <= longest else { throw StorageFailure("\(path): \(ParseError.tooLong)") }
        let bytes = try file.read(at: 0, count: size)
        do { return try SignedManifest(parsing: bytes) } catch { throw StorageFailure("\(path): \(error)") }
    }
}
