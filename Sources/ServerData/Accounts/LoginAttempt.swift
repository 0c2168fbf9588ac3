public import IOCOM

/// What a peer said in its authentication, and from where (application-layer.md 7.4).
public struct LoginAttempt: Sendable {
    /// User or device name without number.
    public var name: UserName
    /// Device number, 0 for users and for devices with an automatic number.
    public var number: UInt32
    /// True when a unique id came along: a device that has its number given by the server (wire-protocol.md 4.1, flag 2).
    public var hasUniqueID: Bool
    /// The IO network it wants to be in.
    public var network: NetworkName
    /// The password in plain text.
    public var password: PasswordText
    /// The peer's address; nil when it is not known, then no whitelist helps.
    public var peer: IPAddress?

    /// Collects the facts.
    public init(
        name: UserName, number: UInt32 = 0, hasUniqueID: Bool = false, network: NetworkName, password: PasswordText,
        peer: IPAddress? = nil
    ) {
        self.name = name
        self.number = number
        self.hasUniqueID = hasUniqueID
        self.network = network
        self.password = password
        self.peer = peer
    }

    /// The name that accounts are compared with: the number is appended when it is not zero.
    public var user: String { number == 0 ? name.description : "\(name)\(number)" }

    /// The password as it came, in whatever encoding.
    public var passwordBytes: [UInt8] { (0..<password.count).map { password[$0] } }

    /// True when name and network are fit to be compared at all: not empty, no control characters and valid UTF-8, and
    /// no dot in the name. A dot separates user and network in accounts of other networks (`frank*.cafenet`), so a name
    /// with a dot could pose as somebody of another network.
    var isWellFormed: Bool {
        func isFit(_ text: String) -> Bool {
            !text.isEmpty && text.unicodeScalars.allSatisfy { $0.value >= 32 && $0.value != 127 && $0 != "\u{FFFD}" }
        }
        let user = name.description
        let network = network.description
        return isFit(user) && isFit(network) && !user.contains(".")
    }
}
