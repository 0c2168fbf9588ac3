#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif
import Synchronization

/// A file that takes the place of another only when it is complete: temporary name, fsync, rename, fsync of the folder.
/// A crash or power cut leaves the old or the new content, never a mixture.
public final class ReplacementFile: Sendable {
    private let folder: String
    private let name: String
    private let temporary: String
    private let file: File
    private let size = Mutex(0)

    /// Begins a file that only its owner, or with `isPublic` everybody, may read.
    public init(_ path: String, isPublic: Bool = false) throws(StorageFailure) {
        (folder, name) = Folder.split(path)
        guard !name.isEmpty, name != ".", name != ".." else { throw StorageFailure("\(path) is a folder") }
        // Several writers of one name do not meet; `create` refuses what exists.
        var random = SystemRandomNumberGenerator()
        temporary = ".\(name.prefix(200)).\(String(UInt64.random(in: 0 ... .max, using: &random), radix: 36)).part"
        file = try File(folder + "/" + temporary, .create)
        if isPublic { try file.setMode(0o644) }
    }

    /// Makes `path` what `fill` appends; when that fails, nothing is left of it.
    public static func write(
        _ path: String, isPublic: Bool = false, _ fill: (ReplacementFile) throws(StorageFailure) -> Void
    ) throws(StorageFailure) {
        let file = try ReplacementFile(path, isPublic: isPublic)
        do throws(StorageFailure) { try fill(file) } catch {
            file.abort()
            throw error
        }
        try file.commit()
    }

    /// Writes all of a file; with `isPublic` everybody may read it.
    public static func write(_ path: String, _ bytes: [UInt8], isPublic: Bool = false) throws(StorageFailure) {
        try write(path, isPublic: isPublic) { file throws(StorageFailure) in try file.append(bytes) }
    }

    /// Makes `path` a copy of the first `size` bytes of `source`.
    public static func copy(
        _ source: some ByteSource, size: Int, to path: String, isPublic: Bool = false
    ) throws(StorageFailure) {
        try write(path, isPublic: isPublic) { file throws(StorageFailure) in
            try source.forEachPiece(of: size) { piece throws(StorageFailure) in try file.append(piece) }
        }
    }

    /// Adds bytes at the end.
    public func append(_ bytes: [UInt8]) throws(StorageFailure) {
        let offset = size.withLock { size in
            defer { size += bytes.count }
            return size
        }
        try file.write(at: offset, bytes)
    }

    /// Puts the file in its place; returns when that has reached the disk. When it fails, nothing is left.
    public func commit() throws(StorageFailure) {
        do throws(StorageFailure) {
            try file.sync()
            try Folder.replace(name, with: temporary, in: folder)
        } catch {
            abort()
            throw error
        }
    }

    /// Throws what was written away; what was there before stays.
    public func abort() { try? Folder.remove(temporary, in: folder) }
}
