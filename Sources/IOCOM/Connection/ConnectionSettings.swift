/// Everything a connection needs to know of its owner before it starts.
public struct ConnectionSettings {
    /// Who opened the connection.
    public enum Side: Sendable {
        /// Opened it: a device, an operator, a server connecting onward.
        case client
        /// Accepted it.
        case listener
    }

    /// Where the peer stands; a listener learns it from the client's authentication.
    public enum Direction: Sendable {
        /// This end is the lower one: its peer is higher in the hierarchy (device to server).
        case up
        /// This end is the upper one.
        case down
    }

    /// Who opened the connection.
    public var side: Side
    /// Direction of a client.
    public var direction: Direction
    /// Header layout.
    public var layout: FrameLayout
    /// TLS is below: the server sends a mark byte first, and a client sends its password.
    public var isSecure: Bool
    /// Name this end authenticates with: device name or user name without number.
    public var user: UserName
    /// Device number, 0 or ≥ 9000 for none or automatic.
    public var number: UInt32
    /// Tells an automatically numbered device from others.
    public var uniqueID: Authentication.UniqueID?
    /// Network of this end.
    public var network: NetworkName
    /// Password of a client; only sent when ``isSecure``.
    public var password: PasswordText
    /// Further authentication flags of a client (`wantsCertificate`, `cloud`).
    public var flags: Authentication.Flags
    /// This end can do bidirectional transfer of DOWN blocks.
    public var isBidirectional: Bool
    /// Largest frame this end receives and sends, 96…16384.
    public var frameSize: Int
    /// Handshake and authentication must be complete within this time.
    public var handshakeTimeout: Milliseconds = 10_000
    /// The connection ends when nothing was received for this time; nil for the layout's usual one (wire-protocol.md 2.8).
    /// Peers that keep to the protocol are silent for at most half of that.
    public var idleTimeout: Milliseconds?
    /// Gives zeroed memory for snapshots that are being received, or refuses.
    public var lend: (Int) -> LentMemory?

    /// Settings with the usual values.
    public init(
        side: Side, direction: Direction, layout: FrameLayout = .socket, isSecure: Bool, user: UserName, number: UInt32,
        network: NetworkName, password: PasswordText = PasswordText(), uniqueID: Authentication.UniqueID? = nil,
        flags: Authentication.Flags = [], isBidirectional: Bool = false, frameSize: Int = Limit.largestFrame,
        lend: @escaping (Int) -> LentMemory?
    ) {
        self.side = side
        self.direction = direction
        self.layout = layout
        self.isSecure = isSecure
        self.user = user
        self.number = number
        self.network = network
        self.password = password
        self.uniqueID = uniqueID
        self.flags = flags
        self.isBidirectional = isBidirectional
        self.frameSize = layout == .serial ? Limit.serialFrame : frameSize
        self.lend = lend
    }
}
