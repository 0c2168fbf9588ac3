internal import Glibc

/// Reading and atomic writing of the files of one folder.
struct FolderFiles: Sendable {
    /// Moments of a write at which a test may stop, as if the process were killed there.
    enum Moment: Sendable { case before, written, renamed }

    let folder: String
    /// Called at each moment; throws in tests only.
    var checkpoint: @Sendable (String, Moment) throws(FolderError) -> Void = { (_, _) throws(FolderError) in }

    init(_ folder: String) { self.folder = folder }

    /// Path of a file of the folder.
    func path(_ name: String) -> String { "\(folder)/\(name)" }

    /// True when there is something of that name.
    func exists(_ name: String) -> Bool { access(path(name), F_OK) == 0 }

    /// Reads a whole regular file of at most `limit` bytes. With `isSecret` others must have no access to it.
    func read(_ name: String, limit: Int, isSecret: Bool = false) throws(FolderError) -> [UInt8] {
        let path = path(name)
        // Not blocking, so that a named pipe put here cannot hang the server.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            let code = errno
            throw FolderError(
                code == ENOENT ? .missing : .unreadable, path, systemText(code),
                code == ENOENT ? "restore it from a backup" : "give the user that runs the server access to it")
        }
        defer { close(descriptor) }
        var info = stat()
        guard fstat(descriptor, &info) == 0, info.st_mode & S_IFMT == S_IFREG else {
            throw FolderError(.damaged, path, "it is not a regular file", "restore it from a backup")
        }
        guard !isSecret || info.st_mode & 0o077 == 0 else {
            throw FolderError(
                .exposed, path, "others on this machine have access to the secret in it",
                "run chmod 600 on it, and replace the secret if they may have read it")
        }
        guard info.st_size <= limit else {
            throw FolderError(
                .damaged, path, "it has \(info.st_size) bytes, at most \(limit) are read", "restore it from a backup")
        }
        return try readAll(descriptor, path, limit)
    }

    private func readAll(_ descriptor: Int32, _ path: String, _ limit: Int) throws(FolderError) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16384)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count == 0 { return bytes }
            if count < 0 {
                if errno == EINTR { continue }
                throw FolderError(.unreadable, path, systemText(errno), "check the disk")
            }
            guard bytes.count + count <= limit else {
                throw FolderError(.damaged, path, "it is growing while it is read", "try again")
            }
            bytes += chunk[..<count]
        }
    }

    /// Replaces a file: whoever reads finds the old or the new content, also after a power cut.
    func write(_ name: String, _ bytes: [UInt8], mode: mode_t = 0o600) throws(FolderError) {
        try checkpoint(name, .before)
        var random = SystemRandomNumberGenerator()
        let suffix = Hex.encode((0..<4).map { _ in UInt8.random(in: .min ... .max, using: &random) })
        let temporary = path(".\(name).\(suffix)")
        do throws(FolderError) {
            try writeNew(temporary, bytes, mode)
        } catch {
            unlink(temporary)
            throw error
        }
        try checkpoint(name, .written)
        guard rename(temporary, path(name)) == 0 else {
            let code = errno
            unlink(temporary)
            throw notWritten(path(name), code)
        }
        try checkpoint(name, .renamed)
        try syncFolder()
    }

    private func writeNew(_ path: String, _ bytes: [UInt8], _ mode: mode_t) throws(FolderError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw notWritten(path, errno) }
        defer { close(descriptor) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                throw notWritten(path, errno)
            }
            rest = rest.dropFirst(count)
        }
        guard fchmod(descriptor, mode) == 0, fsync(descriptor) == 0 else { throw notWritten(path, errno) }
    }

    /// Removes a file and makes that durable.
    func remove(_ name: String) throws(FolderError) {
        try checkpoint(name, .before)
        guard unlink(path(name)) == 0 else { throw notWritten(path(name), errno) }
        try checkpoint(name, .renamed)
        try syncFolder()
    }

    /// Makes names in the folder durable.
    func syncFolder() throws(FolderError) {
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw notWritten(folder, errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw notWritten(folder, errno) }
    }

    /// Makes the folder, mode 0700, with the folders above it; an existing one gets the mode.
    func makeFolder() throws(FolderError) {
        var above = folder.hasPrefix("/") ? "" : "."
        let parts = folder.split(separator: "/")
        for part in parts.dropLast() {
            above += "/" + part
            guard mkdir(above, 0o755) == 0 || errno == EEXIST else { throw notWritten(above, errno) }
        }
        if mkdir(folder, 0o700) != 0 {
            guard errno == EEXIST else { throw notWritten(folder, errno) }
            guard chmod(folder, 0o700) == 0 else { throw notWritten(folder, errno) }
        }
        var parent = FolderFiles(above.isEmpty ? "/" : above)
        parent.checkpoint = checkpoint
        try parent.syncFolder()
    }

    /// Names in the folder, `.` and `..` left out; nil when there is no such folder.
    func names() throws(FolderError) -> [String]? {
        guard let stream = opendir(folder) else {
            let code = errno
            if code == ENOENT { return nil }
            throw FolderError(
                code == ENOTDIR ? .occupied : .unreadable, folder, systemText(code),
                code == ENOTDIR ? "name another folder" : "give the user that runs the server access to it")
        }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// Throws when others may change the folder.
    func checkFolderMode() throws(FolderError) {
        var info = stat()
        guard stat(folder, &info) == 0 else {
            throw FolderError(.unreadable, folder, systemText(errno), "check the path")
        }
        guard info.st_mode & 0o022 == 0 else {
            throw FolderError(.exposed, folder, "others on this machine can put files into it", "run chmod 700 on it")
        }
    }

    private func notWritten(_ path: String, _ code: Int32) -> FolderError {
        let step =
            switch code {
            case ENOSPC, EDQUOT: "free space on that disk and try again"
            case EACCES, EPERM, EROFS: "run it as a user that may write there, or name another folder"
            default: "check the path and the disk and try again"
            }
        return FolderError(.notWritten, path, systemText(code), step)
    }

    private func systemText(_ code: Int32) -> String {
        var text = [CChar](repeating: 0, count: 256)
        guard strerror_r(code, &text, text.count) == 0 else { return "system error \(code)" }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
