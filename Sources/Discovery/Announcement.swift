import IOCOM

/// One message by which a server makes itself known: a header of 24 bytes and a text (application-layer.md 9.1).
///
/// It proves nothing: everybody on the network can send one. It offers an address, no more.
public struct Announcement: Equatable, Sendable {
    /// Bytes of the header.
    public static let headerSize = 24
    /// Most bytes of the text, its NUL included.
    public static let longestText = 120
    /// Most bytes of a message.
    public static let longest = headerSize + longestText

    private static let mark: UInt8 = 0xB3
    private static let checksumOffset = 10

    /// When it was sent, microseconds since 1970; 0 when the sender has no clock.
    public var time: UInt64
    /// A number by chance.
    public var random: UInt16
    /// Counts the messages of a sender; starts over after 65535.
    public var counter: UInt16
    /// Ports for the marks without a number.
    public var ports: PublishText.Ports
    /// Nickname and networks.
    public var text: PublishText

    /// Composes a message.
    public init(time: UInt64, random: UInt16, counter: UInt16, ports: PublishText.Ports, text: PublishText) {
        self.time = time
        self.random = random
        self.counter = counter
        self.ports = ports
        self.text = text
    }

    /// Reads a datagram. Reserved bytes may be anything; the length must be exact.
    public init(parsing bytes: [UInt8]) throws(AnnouncementError) {
        guard bytes.count >= Self.headerSize else { throw .truncated }
        guard bytes[8] == Self.mark, Int(bytes[9]) == Self.headerSize else { throw .notAnnouncement }
        let length = Int(bytes[16])
        let came = bytes.count - Self.headerSize
        guard (1...Self.longestText).contains(length), came == length else {
            throw .textLength(said: length, came: came)
        }
        guard Self.checksum(bytes) == Self.number(bytes, Self.checksumOffset, width: 2) else { throw .checksum }
        guard bytes.last == 0 else { throw .notText }
        time = Self.number(bytes, 0, width: 8)
        ports = PublishText.Ports(
            tls: UInt16(truncatingIfNeeded: Self.number(bytes, 12, width: 2)),
            plain: UInt16(truncatingIfNeeded: Self.number(bytes, 18, width: 2)))
        random = UInt16(truncatingIfNeeded: Self.number(bytes, 14, width: 2))
        counter = UInt16(truncatingIfNeeded: Self.number(bytes, 20, width: 2))
        text = try PublishText(parsing: bytes[Self.headerSize..<bytes.count - 1], ports: ports)
    }

    /// The datagram. Throws when the text is too long or holds what can't be said.
    public func bytes() throws(AnnouncementError) -> [UInt8] {
        let body = try text.formatted(ports: ports) + [0]
        guard body.count <= Self.longestText else { throw .tooLong }
        var bytes = [UInt8](repeating: 0, count: Self.headerSize)
        Self.put(time, into: &bytes, 0, width: 8)
        bytes[8] = Self.mark
        bytes[9] = UInt8(Self.headerSize)
        Self.put(UInt64(ports.tls), into: &bytes, 12, width: 2)
        Self.put(UInt64(random), into: &bytes, 14, width: 2)
        bytes[16] = UInt8(body.count)
        Self.put(UInt64(ports.plain), into: &bytes, 18, width: 2)
        Self.put(UInt64(counter), into: &bytes, 20, width: 2)
        bytes += body
        Self.put(Self.checksum(bytes), into: &bytes, Self.checksumOffset, width: 2)
        return bytes
    }

    /// The checksum of a whole message, for which its own field counts as 0.
    private static func checksum(_ bytes: [UInt8]) -> UInt64 {
        var bytes = bytes
        put(0, into: &bytes, checksumOffset, width: 2)
        return UInt64(CRC16.of(bytes))
    }

    /// A little endian number; the caller knows that it lies inside.
    private static func number(_ bytes: [UInt8], _ offset: Int, width: Int) -> UInt64 {
        (0..<width).reduce(0) { $0 | UInt64(bytes[offset + $1]) << UInt64(8 * $1) }
    }

    private static func put(_ value: UInt64, into bytes: inout [UInt8], _ offset: Int, width: Int) {
        for i in 0..<width { bytes[offset + i] = UInt8(truncatingIfNeeded: value >> UInt64(8 * i)) }
    }
}
