public import ByteTools

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// A folder for a test, gone with everything in it when the last reference goes.
public final class TemporaryFolder: Sendable {
    /// Where it is.
    public let path: String

    /// Makes the folder.
    public init() throws(StorageFailure) {
        var name = "/tmp/iocom-test-XXXXXX".utf8CString
        let made = name.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.flatMap { mkdtemp($0) } != nil
        }
        guard made else { throw StorageFailure("can't make a folder in /tmp") }
        path = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { Self.remove(path) }

    private static func remove(_ path: String) {
        for name in (try? Folder.names(in: path, limit: 100_000).names) ?? [] {
            let entry = path + "/" + name
            if Folder.entry(entry) == .folder { remove(entry) } else { unlink(entry) }
        }
        rmdir(path)
    }

    /// Writes a new file and gives its path.
    @discardableResult
    public func write(_ name: String, _ bytes: [UInt8]) throws(StorageFailure) -> String {
        let file = try File(path + "/" + name, .create)
        try file.write(at: 0, bytes)
        return file.path
    }

    /// Makes a folder in the folder.
    public func makeFolder(_ name: String) { mkdir(path + "/" + name, 0o755) }

    /// Makes a symbolic link.
    public func link(_ name: String, to target: String) { symlink(target, path + "/" + name) }

    /// Permission bits of an entry, 0 when there is none.
    public func mode(_ name: String) -> UInt32 {
        var status = stat()
        guard lstat(path + "/" + name, &status) == 0 else { return 0 }
        return UInt32(status.st_mode) & 0o7777
    }
}
