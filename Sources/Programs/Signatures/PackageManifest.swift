import ByteTools

/// What a package is, in the words that are signed: a text of one `name: value` a line, always in the same order.
///
/// ```
/// iocom-manifest: 1
/// organization: iocafe
/// application: candy
/// version: 261124-1200
/// os: esp32
/// hardware: espcam
/// size: 150384
/// sha256: 5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03
/// ```
/// A last line `downgrade: allowed` permits to go back to this version from a newer one.
public struct PackageManifest: Sendable, Hashable {
    /// Longest text in bytes.
    public static let longest = 2048

    /// Who made the program.
    public let organization: String
    /// The program; equals the device name without number.
    public let application: String
    /// When it was built.
    public let version: ProgramVersion
    /// Operating system it is for.
    public let os: String
    /// Hardware it is for.
    public let hardware: String
    /// Bytes of the package.
    public let size: Int
    /// SHA-256 of the package.
    public let sha256: [UInt8]
    /// The package may replace a newer version.
    public let allowsDowngrade: Bool

    /// Why a text is no manifest.
    public enum ParseError: Error, Equatable, Sendable, CustomStringConvertible {
        /// Longer than ``PackageManifest/longest``.
        case tooLong
        /// A line is not the one that has to stand there.
        case line(expected: String)
        /// A value is not one of its kind.
        case value(String)
        /// The parts make no package name.
        case name(PackageName.ParseError)

        /// The reason for people.
        public var description: String {
            switch self {
            case .tooLong: "the manifest is longer than \(PackageManifest.longest) bytes"
            case .line(let expected): "the manifest has no line '\(expected): …' where it has to stand"
            case .value(let name): "the manifest's value of '\(name)' is not one of its kind"
            case .name(let error): "the manifest is wrong: \(error)"
            }
        }
    }

    /// The manifest of a package of that name.
    public init(_ name: PackageName, size: Int, sha256: [UInt8], allowsDowngrade: Bool = false) {
        organization = name.organization
        application = name.application
        version = name.version
        os = name.os
        hardware = name.hardware
        self.size = size
        self.sha256 = sha256
        self.allowsDowngrade = allowsDowngrade
    }

    /// Reads the text form; every byte has to be as ``text`` writes it.
    public init(parsing bytes: some Collection<UInt8>) throws(ParseError) {
        guard bytes.count <= Self.longest else { throw .tooLong }
        var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)[...]
        func value(_ name: String) throws(ParseError) -> String {
            guard let line = lines.popFirst(), line.starts(with: "\(name): ".utf8) else { throw .line(expected: name) }
            let value = line.dropFirst(name.utf8.count + 2)
            guard !value.isEmpty, value.allSatisfy({ (0x21...0x7E).contains($0) }) else { throw .value(name) }
            return String(decoding: value, as: UTF8.self)
        }
        guard try value("iocom-manifest") == "1" else { throw .value("iocom-manifest") }
        let organization = try value("organization")
        let application = try value("application")
        let version = try value("version")
        let os = try value("os")
        let hardware = try value("hardware")
        guard let size = Int(try value("size")), size > 0 else { throw .value("size") }
        guard let hash = Self.bytes(hexadecimal: try value("sha256")), hash.count == 32 else { throw .value("sha256") }
        var allowsDowngrade = false
        if lines.count > 1 {
            guard try value("downgrade") == "allowed" else { throw .value("downgrade") }
            allowsDowngrade = true
        }
        guard lines.count == 1, lines.first?.isEmpty == true else { throw .line(expected: "end") }
        let name: PackageName
        do throws(PackageName.ParseError) {
            // The rules for the fields are those of file names; the extension is not part of a manifest.
            name = try PackageName(parsing: "\(organization)-\(application)-\(version)-\(os)-\(hardware).pkg")
        } catch { throw .name(error) }
        self.init(name, size: size, sha256: hash, allowsDowngrade: allowsDowngrade)
        // One text for one meaning: no leading zeros, no capital digits.
        guard bytes.elementsEqual(text.utf8) else { throw .value("size, sha256 or version") }
    }

    /// The text form.
    public var text: String {
        """
        iocom-manifest: 1
        organization: \(organization)
        application: \(application)
        version: \(version)
        os: \(os)
        hardware: \(hardware)
        size: \(size)
        sha256: \(hexadecimal(sha256))

        """ + (allowsDowngrade ? "downgrade: allowed\n" : "")
    }

    private static func bytes(hexadecimal text: String) -> [UInt8]? {
        let digits = text.utf8.map { UInt8(ascii: "0") <= $0 && $0 <= UInt8(ascii: "9") ? $0 - 48 : $0 &- 87 }
        guard digits.count.isMultiple(of: 2), digits.allSatisfy({ $0 < 16 }) else { return nil }
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }
}
