public import ByteTools

/// A Debian package: an `ar` archive of `debian-binary`, `control.tar…` and `data.tar…` (deb(5), ar(5)).
public struct DebianPackage: Sendable, Equatable {
    /// Members of the archive that are looked at.
    public static let maximumMembers = 16
    /// Largest package.
    public static let largestSize = 1 << 30
    /// Bytes that the control fields may have.
    public static let maximumControlSize = 64 << 10

    /// A member of the archive.
    public struct Member: Sendable, Equatable {
        /// Its name.
        public let name: String
        /// Where its bytes start in the file.
        public let offset: Int
        /// Bytes.
        public let size: Int
    }

    /// Why a file is not a Debian package, or why it can't be read.
    public enum Failure: Error, Equatable, Sendable, CustomStringConvertible {
        /// Does not start with the magic of `ar`.
        case notAnArchive
        /// A header or the bytes of a member are wrong, at a byte of the file.
        case badMember(offset: Int, reason: String)
        /// The first member is not `debian-binary` with format 2.
        case format
        /// A part that must be there is not.
        case missing(String)
        /// Reading failed, or the tool that reads the fields.
        case unreadable(StorageFailure)
        /// A needed field of the control file is missing or odd.
        case field(String)

        /// The reason for people.
        public var description: String {
            switch self {
            case .notAnArchive: "not a Debian package: it does not start as an ar archive"
            case .badMember(let offset, let reason): "the archive is damaged at byte \(offset): \(reason)"
            case .format: "the archive is not a Debian package of format 2"
            case .missing(let what): "the Debian package has no \(what)"
            case .unreadable(let failure): failure.description
            case .field(let name): "the Debian package has no usable field \(name)"
            }
        }
    }

    /// Package name, `<organization>-<application>` in our packages.
    public let package: String
    /// Version text.
    public let version: String
    /// Architecture, `amd64`, …
    public let architecture: String
    /// Packages that must be there.
    public let dependencies: DebianDependencies

    /// True when `bytes`, the beginning of a file, start an `ar` archive.
    public static func isArchive(_ bytes: [UInt8]) -> Bool { bytes.starts(with: "!<arch>\n".utf8) }

    /// Checks that a source is a Debian package in form and gives its members.
    public static func members(of source: some ByteSource) throws(Failure) -> [Member] {
        let total: Int
        let start: [UInt8]
        do throws(StorageFailure) {
            total = try source.byteCount
            start = try source.read(at: 0, count: min(8, total))
        } catch {
            throw .unreadable(error)
        }
        guard isArchive(start) else { throw .notAnArchive }
        var members: [Member] = []
        var offset = 8
        while offset < total {
            guard members.count < maximumMembers else {
                throw .badMember(offset: offset, reason: "more than \(maximumMembers) members")
            }
            let member = try member(at: offset, of: source, total: total)
            members.append(member)
            offset = member.offset + member.size + member.size % 2
        }
        guard let first = members.first, first.name == "debian-binary", (4...64).contains(first.size) else {
            throw .format
        }
        let format: [UInt8]
        do { format = try source.read(at: first.offset, count: first.size) } catch { throw .unreadable(error) }
        guard format.starts(with: "2.".utf8) else { throw .format }
        for part in ["control.tar", "data.tar"] {
            let endings = ["", ".gz", ".xz", ".zst"] + (part == "data.tar" ? [".bz2", ".lzma"] : [])
            guard members.contains(where: { member in endings.contains { member.name == part + $0 } }) else {
                throw .missing(part)
            }
        }
        return members
    }

    /// Reads one header of 60 bytes: name 16, date 12, owner 6, group 6, mode 8, size 10, end mark 2.
    private static func member(
        at offset: Int, of source: some ByteSource, total: Int
    ) throws(Failure) -> Member {
        guard total - offset >= 60 else { throw .badMember(offset: offset, reason: "it ends inside a header") }
        let header: [UInt8]
        do { header = try source.read(at: offset, count: 60) } catch { throw .unreadable(error) }
        guard header[58] == 0x60, header[59] == 0x0A else {
            throw .badMember(offset: offset + 58, reason: "a header has no end mark")
        }
        guard let name = header.text(at: 0, length: 16), let sizeText = header.text(at: 48, length: 10) else {
            throw .badMember(offset: offset, reason: "a header is not text")
        }
        let digits = sizeText.prefix { $0 != " " }
        guard !digits.isEmpty, digits.allSatisfy({ ("0"..."9").contains($0) }), let size = Int(digits),
            size <= total - offset - 60
        else { throw .badMember(offset: offset + 48, reason: "a member can't have the size '\(sizeText)'") }
        // GNU ar ends names with a slash.
        let trimmed = name.prefix { $0 != " " && $0 != "/" }
        return Member(name: String(trimmed), offset: offset + 60, size: size)
    }

    /// Reads the control fields of the package at `path` with the system's `dpkg-deb`.
    public init(path: String) throws(Failure) {
        let file: File
        do { file = try File(path, .read) } catch { throw .unreadable(error) }
        _ = try Self.members(of: file)
        let result: Subprocess.Result
        do {
            result = try Subprocess.run(
                "/usr/bin/dpkg-deb",
                [
                    "--field", path.hasPrefix("/") ? path : "./" + path, "Package", "Version", "Architecture",
                    "Pre-Depends", "Depends",
                ],
                outputLimit: Self.maximumControlSize, milliseconds: 20_000)
        } catch {
            throw .unreadable(error)
        }
        guard result.status == 0 else {
            let text = String(decoding: result.errors.prefix(200).filter { $0 >= 0x20 && $0 < 0x7F }, as: UTF8.self)
            throw .unreadable(StorageFailure("dpkg-deb can't read the package: \(text)"))
        }
        try self.init(fields: String(decoding: result.output, as: UTF8.self))
    }

    /// Reads `Name: value` lines; a line that starts with a blank goes on with the one before.
    init(fields text: String) throws(Failure) {
        var values: [String: String] = [:]
        var current: String?
        for line in text.split(separator: "\n") {
            if line.first == " " || line.first == "\t" {
                if let current { values[current, default: ""] += line }
                continue
            }
            guard let colon = line.firstIndex(of: ":") else { continue }
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            current = String(line[..<colon])
            values[String(line[..<colon])] = String(value)
        }
        func field(_ name: String) throws(Failure) -> String {
            guard let value = values[name], (1...200).contains(value.utf8.count),
                value.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
            else { throw .field(name) }
            return value
        }
        package = try field("Package")
        version = try field("Version")
        architecture = try field("Architecture")
        let needed = [values["Pre-Depends"], values["Depends"]].compactMap(\.self).joined(separator: ", ")
        guard let dependencies = DebianDependencies(parsing: needed) else { throw .field("Depends") }
        self.dependencies = dependencies
    }
}
