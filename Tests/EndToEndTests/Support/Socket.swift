import Foundation

/// A plain TCP socket of loopback. Blocking; closed with the last reference.
final class Socket: Sendable {
    let descriptor: Int32

    init(_ descriptor: Int32) {
        self.descriptor = descriptor
        var one: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
    }

    deinit { Glibc.close(descriptor) }

    /// Connects to a port of this machine, from another of its loopback addresses if one is given (127.0.0.2 is 0x7F000002).
    static func connect(_ port: UInt16, from source: UInt32? = nil) throws -> Socket {
        let made = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard made >= 0 else { throw Unexpected("no socket: errno \(errno)") }
        let result = Socket(made)
        if let source {
            guard withLoopback(0, address: source, { bind(made, $0, $1) }) == 0 else {
                throw Unexpected("can't take another address: errno \(errno)")
            }
        }
        guard withLoopback(port, { Glibc.connect(made, $0, $1) }) == 0 else {
            throw Unexpected("no connection to port \(port): errno \(errno)")
        }
        return result
    }

    /// Listens on a free port. With `answers` false it only keeps others from it: who connects is refused.
    static func listen(answers: Bool = true) throws -> (socket: Socket, port: UInt16) {
        let made = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard made >= 0 else { throw Unexpected("no socket: errno \(errno)") }
        let result = Socket(made)
        guard withLoopback(0, { bind(made, $0, $1) }) == 0, !answers || Glibc.listen(made, 64) == 0 else {
            throw Unexpected("can't listen: errno \(errno)")
        }
        var address = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(made, $0, &size) }
        }
        guard code == 0 else { throw Unexpected("no port: errno \(errno)") }
        return (result, UInt16(bigEndian: address.sin_port))
    }

    /// The next connection; nil once the listener was shut.
    func accept() -> Socket? {
        while true {
            let made = Glibc.accept(descriptor, nil, nil)
            if made >= 0 {
                // A child that kept it open would hide the end of the connection.
                _ = fcntl(made, F_SETFD, FD_CLOEXEC)
                return Socket(made)
            }
            guard errno == EINTR || errno == ECONNABORTED else { return nil }
        }
    }

    /// Ends both directions; calls that wait return.
    func shut() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    /// Up to `count` bytes; empty at the end.
    func read(_ count: Int = 65_536) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        while true {
            let got = Glibc.read(descriptor, &bytes, count)
            if got >= 0 { return Array(bytes[..<got]) }
            guard errno == EINTR else { return [] }
        }
    }

    /// Sends all bytes; false when the other side is gone.
    @discardableResult
    func write(_ bytes: some Collection<UInt8>) -> Bool {
        var rest = Array(bytes)[...]
        while !rest.isEmpty {
            let sent = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if sent < 0 && errno != EINTR { return false }
            rest = rest.dropFirst(max(0, sent))
        }
        return true
    }

    private static func withLoopback(
        _ port: UInt16, address host: UInt32 = 0x7F00_0001, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = host.bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
