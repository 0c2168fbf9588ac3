import Glibc
import NIOCore
import Synchronization

/// Which user of this machine is at the other end of a loopback connection, as the kernel lists it (proc(5), /proc/net/tcp).
final class PeerUser: Sendable {
    /// Bytes of the list that are looked at.
    private static let longestList = 64 << 20

    /// What was found, until a connection ends: with thousands of connections the list is long.
    private let known = Mutex<[ObjectIdentifier: UInt32]>([:])

    /// Nil when it is not known.
    func user(of channel: any Channel) -> UInt32? {
        let id = ObjectIdentifier(channel)
        if let user = known.withLock({ $0[id] }) { return user }
        guard let peer = channel.remoteAddress, let local = channel.localAddress,
            let user = Self.look(for: peer, to: local)
        else { return nil }
        known.withLock { $0[id] = user }
        channel.closeFuture.whenComplete { [weak self] _ in self?.known.withLock { $0[id] = nil } }
        return user
    }

    private static func look(for peer: SocketAddress, to local: SocketAddress) -> UInt32? {
        guard let from = name(peer), let to = name(local) else { return nil }
        let file = peer.protocol == .inet6 ? "/proc/net/tcp6" : "/proc/net/tcp"
        // number, own address, other address, state, queues, timer, retransmits, user …
        guard let list = read(file), let line = rest(of: list, behind: " \(from) \(to) ") else { return nil }
        let fields = line.split(separator: UInt8(ascii: " "), maxSplits: 6, omittingEmptySubsequences: true)
        return fields.count > 4 ? UInt32(String(decoding: fields[4], as: UTF8.self)) : nil
    }

    private static func read(_ path: String) -> [UInt8]? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        while bytes.count < longestList {
            let got = Glibc.read(file, &piece, piece.count)
            if got < 0, errno == EINTR { continue }
            guard got > 0 else { return got == 0 ? bytes : nil }
            bytes += piece[..<got]
        }
        return nil
    }

    /// What follows a text up to the end of its line.
    private static func rest(of list: [UInt8], behind text: String) -> ArraySlice<UInt8>? {
        // The list is text, so it can end as texts of C do.
        (list + [0]).withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress?.assumingMemoryBound(to: CChar.self), let found = strstr(start, text)
            else { return nil }
            let begin = UnsafePointer(found) - start + text.utf8.count
            return list[begin...].prefix { $0 != UInt8(ascii: "\n") }
        }
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
