import Glibc

/// Tells one content of a file from another that replaced it.
struct FileStamp: Equatable {
    private let inode: UInt64
    private let size: Int64
    private let seconds: Int
    private let nanoseconds: Int

    /// Nil when there is no such file.
    init?(_ path: String) {
        var entry = stat()
        guard lstat(path, &entry) == 0 else { return nil }
        inode = UInt64(entry.st_ino)
        size = Int64(entry.st_size)
        seconds = entry.st_mtim.tv_sec
        nanoseconds = entry.st_mtim.tv_nsec
    }
}
