/// A saved connection: everything that `--connect`, `--user` and `--trust` say, under a name. Never a password.
public struct ConnectionProfile: Sendable, Hashable {
    /// The address of the server, "tls://host:6369" (DESIGN.md section 3).
    public var connect: String
    /// The account with its network, "root.cafenet"; nil to be asked or told.
    public var user: String?
    /// The file with the certificate authority to trust; nil for those of the system.
    public var trust: String?
    /// The file holds the server's own certificate, which somebody has compared: only that one is trusted.
    public var isPinned: Bool
    /// The certificate must name the host.
    public var verifiesHostName: Bool

    /// Describes a connection.
    public init(
        connect: String, user: String? = nil, trust: String? = nil, isPinned: Bool = false,
        verifiesHostName: Bool = true
    ) {
        self.connect = connect
        self.user = user
        self.trust = trust
        self.isPinned = isPinned
        self.verifiesHostName = verifiesHostName
    }

    /// The most bytes that the name of a profile may have.
    public static let longestName = 64
    /// The most bytes that each text of a profile may have.
    public static let longestText = 1024

    /// Why `name` cannot name a profile; nil when it can: letters, digits, dot, dash and underscore, no dash in front.
    public static func objection(toName name: String) -> String? {
        guard !name.isEmpty, name.utf8.count <= longestName else { return "it needs 1 to \(longestName) characters" }
        let isPlain = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
            case UInt8(ascii: "0")...UInt8(ascii: "9"): true
            default: byte == UInt8(ascii: ".") || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
            }
        }
        guard isPlain else { return "only letters, digits, dot, dash and underscore are possible" }
        return name.hasPrefix("-") ? "a dash in front would look like an option" : nil
    }

    /// Why this profile is not saved; nil when it is good.
    public var objection: String? {
        guard !connect.isEmpty else { return "the address is empty" }
        for text in [connect, user, trust].compactMap(\.self) {
            guard text.utf8.count <= Self.longestText else { return "a text is longer than \(Self.longestText) bytes" }
            guard text == DisplayText.clean(text) else { return "a text holds control characters" }
        }
        // user:password@host is legal in a URL and would end up in the file.
        guard let scheme = connect.firstRange(of: "://") else { return "the address has no scheme such as tls://" }
        let authority = connect[scheme.upperBound...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        return authority.contains("@") ? "the address holds a user or password: use --user and a password file" : nil
    }
}
