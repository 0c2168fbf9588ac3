public import ByteTools
import Crypto

/// A public key that packages may be signed with, in the form of signify(1).
public struct TrustedKey: Sendable, Hashable {
    /// Bytes of a key file that are looked at.
    public static let largestFile = 2048
    /// Keys that a device trusts at once.
    public static let most = 16
    static let size = 32

    /// The number by which signatures name it.
    public let number: KeyNumber
    let bytes: [UInt8]

    init(number: KeyNumber, bytes: [UInt8]) {
        self.number = number
        self.bytes = bytes
    }

    /// Reads the content of a public key file.
    public init(parsing text: [UInt8]) throws(SignifyError) {
        guard text.count <= Self.largestFile else { throw .form("it is longer than any key") }
        let (bytes, rest) = try SignifyText.parse(text[...])
        guard bytes.count == 2 + KeyNumber.size + Self.size else { throw .form("it is not a public key") }
        guard rest.isEmpty else { throw .form("something follows the key") }
        number = KeyNumber(bytes[2..<(2 + KeyNumber.size)])
        self.bytes = Array(bytes.suffix(Self.size))
    }

    /// The content of a public key file.
    public func text(comment: String) -> String {
        SignifyText.text(SignifyText.scheme + number.bytes + bytes, comment: comment)
    }

    /// Number and key, 40 bytes: how microcontrollers keep it (docs/firmware.md).
    public var deviceForm: [UInt8] { number.bytes + bytes }

    /// True when `signature` is this key's of `message`.
    func verifies(_ signature: [UInt8], of message: some Sequence<UInt8>) -> Bool {
        guard let key = try? Curve25519.Signing.PublicKey(rawRepresentation: bytes) else { return false }
        return key.isValidSignature(signature, for: Array(message))
    }

    /// Reads one key file.
    public init(file path: String) throws(StorageFailure) {
        let file = try File(path, .read)
        let size = try file.byteCount
        guard size <= Self.largestFile else { throw StorageFailure("\(path) is longer than any key") }
        let bytes = try file.read(at: 0, count: size)
        do { try self.init(parsing: bytes) } catch { throw StorageFailure("\(path): \(error)") }
    }

    /// Reads every `*.pub` of a folder, or the one file that `path` is. Only what does not exist holds no keys. A folder
    /// without a key, or with one that can't be read, is an error: a device never trusts more than its owner thinks.
    public static func load(_ path: String) throws(StorageFailure) -> [TrustedKey] {
        guard try Folder.isThere(path) else { return [] }
        guard Folder.exists(path) else { return [try TrustedKey(file: path)] }
        let listing = try Folder.names(in: path, limit: 1000)
        let names = listing.names.filter { $0.hasSuffix(".pub") }
        guard listing.complete, !names.isEmpty else {
            throw StorageFailure("\(path) holds no key for packages (*.pub), or too much else: no package is accepted")
        }
        guard names.count <= most else { throw StorageFailure("\(path) holds more than \(most) keys") }
        var keys: [TrustedKey] = []
        for name in names { keys.append(try TrustedKey(file: path + "/" + name)) }
        return keys
    }
}
