/// Something in a document that the original's conversion of packed JSON to text cannot cope with
/// (application-layer.md 5.6). Packing and unpacking here have no such problem.
public struct OriginalHazard: Equatable, Sendable, CustomStringConvertible {
    /// What goes wrong there.
    public enum Kind: Equatable, Sendable {
        /// The text begins with a character that text JSON has to escape, or has two of them in a row: the original
        /// runs in circles until its memory is full.
        case endlessLoop
        /// An array holds something else than objects: the original writes text that is not JSON.
        case arrayOfPlainValues
    }

    /// What goes wrong.
    public let kind: Kind
    /// Where, as in `accounts.accounts[0].user`.
    public let path: String

    /// For people.
    public var description: String {
        switch kind {
        case .endlessLoop:
            "\(path): a text that begins with a quote, backslash or control character, or has two of them in a row,"
                + " stops programs of the original"
        case .arrayOfPlainValues: "\(path): programs of the original can only read arrays of objects"
        }
    }
}

extension JSON {
    /// The first thing in the document that a node of the original would fail on; nil when there is none.
    ///
    /// Ask before sending a document to a node that may unpack it to text: accounts and network configuration.
    public var originalHazard: OriginalHazard? { hazard(path: "") }

    /// True when nodes of the original can read all of the document.
    public var isSafeForOriginal: Bool { originalHazard == nil }

    /// True when a node of the original can convert this text from packed form.
    public static func isSafeForOriginal(_ text: String) -> Bool {
        var previousNeedsEscape = true
        for byte in text.utf8 {
            let needsEscape = byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
            if needsEscape && previousNeedsEscape { return false }
            previousNeedsEscape = needsEscape
        }
        return true
    }

    private func hazard(path: String) -> OriginalHazard? {
        switch self {
        case .string(let text):
            return JSON.isSafeForOriginal(text) ? nil : OriginalHazard(kind: .endlessLoop, path: path)
        case .array(let elements):
            for (index, element) in elements.enumerated() {
                guard element.members != nil else { return OriginalHazard(kind: .arrayOfPlainValues, path: path) }
                if let hazard = element.hazard(path: "\(path)[\(index)]") { return hazard }
            }
        case .object(let members):
            for member in members {
                let place = path.isEmpty ? member.name : "\(path).\(member.name)"
                guard JSON.isSafeForOriginal(member.name) else {
                    return OriginalHazard(kind: .endlessLoop, path: place)
                }
                if let hazard = member.value.hazard(path: place) { return hazard }
            }
        case .null, .bool, .integer, .number: break
        }
        return nil
    }
}
