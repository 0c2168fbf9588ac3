internal import ByteTools
internal import Glibc

/// Reading and atomic writing of the files of one folder.
struct FolderFiles: Sendable {
    /// Moments of a write at which a test may stop, as if the process were killed there.
    enum Moment: Sendable { case before, written, renamed }

    /// Most names a data folder may hold.
    static let mostNames = 10_000

    /// Bytes of a secret that are overwritten before it is removed; secrets are much smaller.
    static let mostDestroyed = 1 << 20

    let folder: String
    /// Called at each moment; throws in tests only.
    var checkpoint: @Sendable (String, Moment) throws(FolderError) -> Void = { (_, _) throws(FolderError) in }

    init(_ folder: String) { self.folder = folder }

    /// Path of a file of the folder.
    func path(_ name: String) -> String { "\(folder)/\(name)" }

    /// True when there is something of that name.
    func exists(_ name: String) -> Bool { Folder.entry(path(name)) != nil }

    /// Reads a whole regular file of at most `limit` bytes. With `isSecret` others must have no access to it.
    func read(_ name: String, limit: Int, isSecret: Bool = false) throws(FolderError) -> [UInt8] {
        let path = path(name)
        switch Folder.entry(path) {
        case nil: throw FolderError(.missing, path, "there is no such file", "restore it from a backup")
        case .file: break
        default: throw FolderError(.damaged, path, "it is not a regular file", "restore it from a backup")
        }
        guard !isSecret || mode(path) & 0o077 == 0 else {
            throw FolderError(
                .exposed, path, "others on this machine have access to the secret in it",
                "run chmod 600 on it, and replace the secret if they may have read it")
        }
        do throws(StorageFailure) {
            let file = try File(path, .read)
            let count = try file.byteCount
            if count <= limit { return try file.read(at: 0, count: count) }
        } catch {
            throw FolderError(.unreadable, path, "\(error)", "give the user that runs the server access to it")
        }
        throw FolderError(
            .damaged, path, "it is larger than the \(limit) bytes that are read", "restore it from a backup")
    }

    /// Replaces a file: whoever reads finds the old or the new content, also after a power cut.
    func write(_ name: String, _ bytes: [UInt8], isSecret: Bool = true) throws(FolderError) {
        try checkpoint(name, .before)
        var random = SystemRandomNumberGenerator()
        let temporary = ".\(name).\(hexadecimal((0..<4).map { _ in UInt8.random(in: .min ... .max, using: &random) }))"
        do throws(StorageFailure) {
            let file = try File(path(temporary), .create)
            try file.write(at: 0, bytes)
            if !isSecret, chmod(file.path, 0o644) != 0 { throw StorageFailure("can't open \(file.path) to others") }
            try file.sync()
        } catch {
            try? Folder.remove(temporary, in: folder)
            throw notWritten(name, error)
        }
        try checkpoint(name, .written)
        do throws(StorageFailure) { try Folder.replace(name, with: temporary, in: folder) } catch {
            try? Folder.remove(temporary, in: folder)
            throw notWritten(name, error)
        }
        try checkpoint(name, .renamed)
    }

    /// Gives a file another name, replacing what had it, and makes that durable.
    func rename(_ from: String, to: String) throws(FolderError) {
        try checkpoint(to, .before)
        do throws(StorageFailure) { try Folder.replace(to, with: from, in: folder) } catch {
            throw notWritten(to, error)
        }
        try checkpoint(to, .renamed)
    }

    /// Overwrites a secret, then removes it. What a disk keeps of earlier copies is beyond our reach.
    func destroy(_ name: String) throws(FolderError) {
        try checkpoint(name, .before)
        do throws(StorageFailure) {
            let file = try File(path(name), .update)
            let count = try file.byteCount
            try file.write(at: 0, [UInt8](repeating: 0, count: min(count, Self.mostDestroyed)))
            try file.sync()
        } catch {
            throw notWritten(name, error)
        }
        try checkpoint(name, .written)
        do throws(StorageFailure) {
            try Folder.remove(name, in: folder)
            try Folder.sync(folder)
        } catch {
            throw notWritten(name, error)
        }
        try checkpoint(name, .renamed)
    }

    /// Locks a file of that name, which is made when missing, until the result is gone.
    func lock(_ name: String) throws(FolderError) -> File {
        do throws(StorageFailure) {
            let file: File
            do throws(StorageFailure) { file = try File(path(name), .update) } catch {
                guard error.isNoSuchFile else { throw error }
                file = try File(path(name), .create)
            }
            try file.lock()
            return file
        } catch {
            throw FolderError(
                .busy, path(name), "the certificates are being changed by another command (\(error))",
                "wait until it has ended and try again")
        }
    }

    /// Removes a file and makes that durable.
    func remove(_ name: String) throws(FolderError) {
        try checkpoint(name, .before)
        do throws(StorageFailure) {
            try Folder.remove(name, in: folder)
            try Folder.sync(folder)
        } catch {
            throw notWritten(name, error)
        }
        try checkpoint(name, .renamed)
    }

    /// Makes the folder, mode 0700, with the folders above it; an existing one gets the mode.
    func makeFolder() throws(FolderError) {
        let above = folder.lastIndex(of: "/").map { String(folder[..<$0]) } ?? "."
        do throws(StorageFailure) {
            try Folder.makePrivate(folder)
            try Folder.sync(above.isEmpty ? "/" : above)
        } catch {
            throw notWritten(nil, error)
        }
    }

    /// Names in the folder; nil when there is no such folder.
    func names() throws(FolderError) -> [String]? {
        switch Folder.entry(folder + "/.") {
        case nil where Folder.entry(folder) == nil: return nil
        case .folder: break
        default: throw FolderError(.occupied, folder, "it is not a folder", "name another one")
        }
        do throws(StorageFailure) { return try Folder.names(in: folder, limit: Self.mostNames).names } catch {
            throw FolderError(.unreadable, folder, "\(error)", "give the user that runs the server access to it")
        }
    }

    /// Throws when others may change the folder.
    func checkFolderMode() throws(FolderError) {
        guard mode(folder) & 0o022 == 0 else {
            throw FolderError(.exposed, folder, "others on this machine can put files into it", "run chmod 700 on it")
        }
    }

    private func mode(_ path: String) -> mode_t {
        var info = stat()
        return stat(path, &info) == 0 ? info.st_mode : 0
    }

    private func notWritten(_ name: String?, _ failure: StorageFailure) -> FolderError {
        let step =
            switch failure.systemError {
            case ENOSPC, EDQUOT: "free space on that disk and try again"
            case EACCES, EPERM, EROFS: "run it as a user that may write there, or name another folder"
            default: "check the path and the disk and try again"
            }
        return FolderError(.notWritten, name.map(path) ?? folder, "\(failure)", step)
    }
}
