public import ByteTools
import Glibc

/// One end of a connection between programs of this machine: lines of text, with the first of which a file can travel.
/// Blocking, with a time limit for each read.
public final class LocalConnection {
    /// Bytes of a line.
    public static let longestLine = 65_536

    private let descriptor: Int32
    private var received: [UInt8] = []
    /// The file that came with what was read so far.
    private(set) var file: OpenFile?

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// Connects to the socket at `path`.
    public static func connect(_ path: String) throws(StorageFailure) -> LocalConnection {
        let made = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard made >= 0 else { throw StorageFailure("no socket: \(reason())", systemError: errno) }
        let connection = LocalConnection(made)
        guard try withAddress(path, { Glibc.connect(made, $0, $1) }) == 0 else {
            throw StorageFailure("no connection to \(path): \(reason())", systemError: errno)
        }
        return connection
    }

    /// User at the other end, as the system knows it.
    var peer: uid_t? {
        // struct ucred (unix(7)): process, user, group.
        var credentials: [UInt32] = [0, 0, 0]
        var size = socklen_t(credentials.count * MemoryLayout<UInt32>.size)
        guard getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0,
            Int(size) == credentials.count * MemoryLayout<UInt32>.size
        else { return nil }
        return credentials[1]
    }

    /// How long a read may wait.
    public func setTimeout(seconds: Int) {
        var time = timeval(tv_sec: seconds, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
    }

    /// The next line; nil at the end of the connection.
    public func readLine() throws(StorageFailure) -> [UInt8]? {
        while true {
            if let end = received.firstIndex(of: UInt8(ascii: "\n")) {
                let line = Array(received[..<end])
                received.removeFirst(end + 1)
                return line
            }
            guard received.count < Self.longestLine else { throw StorageFailure("a line is too long") }
            guard try receive() else { return nil }
        }
    }

    /// Sends a line, with `file` beside its first byte.
    public func send(_ line: [UInt8], file: Int32? = nil) throws(StorageFailure) {
        var bytes = (line + [UInt8(ascii: "\n")])[...]
        var file = file
        while !bytes.isEmpty {
            let sent = bytes.withUnsafeBytes { Self.send(descriptor, $0, file) }
            if sent < 0 {
                if errno == EINTR { continue }
                throw StorageFailure("the other program is gone: \(Self.reason())", systemError: errno)
            }
            file = nil
            bytes = bytes.dropFirst(sent)
        }
    }

    /// Says that nothing more comes; answers can still be read.
    func endSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Waits until the other end says or sends anything, or is gone.
    func waitForEnd(milliseconds: Int32) {
        guard received.isEmpty else { return }
        var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        _ = poll(&waiting, 1, milliseconds)
    }

    // MARK: System calls

    /// The head of a control message is a length and two numbers (cmsg(3)); one descriptor follows.
    private static let headSize = MemoryLayout<Int>.size + 8
    private static let controlSize = (headSize + MemoryLayout<Int32>.size + 7) / 8 * 8

    private static func send(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, _ file: Int32?) -> Int {
        var part = iovec(iov_base: UnsafeMutableRawPointer(mutating: bytes.baseAddress), iov_len: bytes.count)
        return withUnsafeMutablePointer(to: &part) { part in
            var message = msghdr()
            message.msg_iov = part
            message.msg_iovlen = 1
            guard let file else { return sendmsg(descriptor, &message, Int32(MSG_NOSIGNAL)) }
            return withUnsafeTemporaryAllocation(byteCount: controlSize, alignment: 8) { control in
                control.initializeMemory(as: UInt8.self, repeating: 0)
                control.storeBytes(of: headSize + MemoryLayout<Int32>.size, as: Int.self)
                control.storeBytes(of: SOL_SOCKET, toByteOffset: MemoryLayout<Int>.size, as: Int32.self)
                control.storeBytes(
                    of: Int32(SCM_RIGHTS), toByteOffset: MemoryLayout<Int>.size + 4, as: Int32.self)
                control.storeBytes(of: file, toByteOffset: headSize, as: Int32.self)
                message.msg_control = control.baseAddress
                message.msg_controllen = control.count
                return sendmsg(descriptor, &message, Int32(MSG_NOSIGNAL))
            }
        }
    }

    /// Reads what is there; false at the end. Files beyond the first are closed at once.
    private func receive() throws(StorageFailure) -> Bool {
        var chunk = [UInt8](repeating: 0, count: 4096)
        var passed: [Int32] = []
        var got = 0
        repeat {
            got = chunk.withUnsafeMutableBytes { Self.receive(descriptor, $0, &passed) }
        } while got < 0 && errno == EINTR
        let number = errno
        for descriptor in passed {
            let open = OpenFile(descriptor)
            if file == nil { file = open }
        }
        guard got >= 0 else {
            throw StorageFailure("no answer: \(String(cString: strerror(number)))", systemError: number)
        }
        received += chunk[..<got]
        return got > 0
    }

    private static func receive(
        _ descriptor: Int32, _ bytes: UnsafeMutableRawBufferPointer, _ passed: inout [Int32]
    ) -> Int {
        var part = iovec(iov_base: bytes.baseAddress, iov_len: bytes.count)
        return withUnsafeMutablePointer(to: &part) { part in
            withUnsafeTemporaryAllocation(byteCount: 256, alignment: 8) { control in
                var message = msghdr()
                message.msg_iov = part
                message.msg_iovlen = 1
                message.msg_control = control.baseAddress
                message.msg_controllen = control.count
                let got = recvmsg(descriptor, &message, Int32(MSG_CMSG_CLOEXEC))
                var at = 0
                let end = got < 0 ? 0 : min(Int(message.msg_controllen), control.count)
                while at + headSize <= end {
                    let length = control.loadUnaligned(fromByteOffset: at, as: Int.self)
                    guard length >= headSize, length <= end - at else { break }
                    let level = control.loadUnaligned(fromByteOffset: at + MemoryLayout<Int>.size, as: Int32.self)
                    let kind = control.loadUnaligned(fromByteOffset: at + MemoryLayout<Int>.size + 4, as: Int32.self)
                    if level == SOL_SOCKET, kind == Int32(SCM_RIGHTS) {
                        for place in stride(from: at + headSize, through: at + length - 4, by: 4) {
                            passed.append(control.loadUnaligned(fromByteOffset: place, as: Int32.self))
                        }
                    }
                    at += (length + 7) / 8 * 8
                }
                return got
            }
        }
    }

    static func reason() -> String { String(cString: strerror(errno)) }

    static func withAddress(
        _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) throws(StorageFailure) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let size = MemoryLayout.size(ofValue: address.sun_path)
        guard path.utf8.count < size, !path.utf8.contains(0) else {
            throw StorageFailure("\(path) is too long for a socket")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}

/// A file that another program opened and handed over. Read only; only a regular file has bytes.
final class OpenFile: ByteSource, Sendable {
    private let descriptor: Int32

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    var byteCount: Int {
        get throws(StorageFailure) {
            var status = stat()
            guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
                throw StorageFailure("what was handed over is not a regular file")
            }
            return Int(status.st_size)
        }
    }

    func read(at offset: Int, count: Int) throws(StorageFailure) -> [UInt8] {
        guard offset >= 0, count >= 0, offset <= Int.max - count else { throw StorageFailure("no such place") }
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let got = bytes.withUnsafeMutableBytes { buffer in
                pread(descriptor, buffer.baseAddress.map { $0 + filled }, count - filled, off_t(offset + filled))
            }
            if got > 0 {
                filled += got
            } else if got == 0 {
                throw StorageFailure("the file that was handed over became shorter")
            } else if errno != EINTR {
                throw StorageFailure("the file that was handed over can't be read: \(LocalConnection.reason())")
            }
        }
        return bytes
    }
}

