import ByteTools

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

extension DebianBuilder {
    static var processNumber: Int32 { getpid() }

    /// The folder that relative paths begin in.
    static var workingFolder: String {
        guard let path = getcwd(nil, 0) else { return "." }
        defer { free(path) }
        return String(cString: path)
    }

    /// Removes a folder of this builder's own with what is in it, as far as it can.
    static func removeAll(_ folder: String) {
        for name in (try? Folder.names(in: folder, limit: 1000).names) ?? [] {
            let path = folder + "/" + name
            if Folder.entry(path) == .folder { removeAll(path) } else { unlink(path) }
        }
        rmdir(folder)
    }
}
