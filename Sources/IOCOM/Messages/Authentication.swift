/// The authentication message: who a peer says it is and what it can do (wire-protocol.md 4.1).
public struct Authentication: Equatable, Sendable {
    /// Flags of an authentication.
    public struct Flags: OptionSet, Sendable, Hashable {
        /// The byte on the wire.
        public let rawValue: UInt8
        /// From the wire or from constants.
        public init(rawValue: UInt8) { self.rawValue = rawValue }
        /// "Administrator wanted" in the original, which never sends it. On a serial line: this client kept its blocks and
        /// transfers since its last connection on the line (docs/protocol-extensions.md).
        public static let continues = Flags(rawValue: 1)
        /// A unique id follows the device number.
        public static let uniqueID = Flags(rawValue: 2)
        /// The sender has no certificate chain and would like one.
        public static let wantsCertificate = Flags(rawValue: 4)
        /// This is a cloud connection.
        public static let cloud = Flags(rawValue: 8)
        /// The sender is the lower end: it connects up.
        public static let connectUp = Flags(rawValue: 16)
        /// The sender can do bidirectional transfer of DOWN blocks.
        public static let bidirectional = Flags(rawValue: 128)
        fileprivate static let number2 = Flags(rawValue: 32)
        fileprivate static let number4 = Flags(rawValue: 64)
    }

    /// Twelve bytes that tell devices with an automatic number apart; not a secret.
    public typealias UniqueID = InlineArray<12, UInt8>

    /// What the sender says of itself; width flags are set by the encoder.
    public var flags: Flags
    /// User or device name without number.
    public var user: UserName
    /// Device number; 0 for none or automatic.
    public var number: UInt32
    /// Present iff ``flags`` has `uniqueID`.
    public var uniqueID: UniqueID
    /// Network the sender wants to be in.
    public var network: NetworkName
    /// Password in clear; only a client on TLS sends one.
    public var password: PasswordText
    /// Largest frame the sender receives; 0 when it does not say.
    public var frameSize: UInt32

    /// Composes an authentication. Numbers of 9000 and above are sent as 0 (3.6).
    public init(
        flags: Flags, user: UserName, number: UInt32, uniqueID: UniqueID? = nil, network: NetworkName,
        password: PasswordText = PasswordText(), frameSize: UInt32
    ) {
        self.flags = uniqueID == nil ? flags.subtracting(.uniqueID) : flags.union(.uniqueID)
        self.user = user
        self.number = number >= AutomaticNumber.request ? 0 : number
        self.uniqueID = uniqueID ?? UniqueID(repeating: 0)
        self.network = network
        self.password = password
        self.frameSize = frameSize
    }

    /// Parses the payload of a system frame of type 2.
    public init(_ payload: RawSpan, frameSize: UInt32) throws(ProtocolViolation) {
        var at = 1
        let flags = Flags(rawValue: try payload.takeByte(&at))
        user = try payload.takeText(&at, as: UserName.self)
        let width = flags.contains(.number4) ? 4 : flags.contains(.number2) ? 2 : 1
        number = try payload.takeUnsigned(&at, width: width)
        uniqueID = UniqueID(repeating: 0)
        if flags.contains(.uniqueID) {
            for i in 0..<12 { uniqueID[i] = try payload.takeByte(&at) }
        }
        network = try payload.takeText(&at, as: NetworkName.self)
        password = try payload.takeText(&at, as: PasswordText.self)
        self.flags = flags.subtracting([.number2, .number4])
        self.frameSize = frameSize
    }

    /// Writes the payload; the number of bytes, or 0 when it does not fit.
    public func encode(into out: UnsafeMutableRawBufferPointer) -> Int {
        let width = fieldWidth(number)
        var all = flags
        if width == 2 { all.insert(.number2) }
        if width == 4 { all.insert(.number4) }
        var writer = WireWriter(out)
        writer.put(SystemMessage.authentication)
        writer.put(all.rawValue)
        writer.put(user)
        writer.put(number, width: width)
        if flags.contains(.uniqueID) {
            for i in 0..<12 { writer.put(uniqueID[i]) }
        }
        writer.put(network)
        writer.put(password)
        return writer.overflowed ? 0 : writer.count
    }

    /// Longest payload an authentication can have.
    static let longest = 1 + 1 + 26 + 4 + 12 + 24 + 46

    /// Compares all fields.
    public static func == (a: Authentication, b: Authentication) -> Bool {
        for i in 0..<12 where a.uniqueID[i] != b.uniqueID[i] { return false }
        return a.flags == b.flags && a.user == b.user && a.number == b.number && a.network == b.network
            && a.password == b.password && a.frameSize == b.frameSize
    }
}
