extension File {
    /// Opens a file for update that one process has at a time. One that does not exist is made by `fill`; a half-made one
    /// never gets the name.
    public static func locked(
        _ path: String, making fill: (File) throws(StorageFailure) -> Void
    ) throws(StorageFailure) -> File {
        do {
            let file = try File(path, .update)
            try file.lock()
            return file
        } catch { guard error.isNoSuchFile else { throw error } }
        let (folder, name) = Folder.split(path)
        let temporary = "." + name + ".new"
        try Folder.remove(temporary, in: folder)
        let file = try File(folder + "/" + temporary, .create)
        try file.lock()
        try fill(file)
        try file.sync()
        try Folder.replace(name, with: temporary, in: folder)
        return file
    }

    /// Writes `count` bytes of one value at the start of the file, in pieces.
    public func fill(with byte: UInt8, count: Int) throws(StorageFailure) {
        let piece = [UInt8](repeating: byte, count: 1 << 16)
        var offset = 0
        while offset < count {
            try write(at: offset, Array(piece.prefix(count - offset)))
            offset += piece.count
        }
    }
}
