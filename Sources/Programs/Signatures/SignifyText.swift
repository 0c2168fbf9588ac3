import ByteTools
import FoundationEssentials

/// The text form that signify(1) gives keys and signatures: a line with a comment that nobody signed, and a line of base64.
enum SignifyText {
    /// What stands in front of every comment.
    private static let lead = "untrusted comment: "
    /// Longest comment, as signify allows.
    static let longestComment = 1023
    /// Signature scheme of all keys and signatures: Ed25519.
    static let scheme = Array("Ed".utf8)

    /// Splits `text` into the bytes of its second line and what follows.
    static func parse(_ text: ArraySlice<UInt8>) throws(SignifyError) -> (bytes: [UInt8], rest: ArraySlice<UInt8>) {
        let (comment, afterComment) = try line(text, atMost: lead.utf8.count + longestComment)
        guard comment.starts(with: lead.utf8) else { throw .form("the first line is not 'untrusted comment: …'") }
        let (encoded, rest) = try line(afterComment, atMost: 256)
        // One text for one meaning: other paddings and spare bits, which some readers take, are refused.
        guard let data = Data(base64Encoded: Data(encoded)), data.base64EncodedData().elementsEqual(encoded) else {
            throw .form("the second line is not base64")
        }
        guard data.starts(with: scheme) else { throw .form("it is not for Ed25519") }
        return (Array(data), rest)
    }

    private static func line(
        _ text: ArraySlice<UInt8>, atMost limit: Int
    ) throws(SignifyError) -> (ArraySlice<UInt8>, rest: ArraySlice<UInt8>) {
        guard let end = text.prefix(limit + 1).firstIndex(of: UInt8(ascii: "\n")) else {
            throw .form("a line is missing or too long")
        }
        return (text[text.startIndex..<end], text[(end + 1)...])
    }

    /// The two lines for `bytes`.
    static func text(_ bytes: [UInt8], comment: String) -> String {
        let visible = comment.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7F }
        var kept = String(String.UnicodeScalarView(visible))
        while kept.utf8.count > longestComment { kept.removeLast() }
        return lead + kept + "\n" + Data(bytes).base64EncodedString() + "\n"
    }
}

/// Why a key or a signature can't be used.
public enum SignifyError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Not in signify's form.
    case form(String)
    /// A secret key that is protected by a passphrase.
    case protectedKey
    /// The parts of a secret key contradict each other.
    case damagedKey
    /// Signed with a key that is not among the trusted ones.
    case unknownKey(String)
    /// The signature is not that of this text by this key.
    case wrongSignature

    /// The reason for people.
    public var description: String {
        switch self {
        case .form(let reason): "not a key or signature file of signify: \(reason)"
        case .protectedKey:
            "the secret key is protected by a passphrase, which only signify can open: "
                + "sign the manifest with 'signify-openbsd -S -e -s KEY -m MANIFEST -x FILE.manifest'"
        case .damagedKey: "the secret key is damaged"
        case .unknownKey(let number): "signed with the key \(number), which is not a trusted one"
        case .wrongSignature: "the signature is wrong: the manifest was changed, or is signed with another key"
        }
    }
}

/// The eight random bytes by which a signature names its key.
public struct KeyNumber: Sendable, Hashable, CustomStringConvertible {
    static let size = 8
    let bytes: [UInt8]

    init(_ bytes: some Sequence<UInt8>) { self.bytes = Array(bytes) }

    /// Sixteen hexadecimal digits.
    public var description: String { hexadecimal(bytes) }
}
