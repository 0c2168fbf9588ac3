import ByteTools
import Glibc
import Synchronization

/// A file that takes the place of another only when it is complete: temporary name, fsync, rename.
final class ReplacementFile: Sendable {
    private let path: String
    private let temporary: String
    private let file: File
    private let size = Mutex(0)

    init(_ path: String) throws {
        self.path = path
        temporary = "\(path).\(getpid()).part"
        file = try File(temporary, .create)
    }

    func append(_ bytes: [UInt8]) throws {
        let offset = size.withLock { size in
            defer { size += bytes.count }
            return size
        }
        try file.write(at: offset, bytes)
    }

    func commit() throws {
        try file.sync()
        guard rename(temporary, path) == 0 else {
            let reason = String(cString: strerror(errno))
            abort()
            throw StorageFailure("\(path) cannot be replaced: \(reason)")
        }
    }

    func abort() { unlink(temporary) }
}
