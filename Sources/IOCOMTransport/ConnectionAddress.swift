/// Where to connect to or listen: `tls://host[:6369]`, `tcp://host[:6368]`, `serial:///dev/ttyUSB0?baud=115200`.
public struct ConnectionAddress: Equatable, Hashable, Sendable, CustomStringConvertible {
    /// How bytes travel.
    public enum Transport: String, Sendable, CaseIterable {
        /// TLS on TCP.
        case tls
        /// Plain TCP: no login is checked and everything is readable on the way.
        case tcp
        /// A serial line: as plain TCP, for who is at its other end.
        case serial

        /// Port used when the address names none (wire-protocol.md section 0).
        public var defaultPort: Int {
            switch self {
            case .tls: 6369
            case .tcp: 6368
            case .serial: 0
            }
        }
    }

    /// Why a text is not an address.
    public struct ParseError: Error, Equatable, CustomStringConvertible {
        /// What is wrong and what is expected.
        public let description: String

        /// Composes an error.
        public init(_ description: String) { self.description = description }
    }

    /// How bytes travel.
    public var transport: Transport
    /// Host name or numeric address, IPv6 without brackets; of a serial line the path of the port.
    public var host: String
    /// Port, 0…65535; 0 lets a listener take any free one.
    public var port: Int
    /// How a serial line is set; of no meaning for others.
    public var line = SerialLineSettings()

    /// Composes an address; without a port the transport's default.
    public init(transport: Transport, host: String, port: Int? = nil) {
        self.transport = transport
        self.host = host
        self.port = port ?? transport.defaultPort
    }

    /// Parses a URL.
    public init(parsing text: String) throws(ParseError) {
        func fail(_ what: String) -> ParseError {
            ParseError(
                "'\(text)' is not an address: \(what); expected tls://host[:port], tcp://host[:port] or serial:///dev/PORT?baud=115200"
            )
        }
        guard let separator = text.firstRange(of: "://") else {
            throw fail("it does not start with tls://, tcp:// or serial://")
        }
        let scheme = String(text[..<separator.lowerBound])
        guard let transport = Transport(rawValue: scheme) else { throw fail("transport '\(scheme)' is unknown") }
        if transport == .serial {
            self = try Self.serial(text[separator.upperBound...])
            return
        }
        var rest = text[separator.upperBound...]
        if rest.hasSuffix("/") { rest.removeLast() }
        var host = Substring()
        var portText: Substring?
        if rest.first == "[" {
            guard let close = rest.firstIndex(of: "]") else { throw fail("']' is missing") }
            host = rest[rest.index(after: rest.startIndex)..<close]
            let behind = rest[rest.index(after: close)...]
            if behind.first == ":" {
                portText = behind.dropFirst()
            } else if !behind.isEmpty {
                throw fail("text behind ']'")
            }
        } else {
            let parts = rest.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count <= 2 else { throw fail("an IPv6 address needs brackets") }
            host = parts.first ?? ""
            if parts.count == 2 { portText = parts[1] }
        }
        guard !host.isEmpty, host.utf8.count <= 253, host.unicodeScalars.allSatisfy(Self.isPartOfHost) else {
            throw fail("the host is missing or not a host name")
        }
        var port = transport.defaultPort
        if let portText {
            guard portText.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let number = Int(portText), number <= 65535
            else { throw fail("port '\(portText)' is not a number from 0 to 65535") }
            port = number
        }
        self.init(transport: transport, host: String(host), port: port)
    }

    /// Visible ASCII but for what ends a host in a URL. Names beyond ASCII have an ASCII form (`xn--…`); as they are, marks
    /// in them could join with the signs around the host, and an address would not say what it seems to say.
    private static func isPartOfHost(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "/", "\\", "@", "?", "#", "[", "]": false
        default: (0x21...0x7E).contains(scalar.value)
        }
    }

    /// The URL.
    public var description: String {
        if transport == .serial {
            let parity = line.parity == .none ? "" : "&parity=\(line.parity.rawValue)"
            return "serial://\(host)?baud=\(line.baud)\(parity)"
        }
        return "\(transport.rawValue)://\(host.contains(":") ? "[\(host)]" : host):\(port)"
    }

    /// True for loopback addresses and `localhost`.
    public var isLoopback: Bool { transport != .serial && isLoopbackHost }

    private var isLoopbackHost: Bool { host == "localhost" || host == "::1" || host.hasPrefix("127.") }
}
