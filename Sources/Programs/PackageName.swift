/// Name of a package file: `<organization>-<application>-<YYMMDD>-<HHMM>-<os>-<hardware>.<ext>` (application-layer.md 4.5).
public struct PackageName: Sendable, Hashable {
    /// Longest name in bytes, as file systems allow.
    public static let maximumLength = 255

    /// Why a text is no package name.
    public enum ParseError: Error, Equatable, Sendable, CustomStringConvertible {
        /// Longer than `maximumLength`.
        case tooLong
        /// Not six fields between dashes.
        case fieldCount(Int)
        /// A field that is empty or holds other characters than letters, digits and underscore.
        case field(String, String)
        /// No extension after the last field.
        case noExtension
        /// Date or time is wrong.
        case version(ProgramVersion.ParseError)

        /// The reason for people.
        public var description: String {
            switch self {
            case .tooLong: "the name is longer than \(PackageName.maximumLength) bytes"
            case .fieldCount(let count):
                "the name has \(count) fields between dashes; "
                    + "organization-application-YYMMDD-HHMM-os-hardware.ext has six"
            case .field(let name, let text):
                "\(name) '\(text)' must be letters, digits and underscores"
            case .noExtension: "the name has no extension"
            case .version(let error): error.description
            }
        }
    }

    /// Who made the program.
    public let organization: String
    /// The program; equals the device name without number.
    public let application: String
    /// When it was built.
    public let version: ProgramVersion
    /// Operating system it is for: `linux`, `esp32`, …
    public let os: String
    /// Hardware it is for: `amd64`, `espcam`, …
    public let hardware: String
    /// File extension without dot: `deb`, `bin`, …
    public let fileExtension: String

    /// A name of its parts.
    public init(
        organization: String, application: String, version: ProgramVersion, os: String, hardware: String,
        fileExtension: String
    ) throws(ParseError) {
        for (name, text) in [
            ("organization", organization), ("application", application), ("os", os), ("hardware", hardware),
            ("extension", fileExtension),
        ] {
            guard !text.isEmpty, text.utf8.allSatisfy(Self.isFieldByte) else {
                throw .field(name, Self.printable(text))
            }
        }
        self.organization = organization
        self.application = application
        self.version = version
        self.os = os
        self.hardware = hardware
        self.fileExtension = fileExtension
        guard description.utf8.count <= Self.maximumLength else { throw .tooLong }
    }

    /// Reads a file name (not a path).
    public init(parsing name: String) throws(ParseError) {
        guard name.utf8.count <= Self.maximumLength else { throw .tooLong }
        let fields = name.split(separator: "-", omittingEmptySubsequences: false)
        guard fields.count == 6 else { throw .fieldCount(fields.count) }
        guard let dot = fields[5].firstIndex(of: ".") else { throw .noExtension }
        let version: ProgramVersion
        do { version = try ProgramVersion(date: String(fields[2]), time: String(fields[3])) } catch {
            throw .version(error)
        }
        try self.init(
            organization: String(fields[0]), application: String(fields[1]), version: version, os: String(fields[4]),
            hardware: String(fields[5][..<dot]), fileExtension: String(fields[5][fields[5].index(after: dot)...]))
    }

    /// The beginning of a text without what could harm a terminal.
    private static func printable(_ text: String) -> String {
        let scalars = text.unicodeScalars.lazy.filter { $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) }
        return String(String.UnicodeScalarView(scalars.prefix(40)))
    }

    private static func isFieldByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}

extension PackageName: Comparable, CustomStringConvertible {
    /// The file name.
    public var description: String {
        "\(organization)-\(application)-\(version)-\(os)-\(hardware).\(fileExtension)"
    }

    /// Version first, then the name, so that the newest of a list is its maximum.
    public static func < (a: Self, b: Self) -> Bool {
        (a.version, a.description) < (b.version, b.description)
    }
}