/// Waits for programs of this machine at a path.
final class LocalListener: Sendable {
    private let descriptor: Int32
    /// The socket is ours, not one that systemd holds.
    private let isOwn: Bool
    private let path: String

    /// Takes the socket that systemd listens at for this process; nil when there is none.
    init?() {
        guard let passed = ServiceNotice.listeningSocket() else { return nil }
        descriptor = passed
        isOwn = false
        path = ""
    }

    /// Everybody may connect: who may do what is decided by the user at the other end.
    init(_ path: String) throws(StorageFailure) {
        let made = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard made >= 0 else { throw StorageFailure("no socket: \(LocalConnection.reason())") }
        descriptor = made
        isOwn = true
        self.path = path
        unlink(path)
        guard try LocalConnection.withAddress(path, { bind(made, $0, $1) }) == 0, chmod(path, 0o666) == 0,
            listen(made, 16) == 0
        else { throw StorageFailure("can't listen at \(path): \(LocalConnection.reason())") }
    }

    deinit { close(descriptor) }

    /// The next connection; nil once it was closed.
    func accept() -> LocalConnection? {
        while true {
            let made = Glibc.accept(descriptor, nil, nil)
            if made >= 0 {
                _ = fcntl(made, F_SETFD, FD_CLOEXEC)
                return LocalConnection(made)
            }
            guard errno == EINTR || errno == ECONNABORTED || errno == EMFILE else { return nil }
            if errno == EMFILE { usleep(100_000) }
        }
    }

    /// Wakes up who waits in ``accept()``. A socket of systemd stays open: it takes connections for the next start.
    func close() {
        guard isOwn else { return }
        shutdown(descriptor, Int32(SHUT_RDWR))
        unlink(path)
    }

    private func close(_ descriptor: Int32) { Glibc.close(descriptor) }
}
