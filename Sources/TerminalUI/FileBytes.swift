import Glibc

/// A file that could not be read or written: which, what was tried, and the reason of the system.
public struct FileError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The file or folder.
    public let path: String
    /// What was tried: "read", "write".
    public let action: String
    /// The system's error number; 0 when the reason is our own rule.
    public let number: Int32
    /// The reason for people.
    public let reason: String

    init(_ action: String, _ path: String, number: Int32) {
        self.path = path
        self.action = action
        self.number = number
        reason = String(cString: strerror(number))
    }

    init(_ action: String, _ path: String, reason: String) {
        self.path = path
        self.action = action
        number = 0
        self.reason = reason
    }

    /// One line for people.
    public var description: String { "cannot \(action) \(path): \(reason)" }
}

/// Small files of this module, whole.
enum FileBytes {
    /// Everything from `descriptor` up to its end, but never more than `limit` bytes; nil when there is more.
    /// Throws the system's error number.
    static func read(from descriptor: Int32, limit: Int) throws(SystemError) -> [UInt8]? {
        var result: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count == 0 { return result }
            if count < 0 {
                if errno == EINTR { continue }
                throw SystemError(number: errno)
            }
            guard result.count + count <= limit else { return nil }
            result += chunk[..<count]
        }
    }

    /// Writes all `bytes`; false when that fails, with the reason in `errno`.
    static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                Glibc.write(descriptor, buffer.baseAddress?.advanced(by: done), buffer.count - done)
            }
            if count < 0 {
                if errno == EINTR { continue }
                guard errno == EAGAIN else { return false }
                // A terminal that another program made non-blocking.
                var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                guard poll(&ready, 1, -1) >= 0 || errno == EINTR else { return false }
                continue
            }
            done += count
        }
        return true
    }

    /// Replaces the file at `path` so that a crash or power cut leaves the old or the new content, never a mixture.
    static func replace(_ path: String, with bytes: [UInt8], mode: mode_t) throws(FileError) {
        let part = "\(path).\(getpid()).part"
        let file = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode)
        guard file >= 0 else { throw FileError("write", part, number: errno) }
        var number: Int32 = 0
        if !write(bytes, to: file) || fsync(file) != 0 { number = errno }
        if close(file) != 0, number == 0 { number = errno }
        if number == 0, rename(part, path) != 0 { number = errno }
        guard number == 0 else {
            unlink(part)
            throw FileError("write", path, number: number)
        }
        // The new name is on the disk only when the folder is.
        let folder = open(parent(of: path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw FileError("write", path, number: errno) }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw FileError("write", path, number: errno) }
    }

    /// Makes a folder and those above it that are missing; new ones belong to the user alone.
    static func makeFolder(_ path: String) throws(FileError) {
        if mkdir(path, 0o700) == 0 || errno == EEXIST { return }
        guard errno == ENOENT, parent(of: path) != path else { throw FileError("make folder", path, number: errno) }
        try makeFolder(parent(of: path))
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw FileError("make folder", path, number: errno) }
    }

    /// The folder that holds `path`.
    static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}

/// An error number of the system.
struct SystemError: Error {
    let number: Int32
}
