import ByteTools
import TerminalUI

/// Replaces a file so that a crash leaves the old or the new one.
func replaceFile(_ path: String, with bytes: [UInt8]) throws {
    do {
        let slash = path.lastIndex(of: "/")
        let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let name = slash.map { String(path[path.index(after: $0)...]) } ?? path
        guard !name.isEmpty else { throw StorageFailure("\(path) is a folder") }
        let temporary = "." + name + ".part"
        try Folder.remove(temporary, in: folder)
        let file = try File(folder + "/" + temporary, .create)
        try file.write(at: 0, bytes)
        try file.sync()
        try Folder.replace(name, with: temporary, in: folder)
    } catch let failure as StorageFailure {
        throw CandyError(failure.isNoSuchFile ? .notFound : .failed, failure.description)
    }
}
