/// The bytes a client sends before its first frame on TCP or TLS (wire-protocol.md 1.3).
public struct SocketHandshake: Equatable, Sendable {
    /// What kind of client it is.
    public enum Client: UInt8, Sendable {
        /// A service that publishes itself at a switchbox.
        case service = 0x12
        /// A device, an operator, or a server that connects onward.
        case ordinary = 0x13
    }

    /// First byte that a server sends on a TLS connection.
    public static let tlsMark: UInt8 = 0x5B
    private static let nameFollows: UInt8 = 0x40
    private static let wantsCertificateBit: UInt8 = 0x80

    /// Kind of client.
    public var client: Client
    /// Network it wants; only a switchbox routes on it.
    public var network: NetworkName
    /// The client asks for a copy of the trust certificate.
    public var wantsCertificate: Bool

    /// Composes a handshake.
    public init(client: Client = .ordinary, network: NetworkName, wantsCertificate: Bool = false) {
        self.client = client
        self.network = network
        self.wantsCertificate = wantsCertificate
    }

    /// Parses the start of a connection; nil when more bytes are needed. `offset` then points behind the handshake.
    public init?(_ bytes: RawSpan, offset: inout Int) throws(ProtocolViolation) {
        var at = offset
        guard bytes.byteCount > at else { return nil }
        let type = try bytes.takeByte(&at)
        guard let client = Client(rawValue: type & 0x3F) else { throw .clientType(type) }
        var network = NetworkName()
        if type & Self.nameFollows != 0 {
            guard bytes.byteCount > at else { return nil }
            let length = try bytes.takeByte(&at)
            guard length >= 1, length <= 24 else { throw .handshakeNameLength(length) }
            guard bytes.byteCount - at >= Int(length) else { return nil }
            // The last byte is the NUL; like the original we do not insist on it.
            network = NetworkName(bytes, offset: at, length: Int(length) - 1) ?? network
            at += Int(length)
        }
        self.init(client: client, network: network, wantsCertificate: type & Self.wantsCertificateBit != 0)
        offset = at
    }

    /// Writes the handshake; the number of bytes, or 0 when it does not fit.
    public func encode(into out: UnsafeMutableRawBufferPointer) -> Int {
        var writer = WireWriter(out)
        let certificate = wantsCertificate ? Self.wantsCertificateBit : 0
        if network.isEmpty {
            writer.put(client.rawValue | certificate)
        } else {
            writer.put(client.rawValue | certificate | Self.nameFollows)
            writer.put(UInt8(network.count + 1))
            for i in 0..<network.count { writer.put(network[i]) }
            writer.put(0)
        }
        return writer.overflowed ? 0 : writer.count
    }
}
