import ByteTools
import Glibc
import NIOCore

/// Which user of this machine is at the other end of a loopback connection, as the kernel lists it (proc(5), /proc/net/tcp).
enum PeerUser {
    /// Nil when it is not known.
    static func of(_ peer: SocketAddress, to local: SocketAddress) -> UInt32? {
        guard let from = name(peer), let to = name(local) else { return nil }
        let file = peer.protocol == .inet6 ? "/proc/net/tcp6" : "/proc/net/tcp"
        guard let list = fopen(file, "re") else { return nil }
        defer { fclose(list) }
        var line = [CChar](repeating: 0, count: 512)
        while fgets(&line, Int32(line.count), list) != nil {
            // number, own address, other address, state, queues, timer, retransmits, user …
            let bytes = line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            let fields = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace)
            if fields.count > 7, fields[1] == from, fields[2] == to { return UInt32(fields[7]) }
        }
        return nil
    }

    /// The kernel writes the bytes of an address as a number of this machine.
    private static func name(_ address: SocketAddress) -> String? {
        guard let text = address.ipAddress, let port = address.port else { return nil }
        let isLong = address.protocol == .inet6
        var words = [UInt32](repeating: 0, count: isLong ? 4 : 1)
        guard inet_pton(isLong ? AF_INET6 : AF_INET, text, &words) == 1 else { return nil }
        return words.map { hex(UInt64($0), 8) }.joined() + ":" + hex(UInt64(port), 4)
    }

    private static func hex(_ number: UInt64, _ digits: Int) -> String {
        let text = String(number, radix: 16, uppercase: true)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
}
