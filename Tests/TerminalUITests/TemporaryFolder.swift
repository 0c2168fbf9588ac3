import Glibc
import Testing

@testable import TerminalUI

/// A folder that is removed at the end of a test.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        var template = Array("/tmp/iocom-ui-XXXXXX".utf8CString)
        path = try #require(mkdtemp(&template).map { String(cString: $0) })
    }

    deinit { Self.remove(path) }

    /// Makes a file and gives its path.
    func write(_ name: String, _ content: [UInt8], mode: mode_t) throws -> String {
        let file = open(path + "/" + name, O_WRONLY | O_CREAT | O_EXCL, 0o600)
        try #require(file >= 0)
        defer { close(file) }
        try #require(FileBytes.write(content, to: file))
        try #require(fchmod(file, mode) == 0)
        return path + "/" + name
    }

    /// What a folder holds, sorted.
    static func names(in path: String) -> [String] {
        guard let folder = opendir(path) else { return [] }
        defer { closedir(folder) }
        var result: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { result.append(name) }
        }
        return result.sorted()
    }

    private static func remove(_ path: String) {
        if unlink(path) == 0 { return }
        for name in names(in: path) { remove(path + "/" + name) }
        rmdir(path)
    }
}
