#if canImport(Glibc)
public import Glibc
#elseif canImport(Musl)
public import Musl
#elseif canImport(Darwin)
public import Darwin
#endif

/// An open regular file with explicit offsets; closed when the last reference goes.
///
/// Symbolic links and anything that is not a regular file are refused, so that a folder somebody else can write to never
/// leads us to a device, a pipe or a file elsewhere.
public final class File: ByteSource, Sendable {
    /// How a file is opened.
    public enum Mode: Sendable {
        /// Reading only.
        case read
        /// Reading and writing of an existing file.
        case update
        /// A new file, mode 0600; fails when the name exists.
        case create
    }

    /// Where the file was opened.
    public let path: String
    private let descriptor: Int32

    /// Opens `path`.
    public init(_ path: String, _ mode: Mode) throws(StorageFailure) {
        // Without O_NONBLOCK opening a named pipe would wait for a writer.
        let common = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK
        let flags: Int32
        switch mode {
        case .read: flags = O_RDONLY | common
        case .update: flags = O_RDWR | common
        case .create: flags = O_RDWR | O_CREAT | O_EXCL | common
        }
        let descriptor = open(path, flags, 0o600)
        guard descriptor >= 0 else { throw Self.failure("can't open", path) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw StorageFailure("\(path) is not a regular file")
        }
        self.path = path
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// Size of the file now.
    public var byteCount: Int {
        get throws(StorageFailure) {
            var status = stat()
            guard fstat(descriptor, &status) == 0 else { throw Self.failure("can't examine", path) }
            return Int(status.st_size)
        }
    }

    /// Reads exactly `count` bytes.
    public func read(at offset: Int, count: Int) throws(StorageFailure) -> [UInt8] {
        guard offset >= 0, count >= 0, offset <= Int.max - count else {
            throw StorageFailure("\(path): no \(count) bytes at \(offset)")
        }
        var problem: StorageFailure?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let got = pread(
                    descriptor, buffer.baseAddress.map { $0 + filled }, count - filled, off_t(offset + filled))
                if got > 0 {
                    filled += got
                } else if got == 0 {
                    problem = StorageFailure("\(path) ends at \(offset + filled), before \(offset + count)")
                    return
                } else if errno != EINTR {
                    problem = Self.failure("can't read", path)
                    return
                }
            }
        }
        if let problem { throw problem }
        return bytes
    }

    /// Writes all of `bytes` at `offset`.
    public func write(at offset: Int, _ bytes: [UInt8]) throws(StorageFailure) {
        var problem: StorageFailure?
        bytes.withUnsafeBytes { buffer in
            var done = 0
            while done < buffer.count {
                let wrote = pwrite(
                    descriptor, buffer.baseAddress.map { $0 + done }, buffer.count - done, off_t(offset + done))
                if wrote > 0 {
                    done += wrote
                } else if wrote == 0 || errno != EINTR {
                    problem = Self.failure("can't write", path)
                    return
                }
            }
        }
        if let problem { throw problem }
    }

    /// Returns when everything written so far has reached the disk.
    public func sync() throws(StorageFailure) {
        guard fsync(descriptor) == 0 else { throw Self.failure("can't sync", path) }
    }

    /// Who may read and write the file.
    public var mode: mode_t {
        get throws(StorageFailure) {
            var status = stat()
            guard fstat(descriptor, &status) == 0 else { throw Self.failure("can't examine", path) }
            return status.st_mode & 0o7777
        }
    }

    /// Says who may read and write the file.
    public func setMode(_ mode: mode_t) throws(StorageFailure) {
        guard fchmod(descriptor, mode) == 0 else { throw Self.failure("can't change the mode of", path) }
    }

    /// Takes the lock that says "one process only"; fails when another process has it. Gone with the file.
    public func lock() throws(StorageFailure) {
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            throw StorageFailure("\(path) is in use by another process", systemError: errno)
        }
    }

    static func failure(_ what: String, _ path: String) -> StorageFailure {
        let number = errno
        return StorageFailure("\(what) \(path): \(String(cString: strerror(number)))", systemError: number)
    }
}

extension StorageFailure {
    /// True when a name does not exist.
    public var isNoSuchFile: Bool { systemError == ENOENT }
    /// True when the medium is full.
    public var isFull: Bool { systemError == ENOSPC || systemError == EDQUOT }
}
