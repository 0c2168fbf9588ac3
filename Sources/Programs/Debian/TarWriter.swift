import ByteTools

/// Writes a tar archive (ustar): the same entries give the same bytes.
struct TarWriter {
    /// A place in the archive.
    struct Entry {
        enum Kind: UInt8 {
            case file = 0x30
            case link = 0x32
            case folder = 0x35
        }
        /// Path without leading slash.
        var path: String
        var kind: Kind
        var mode: Int
        var owner = "root"
        var group = "root"
        var size = 0
        /// What a link leads to.
        var target = ""
    }

    static let blockSize = 512
    /// Paths are split into a prefix of 155 and a name of 100 bytes at a slash.
    private static let nameSize = 100
    private static let prefixSize = 155

    private let append: ([UInt8]) throws(StorageFailure) -> Void
    private let time: Int

    /// `time` is that of every entry, seconds since 1970.
    init(time: Int, append: @escaping ([UInt8]) throws(StorageFailure) -> Void) {
        self.time = time
        self.append = append
    }

    func add(_ entry: Entry, content: [UInt8] = []) throws(StorageFailure) {
        try append(Self.header(entry, time))
        try append(content)
        try pad(content.count)
    }

    /// Adds a file of any size, read piece by piece.
    func add(_ entry: Entry, from file: File) throws(StorageFailure) {
        try append(Self.header(entry, time))
        try file.forEachPiece(of: entry.size, append)
        try pad(entry.size)
    }

    /// The two empty blocks at the end.
    func finish() throws(StorageFailure) { try append([UInt8](repeating: 0, count: 2 * Self.blockSize)) }

    private func pad(_ size: Int) throws(StorageFailure) {
        let rest = size % Self.blockSize
        if rest > 0 { try append([UInt8](repeating: 0, count: Self.blockSize - rest)) }
    }

    private static func header(_ entry: Entry, _ time: Int) throws(StorageFailure) -> [UInt8] {
        let (prefix, name) = try split("./" + entry.path + (entry.kind == .folder && !entry.path.isEmpty ? "/" : ""))
        var block: [UInt8] = []
        block.appendText(name, length: nameSize)
        block += try octal(entry.mode, 8)
        // Names count; the numbers are those of root, for whom there is none of that name.
        block += try octal(0, 8) + octal(0, 8) + octal(entry.size, 12) + octal(time, 12)
        block += Array("        ".utf8) + [entry.kind.rawValue]
        guard entry.target.utf8.count <= nameSize else {
            throw StorageFailure("\(entry.target) is too long for a link")
        }
        block.appendText(entry.target, length: nameSize)
        block += Array("ustar\u{0}00".utf8)
        block.appendText(entry.owner, length: 32)
        block.appendText(entry.group, length: 32)
        block += try octal(0, 8) + octal(0, 8)
        block.appendText(prefix, length: prefixSize)
        block += [UInt8](repeating: 0, count: blockSize - block.count)
        let sum = block.reduce(0) { $0 + Int($1) }
        block.replaceSubrange(148..<156, with: try octal(sum, 7) + [0x20])
        return block
    }

    private static func split(_ path: String) throws(StorageFailure) -> (prefix: String, name: String) {
        if path.utf8.count <= nameSize { return ("", path) }
        // The first slash behind which the rest fits.
        for at in path.indices where path[at] == "/" {
            let name = path[path.index(after: at)...]
            if !name.isEmpty, name.utf8.count <= nameSize, path[..<at].utf8.count <= prefixSize {
                return (String(path[..<at]), String(name))
            }
        }
        throw StorageFailure("the path \(path) is too long for a package")
    }

    /// Octal digits and a NUL.
    private static func octal(_ value: Int, _ length: Int) throws(StorageFailure) -> [UInt8] {
        let digits = Array(String(value, radix: 8).utf8)
        guard value >= 0, digits.count < length else { throw StorageFailure("\(value) is too large for a package") }
        return [UInt8](repeating: 0x30, count: length - 1 - digits.count) + digits + [0]
    }
}
