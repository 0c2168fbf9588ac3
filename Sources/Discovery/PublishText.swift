public import IOCOM

/// Name that a server gives itself for people. Only the length of the text bounds it.
public typealias Nickname = ShortText<119>

/// What a server announces: its nickname and its networks, the text `nickname,item,item…` (application-layer.md 9.1).
public struct PublishText: Equatable, Sendable {
    /// One item, `marks:i:network`.
    public struct Network: Equatable, Sendable {
        /// Name, printable ASCII without comma and colon.
        public var name: NetworkName
        /// Where it is served; each mark once.
        public var endPoints: [EndPoint]

        /// Composes an item.
        public init(_ name: NetworkName, _ endPoints: [EndPoint]) {
            self.name = name
            self.endPoints = endPoints
        }
    }

    /// The ports in the header, for marks without a number. 0 is none.
    public struct Ports: Equatable, Sendable {
        /// For `t` and `T`.
        public var tls: UInt16
        /// For `s` and `S`.
        public var plain: UInt16

        /// Composes default ports.
        public init(tls: UInt16 = 0, plain: UInt16 = 0) {
            self.tls = tls
            self.plain = plain
        }

        /// The one for a mark.
        public subscript(_ mark: EndPoint.Mark) -> UInt16 { mark.isSecure ? tls : plain }
    }

    /// The server's name for people; may be empty.
    public var nickname: Nickname
    /// The networks that speak IOCOM.
    public var networks: [Network]

    /// Composes a text.
    public init(nickname: Nickname, networks: [Network]) {
        self.nickname = nickname
        self.networks = networks
    }

    private static let comma = UInt8(ascii: ",")
    private static let colon = UInt8(ascii: ":")
    /// The protocol IOCOM.
    private static let iocom = UInt8(ascii: "i")
    private static let zero = UInt8(ascii: "0")
    private static let nine = UInt8(ascii: "9")

    // MARK: Reading

    /// Reads the text without its NUL. Items of other protocols are left out.
    public init(parsing text: ArraySlice<UInt8>, ports: Ports) throws(AnnouncementError) {
        guard text.allSatisfy({ (0x20...0x7E).contains($0) }) else { throw .notText }
        var parts = text.split(separator: Self.comma, omittingEmptySubsequences: false)[...]
        guard let first = parts.popFirst(), let nickname = Nickname(utf8: first) else { throw .tooLong }
        self.nickname = nickname
        networks = []
        for part in parts {
            if let network = try Self.network(part, ports) { networks.append(network) }
        }
    }

    private static func network(
        _ item: ArraySlice<UInt8>, _ ports: Ports
    ) throws(AnnouncementError) -> Network? {
        let fields = item.split(separator: colon, omittingEmptySubsequences: false)
        guard fields.count == 3, !fields[1].isEmpty else { throw .item }
        guard fields[1].elementsEqual([iocom]) else { return nil }
        guard let name = NetworkName(utf8: fields[2]), !name.isEmpty else { throw .networkName }
        return Network(name, try endPoints(fields[0], ports))
    }

    private static func endPoints(
        _ marks: ArraySlice<UInt8>, _ ports: Ports
    ) throws(AnnouncementError) -> [EndPoint] {
        guard !marks.isEmpty else { throw .item }
        var rest = marks
        var result: [EndPoint] = []
        while let byte = rest.popFirst() {
            guard let mark = EndPoint.Mark(rawValue: byte), !result.contains(where: { $0.mark == mark }) else {
                throw .mark(byte)
            }
            let digits = rest.prefix { (zero...nine).contains($0) }
            rest = rest.dropFirst(digits.count)
            let port = digits.isEmpty ? ports[mark] : try number(digits)
            guard port != 0 else { throw .port }
            result.append(EndPoint(mark, port: port))
        }
        return result
    }

    private static func number(_ digits: ArraySlice<UInt8>) throws(AnnouncementError) -> UInt16 {
        var value = 0
        for digit in digits {
            value = value * 10 + Int(digit - zero)
            guard value <= UInt16.max else { throw .port }
        }
        return UInt16(value)
    }

    // MARK: Writing

    /// The text without its NUL. Throws for what could not be read again.
    public func formatted(ports: Ports) throws(AnnouncementError) -> [UInt8] {
        var text = try Self.word(nickname, but: [Self.comma])
        for network in networks {
            guard !network.name.isEmpty else { throw .networkName }
            guard !network.endPoints.isEmpty else { throw .item }
            text.append(Self.comma)
            var marks: Set<EndPoint.Mark> = []
            for point in network.endPoints {
                guard marks.insert(point.mark).inserted else { throw .mark(point.mark.rawValue) }
                guard point.port != 0 else { throw .port }
                text.append(point.mark.rawValue)
                if point.port != ports[point.mark] { text += "\(point.port)".utf8 }
            }
            text += [Self.colon, Self.iocom, Self.colon]
            text += try Self.word(network.name, but: [Self.comma, Self.colon])
        }
        return text
    }

    /// The bytes of a name that may stand between the marks of the text.
    private static func word<let limit: Int>(
        _ name: ShortText<limit>, but forbidden: [UInt8]
    ) throws(AnnouncementError) -> [UInt8] {
        let bytes = (0..<name.count).map { name[$0] }
        guard bytes.allSatisfy({ (0x20...0x7E).contains($0) && !forbidden.contains($0) }) else { throw .notText }
        return bytes
    }
}
