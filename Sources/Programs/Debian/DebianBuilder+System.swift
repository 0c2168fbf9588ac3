import ByteTools

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

extension DebianBuilder {
    /// Makes a folder of a name that nobody has, for this user alone.
    static func makeScratch(in place: String) throws(StorageFailure) -> String {
        var name = Array((place + ".make-deb.XXXXXX").utf8CString)
        guard name.withUnsafeMutableBufferPointer({ $0.baseAddress.flatMap { mkdtemp($0) } }) != nil else {
            throw StorageFailure("can't make a folder in \(place): \(String(cString: strerror(errno)))")
        }
        return String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

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
