#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Operations on names in a folder.
public enum Folder {
    /// Makes sure that `path` is a folder that only its owner may enter (0700); makes missing parents too.
    public static func makePrivate(_ path: String) throws(StorageFailure) {
        try make(path, mode: 0o700)
        guard chmod(path, 0o700) == 0 else { throw File.failure("can't protect", path) }
    }

    /// Makes sure that `path` is a folder; a new one can be read by everybody. Makes missing parents too.
    public static func make(_ path: String) throws(StorageFailure) { try make(path, mode: 0o755) }

    private static func make(_ path: String, mode: mode_t) throws(StorageFailure) {
        if mkdir(path, mode) == 0 { return }
        if errno == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            try make(String(path[..<slash]), mode: 0o755)
            if mkdir(path, mode) == 0 { return }
        }
        guard errno == EEXIST else { throw File.failure("can't make folder", path) }
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            throw StorageFailure("\(path) exists and is not a folder")
        }
    }

    /// True when `path` leads to a folder.
    public static func exists(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// True for a folder that belongs to root or to the present user, and that nobody else can write.
    public static func isOwn(_ path: String) -> Bool {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { return false }
        return (status.st_uid == 0 || status.st_uid == geteuid()) && status.st_mode & 0o022 == 0
    }

    /// Numbers of the user and group that a folder belongs to; nil when there is no folder.
    public static func owner(of path: String) -> (user: UInt32, group: UInt32)? {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { return nil }
        return (status.st_uid, status.st_gid)
    }

    /// The folder that holds `path`, and the name in it.
    public static func split(_ path: String) -> (folder: String, name: String) {
        guard let slash = path.lastIndex(of: "/") else { return (".", path) }
        return (slash == path.startIndex ? "/" : String(path[..<slash]), String(path[path.index(after: slash)...]))
    }

    /// True when there is something at `path`; throws when that can't be told.
    public static func isThere(_ path: String) throws(StorageFailure) -> Bool {
        var status = stat()
        if lstat(path, &status) == 0 { return true }
        guard errno == ENOENT else { throw File.failure("can't examine", path) }
        return false
    }

    /// What a name in a folder is, symbolic links not followed.
    public enum Entry: Sendable, Equatable {
        /// A regular file and its size in bytes.
        case file(size: Int)
        /// A folder.
        case folder
        /// A symbolic link.
        case link
        /// A pipe, a socket, a device.
        case other
    }

    /// What `path` is; nil when there is nothing or it can't be examined.
    public static func entry(_ path: String) -> Entry? {
        var status = stat()
        guard lstat(path, &status) == 0 else { return nil }
        switch status.st_mode & S_IFMT {
        case S_IFREG: return .file(size: Int(status.st_size))
        case S_IFDIR: return .folder
        case S_IFLNK: return .link
        default: return .other
        }
    }

    /// Names in a folder in byte order, without `.` and `..`; names that are not UTF-8 are left out, as no name of ours
    /// is such. At most `limit` names are looked at; `complete` is false when there are more.
    public static func names(
        in path: String, limit: Int
    ) throws(StorageFailure) -> (names: [String], complete: Bool) {
        guard let folder = opendir(path) else { throw File.failure("can't list", path) }
        defer { closedir(folder) }
        var names: [String] = []
        var seen = 0
        while let entry = readdir(folder) {
            seen += 1
            guard seen <= limit + 2 else { return (names.sorted(), false) }
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: $0.pointee)) {
                    String(validatingCString: $0)
                }
            }
            if let name, name != ".", name != ".." { names.append(name) }
        }
        return (names.sorted(), true)
    }

    /// Gives `from` the name `to`, replacing what had it, and returns when the folder is on the disk.
    public static func replace(_ to: String, with from: String, in folder: String) throws(StorageFailure) {
        guard rename(folder + "/" + from, folder + "/" + to) == 0 else {
            throw File.failure("can't replace", folder + "/" + to)
        }
        try sync(folder)
    }

    /// Removes a name; no error when there is none.
    public static func remove(_ name: String, in folder: String) throws(StorageFailure) {
        guard unlink(folder + "/" + name) == 0 || errno == ENOENT else {
            throw File.failure("can't remove", folder + "/" + name)
        }
    }

    /// Returns when the names of a folder have reached the disk.
    public static func sync(_ path: String) throws(StorageFailure) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw File.failure("can't open", path) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw File.failure("can't sync", path) }
    }
}
