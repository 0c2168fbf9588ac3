import NIOCore

extension SocketAddress {
    /// What limits for one address are counted for: the IPv4 address, or the first 64 bits of an IPv6 address, because who has
    /// one of these has all that begin alike. Nil for anything else.
    var limitedAddress: String? {
        guard case .v6(let address) = self else { return ipAddress }
        // Family, port and flow come first, eight bytes.
        let bytes = withUnsafeBytes(of: address.address) { Array($0[8..<24]) }
        // IPv4 on a socket for both: ::ffff:a.b.c.d
        if bytes[..<12].elementsEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]) {
            return bytes[12...].map { "\($0)" }.joined(separator: ".")
        }
        // Loopback has one address only.
        guard bytes[..<8].contains(where: { $0 != 0 }) else { return ipAddress }
        let groups = stride(from: 0, to: 8, by: 2).map { String(Int(bytes[$0]) << 8 | Int(bytes[$0 + 1]), radix: 16) }
        return groups.joined(separator: ":") + "::/64"
    }
}
