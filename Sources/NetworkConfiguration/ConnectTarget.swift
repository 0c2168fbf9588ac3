/// What the `parameters` of a connection to a socket say (application-layer.md 7.1).
public enum ConnectTarget: Equatable, Sendable {
    /// `*`, `[*]` or nothing: look for a server of the network.
    case discover(ipv6: Bool)
    /// `host`, `host:port` or `[address]:port`; without a port the transport's usual one.
    case host(String, port: Int?)
    /// `*:port`, `:port` or `[*]:port`: where to listen.
    case anyAddress(port: Int)

    /// Longest text: what fits the original's buffer for it.
    public static let longest = 63

    /// Reads a text; nil when it is none of these.
    public init?(_ text: String) {
        switch text {
        case "", "*": self = .discover(ipv6: false)
        case "[*]": self = .discover(ipv6: true)
        default:
            guard text.utf8.count <= Self.longest, let (host, port) = Self.split(text) else { return nil }
            if host.isEmpty || host == "*" {
                guard let port else { return nil }
                self = .anyAddress(port: port)
            } else {
                guard Self.isHost(host) else { return nil }
                self = .host(host, port: port)
            }
        }
    }

    private static func split(_ text: String) -> (host: String, port: Int?)? {
        var host = text[...]
        var behind: Substring?
        if text.first == "[" {
            guard let end = text.firstIndex(of: "]") else { return nil }
            host = text[text.index(after: text.startIndex)..<end]
            guard host == "*" || NumericAddress.isIPv6(host) else { return nil }
            let rest = text[text.index(after: end)...]
            guard rest.isEmpty || rest.first == ":" else { return nil }
            behind = rest.isEmpty ? nil : rest.dropFirst()
        } else if let colon = text.firstIndex(of: ":") {
            host = text[..<colon]
            behind = text[text.index(after: colon)...]
        }
        guard let behind else { return (String(host), nil) }
        guard (1...5).contains(behind.utf8.count), behind.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let port = Int(behind), (1...65_535).contains(port)
        else { return nil }
        return (String(host), port)
    }

    /// Letters, digits, dots, dashes and underscores, or an IPv6 address from between brackets.
    private static func isHost(_ text: String) -> Bool {
        if text.contains(":") { return NumericAddress.isIPv6(text) }
        return text.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"): true
            default: false
            }
        }
    }
}

extension ConnectTarget: CustomStringConvertible {
    /// The text for a configuration.
    public var description: String {
        switch self {
        case .discover(let ipv6): ipv6 ? "[*]" : "*"
        case .anyAddress(let port): "*:\(port)"
        case .host(let host, let port):
            (host.contains(":") ? "[\(host)]" : host) + (port.map { ":\($0)" } ?? "")
        }
    }
}
