/// How one network of a server is reached: one mark of an announcement's item (application-layer.md 9.1).
public struct EndPoint: Hashable, Sendable {
    /// The four marks.
    public enum Mark: UInt8, Sendable, CaseIterable {
        /// TLS over IPv4.
        case tls4 = 0x74
        /// Plain TCP over IPv4.
        case plain4 = 0x73
        /// TLS over IPv6.
        case tls6 = 0x54
        /// Plain TCP over IPv6.
        case plain6 = 0x53

        /// TLS, else plain TCP.
        public var isSecure: Bool { self == .tls4 || self == .tls6 }
        /// IPv6, else IPv4.
        public var isIPv6: Bool { self == .tls6 || self == .plain6 }

        /// The mark for a transport and a family.
        public init(isSecure: Bool, isIPv6: Bool) {
            self = isIPv6 ? isSecure ? .tls6 : .plain6 : isSecure ? .tls4 : .plain4
        }
    }

    /// Transport and family.
    public var mark: Mark
    /// Port, 1…65535.
    public var port: UInt16

    /// Composes an end point.
    public init(_ mark: Mark, port: UInt16) {
        self.mark = mark
        self.port = port
    }
}
