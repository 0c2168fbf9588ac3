import IOCOM
public import PackedJSON

/// What a field of a network configuration may hold (application-layer.md 7.1).
public enum FieldRule: Equatable, Sendable {
    /// Letters and underscores, 1 to 15.
    case deviceName
    /// `*` or 1 to 8998.
    case deviceNumber
    /// 1 to 23 letters, digits, dashes and underscores, or `*`.
    case networkName
    /// Network names with commas between.
    case networkNames
    /// Password that the node logs in with: at most 45 bytes.
    case password
    /// One of ``NetworkTransport``.
    case transport
    /// A ``ConnectTarget``; for a serial line any text.
    case parameters
    /// Words with commas between.
    case flags
    /// 0 or 1.
    case flag
    /// A numeric address, or `*`.
    case address
    /// Six pairs of hexadecimal digits, or `*`.
    case hardwareAddress
    /// Name of a Wi-Fi network: at most 32 bytes.
    case wifiName
    /// Password of a Wi-Fi network: 8 to 63 characters, or none.
    case wifiPassword
    /// Any text of at most this many bytes.
    case text(most: Int)

    /// Words that ``flags`` may hold.
    public static let flagWords = ["connect", "listen", "up", "down", "cloud"]

    /// True when the value must not be shown.
    public var isSecret: Bool { self == .password || self == .wifiPassword }

    /// The value of a text that somebody typed, with the type that the field has on the wire.
    public func value(of text: String) -> JSON {
        switch self {
        case .flag:
            switch text {
            case "true", "yes", "on": return .integer(1)
            case "false", "no", "off": return .integer(0)
            default: return Int64(text).map { .integer($0) } ?? .string(text)
            }
        case .deviceNumber: return Int64(text).map { .integer($0) } ?? .string(text)
        default: return .string(text)
        }
    }

    /// What is wrong with a value; nil when it is allowed.
    public func problem(with value: JSON) -> String? {
        switch (self, value) {
        case (.flag, .integer(0...1)): return nil
        case (.flag, .string(let text)) where text == "0" || text == "1":
            return "is the text \"\(text)\"; it must be the number \(text), or devices do not see it"
        case (.flag, _): return "\(shown(value)) is not 0 or 1"
        case (.deviceNumber, .integer(let number)):
            return (1...Int64(NumberSetting.largest)).contains(number) ? nil : numberProblem(value)
        case (.deviceNumber, .string(let text)):
            if text == "*" || text == "auto" { return nil }
            return text == (UInt32(text).map(String.init) ?? "") && NumberSetting(reading: text) != .automatic
                ? nil : numberProblem(value)
        case (.deviceNumber, _): return numberProblem(value)
        case (_, .string(let text)):
            guard JSON.isSafeForOriginal(text) else {
                return
                    "a text that begins with a quote, backslash or control character, or has two of them in a row, stops programs of the original"
            }
            return textProblem(text)
        default: return "\(shown(value)) is not a text"
        }
    }

    private func textProblem(_ text: String) -> String? {
        switch self {
        case .deviceName:
            guard (1...15).contains(text.utf8.count), text.utf8.allSatisfy({ Self.isLetter($0) || $0 == 0x5F }) else {
                return "\"\(text)\" is not 1 to 15 letters and underscores"
            }
        case .networkName:
            guard text == "*" || Self.isNetworkName(text) else {
                return "\"\(text)\" is not 1 to 23 letters, digits, dashes and underscores, or \"*\""
            }
        case .networkNames:
            let names = text.split(separator: ",", omittingEmptySubsequences: false)
            for name in names where !text.isEmpty && !Self.isNetworkName(String(name)) {
                return "\"\(name)\" is not 1 to 23 letters, digits, dashes and underscores"
            }
        case .password where text.utf8.count > 45: return "has more than the 45 bytes that can be sent"
        case .transport:
            guard NetworkTransport(rawValue: text) != nil else {
                let all = NetworkTransport.allCases.map(\.rawValue).joined(separator: ", ")
                return "\"\(text)\" is not one of \(all)"
            }
        case .parameters:
            guard ConnectTarget(text) != nil else {
                return "\"\(text)\" is not host, host:port, [IPv6 address]:port, or \"*\" to look for the server"
            }
        case .flags: return flagsProblem(text)
        case .address:
            guard text.isEmpty || text == "*" || NumericAddress.isIPv4(text) || NumericAddress.isIPv6(text) else {
                return "\"\(text)\" is not an IP address like 192.168.1.20, or \"*\""
            }
        case .hardwareAddress:
            guard text.isEmpty || text == "*" || Self.isHardwareAddress(text) else {
                return "\"\(text)\" is not six pairs of hexadecimal digits like 36:12:64:A4:B4:C4"
            }
        case .wifiName where text.utf8.count > 32: return "has more than the 32 bytes of a Wi-Fi name"
        case .wifiPassword:
            guard text.isEmpty || text == "*" || (8...63).contains(text.utf8.count) else {
                return "has \(text.utf8.count) bytes; a Wi-Fi password has 8 to 63"
            }
        case .text(let most) where text.utf8.count > most: return "has more than \(most) bytes"
        default: break
        }
        return nil
    }

    private func flagsProblem(_ text: String) -> String? {
        guard !text.isEmpty else { return nil }
        let words = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        for word in words where !Self.flagWords.contains(word) {
            return "\"\(word)\" is not one of \(Self.flagWords.joined(separator: ", "))"
        }
        for pair in [["connect", "listen"], ["up", "down"]] where pair.allSatisfy(words.contains) {
            return "\"\(text)\" has both \(pair[0]) and \(pair[1])"
        }
        return nil
    }

    private func numberProblem(_ value: JSON) -> String {
        "\(shown(value)) is not a number from 1 to \(NumberSetting.largest), or \"*\" for an automatic one"
    }

    /// A value for a message.
    func shown(_ value: JSON) -> String {
        if isSecret { return "the value" }
        let text = value.compactText
        return text.utf8.count <= 80 ? text : "the value"
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) }

    /// True for what may name an IO network.
    public static func isNetworkName(_ text: String) -> Bool {
        (1...23).contains(text.utf8.count)
            && text.utf8.allSatisfy { isLetter($0) || (0x30...0x39).contains($0) || $0 == 0x5F || $0 == 0x2D }
    }

    private static func isHardwareAddress(_ text: String) -> Bool {
        let parts = text.split(omittingEmptySubsequences: false) { $0 == ":" || $0 == "-" }
        return parts.count == 6
            && parts.allSatisfy { $0.utf8.count == 2 && $0.allSatisfy { $0.isASCII && $0.isHexDigit } }
    }
}
