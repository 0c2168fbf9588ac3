import ByteTools
import Glibc

/// What the package of the program that runs says of its version.
public enum InstalledVersion {
    private static let longest = 64

    /// The version in the file that packages have for `application`; nil when the program is not from a package.
    public static func of(_ application: String) -> String? {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        guard count > 0 else { return nil }
        let program = String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let parts = program.split(separator: "/")
        guard parts.count >= 2, parts[parts.count - 2] == "bin" else { return nil }
        let root = parts.dropLast(2).map { "/" + $0 }.joined()
        guard let file = try? File("\(root)/lib/iocom/\(application)/version", .read), let size = try? file.byteCount,
            size <= longest, let bytes = try? file.read(at: 0, count: size)
        else { return nil }
        let text = String(decoding: bytes, as: UTF8.self).prefix { $0 != "\n" }
        return text.isEmpty ? nil : String(text)
    }
}
