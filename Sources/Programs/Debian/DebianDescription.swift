import ByteTools
import PackedJSON

/// What a Debian package is made from besides the program: the description file of `ispy package make-deb`.
///
/// ```
/// {
///   "organization": "iocafe", "application": "candy",
///   "summary": "IO device with a camera", "description": "A longer text.",
///   "maintainer": "Ida Example <ida@example.org>", "copyright": "2026 Ida Example", "license": "MIT",
///   "start": ["run", "--data", "/var/lib/iocom/candy"],
///   "depends": ["ca-certificates"],
///   "files": [{"source": "candy.conf", "path": "/etc/candy/candy.conf", "configuration": true}]
/// }
/// ```
/// Without `start` nothing is started at boot; with `condition` only when that file exists. With `privileged` it is started
/// as root, without a sandbox, and by an init script where there is no systemd; with `socket` systemd also listens there for
/// it. A file has `source` (beside the description), `path`, and if wanted `mode` ("0640"), `owner`, `group` and
/// `configuration`. `license` other than MIT needs `licenseText`; `contains` names parts with other licenses.
public struct DebianDescription: Sendable, Equatable {
    /// Bytes that a description may have.
    public static let largestSize = 64 << 10
    /// Further files of a package.
    public static let mostFiles = 1_000
    /// Arguments, and packages it depends on.
    public static let mostWords = 100

    /// A further file.
    public struct File: Sendable, Equatable {
        /// Where it is now, beside the description.
        public let source: String
        /// Where it will be, without the leading slash.
        public let path: String
        /// Permissions.
        public let mode: Int
        /// Owner's name.
        public let owner: String
        /// Group's name.
        public let group: String
        /// The owner of the machine may change it: an update keeps it (conffile).
        public let isConfiguration: Bool
    }

    /// Who made it.
    public let organization: String
    /// The program's name.
    public let application: String
    /// One line.
    public let summary: String
    /// Paragraphs.
    public let description: String
    /// `Name <mail>`
    public let maintainer: String
    /// Years and holders.
    public let copyright: String
    /// Name of the license.
    public let license: String
    /// Its text.
    public let licenseText: String
    /// Words about parts with other licenses, such as libraries that are linked in; nil when there are none.
    public let contains: String?
    /// Arguments of the service; nil when there is no service.
    public let start: [String]?
    /// File that must exist before the service is started; nil starts it always.
    public let condition: String?
    /// Started as root: the installer of the machine itself.
    public let isPrivileged: Bool
    /// Socket that systemd listens at for it; nil without one.
    public let socket: String?
    /// Packages needed besides the libraries that are found.
    public let depends: [String]
    /// Further files.
    public let files: [File]

    /// Name of the Debian package.
    public var package: String { "\(organization)-\(application)" }
    /// The service's user.
    public var user: String { isPrivileged ? "root" : "iocom-\(application)" }

    /// What is wrong with a description.
    public enum ParseError: Error, Equatable, Sendable, CustomStringConvertible {
        /// It is no JSON, or too long.
        case json(String)
        /// A field is missing or has a value that can't be used.
        case field(String, String)

        /// The reason for people.
        public var description: String {
            switch self {
            case .json(let reason): "the description is not usable: \(reason)"
            case .field(let name, let reason): "the description's '\(name)' \(reason)"
            }
        }
    }

    private static let fields: Set<String> = [
        "organization", "application", "summary", "description", "maintainer", "copyright", "license", "licenseText",
        "contains",
        "start", "condition", "privileged", "socket", "depends", "files",
    ]
    private static let fileFields: Set<String> = ["source", "path", "mode", "owner", "group", "configuration"]

    /// Reads a description.
    public init(parsing bytes: [UInt8]) throws(ParseError) {
        guard bytes.count <= Self.largestSize else { throw .json("it has more than \(Self.largestSize) bytes") }
        let json: JSON
        do { json = try JSON(parsing: bytes) } catch { throw .json("\(error)") }
        guard let members = json.members else { throw .json("it is not an object") }
        if let unknown = members.first(where: { !Self.fields.contains($0.name) }) {
            throw .field(Self.shown(unknown.name), "is not known")
        }
        organization = try Self.word(json, "organization", isName)
        application = try Self.word(json, "application", isName)
        summary = try Self.word(json, "summary") { isPlain($0, limit: 80) && !$0.contains("\\") }
        description = try Self.text(json, "description", orElse: summary)
        maintainer = try Self.word(json, "maintainer") { text in
            text.contains(" <") && text.hasSuffix(">") && text.contains("@") && isPlain(text, limit: 200)
        }
        copyright = try Self.line(json, "copyright", limit: 200)
        license = try Self.line(json, "license", limit: 40)
        licenseText = try Self.text(json, "licenseText", orElse: license == "MIT" ? Self.expat : nil)
        contains = json["contains"] == nil ? nil : try Self.text(json, "contains", orElse: nil)
        start = try json["start"].map { value throws(ParseError) in try Self.words(value, "start") { isArgument($0) } }
        condition = try Self.path(json, "condition")
        isPrivileged = try Self.flag(json, "privileged")
        socket = try Self.path(json, "socket")
        depends = try Self.words(json["depends"] ?? [], "depends") { isDependency($0) }
        guard let elements = (json["files"] ?? []).elements, elements.count <= Self.mostFiles else {
            throw .field("files", "is not a list of at most \(Self.mostFiles) files")
        }
        var files: [File] = []
        for element in elements { files.append(try Self.file(element)) }
        guard Set(files.map(\.path)).count == files.count else { throw .field("files", "names a path twice") }
        self.files = files
    }

    private static func file(_ json: JSON) throws(ParseError) -> File {
        guard let members = json.members, members.allSatisfy({ fileFields.contains($0.name) }) else {
            throw .field("files", "has an entry with an unknown field")
        }
        let path = try word(json, "path") { $0.hasPrefix("/") && isPath($0.dropFirst()) }
        let source = try word(json, "source") { isPath($0[...]) }
        var mode = 0o644
        if let given = json["mode"] {
            guard let text = given.text, (3...4).contains(text.count), let number = Int(text, radix: 8) else {
                throw .field("mode", "is not like \"0640\"")
            }
            guard number & 0o6000 == 0 else { throw .field("mode", "has a set-user-id or set-group-id bit") }
            mode = number
        }
        return File(
            source: source, path: String(path.dropFirst()), mode: mode, owner: try user(json, "owner"),
            group: try user(json, "group"), isConfiguration: try flag(json, "configuration"))
    }

    private static func user(_ json: JSON, _ name: String) throws(ParseError) -> String {
        json[name] == nil ? "root" : try word(json, name, isUser)
    }

    // MARK: Kinds of values

    private static func flag(_ json: JSON, _ name: String) throws(ParseError) -> Bool {
        switch json[name] {
        case nil: return false
        case .bool(let value): return value
        default: throw .field(name, "is neither true nor false")
        }
    }

    private static func path(_ json: JSON, _ name: String) throws(ParseError) -> String? {
        guard json[name] != nil else { return nil }
        return try word(json, name) { $0.hasPrefix("/") && isPath($0.dropFirst()) }
    }

    private static func word(
        _ json: JSON, _ name: String, _ check: (String) -> Bool
    ) throws(ParseError) -> String {
        guard let text = json[name]?.text else { throw .field(name, "is missing, or is not a text") }
        guard check(text) else { throw .field(name, "can't be '\(shown(text))'") }
        return text
    }

    private static func line(_ json: JSON, _ name: String, limit: Int) throws(ParseError) -> String {
        try word(json, name) { isPlain($0, limit: limit) }
    }

    private static func text(_ json: JSON, _ name: String, orElse other: String?) throws(ParseError) -> String {
        guard let value = json[name] else {
            guard let other else { throw .field(name, "is missing") }
            return other
        }
        guard let text = value.text, !text.isEmpty, text.utf8.count <= 16_384,
            text.unicodeScalars.allSatisfy({ $0 == "\n" || isVisible($0) })
        else { throw .field(name, "is not a text of at most 16384 bytes") }
        return text
    }

    private static func words(
        _ json: JSON, _ name: String, _ check: (String) -> Bool
    ) throws(ParseError) -> [String] {
        guard let elements = json.elements, elements.count <= mostWords else {
            throw .field(name, "is not a list of at most \(mostWords) texts")
        }
        var words: [String] = []
        for element in elements {
            guard let text = element.text else { throw .field(name, "holds something that is not a text") }
            guard check(text) else { throw .field(name, "can't hold '\(shown(text))'") }
            words.append(text)
        }
        return words
    }

    private static func isVisible(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value >= 0x20 && !(0x7F...0x9F).contains(scalar.value)
    }

    private static func shown(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.filter(isVisible).prefix(60)))
    }

    /// The license that is called MIT, and Expat by Debian.
    private static let expat = """
        Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated \
        documentation files (the "Software"), to deal in the Software without restriction, including without limitation \
        the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and \
        to permit persons to whom the Software is furnished to do so, subject to the following conditions:

        The above copyright notice and this permission notice shall be included in all copies or substantial portions of \
        the Software.

        THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO \
        THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE \
        AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF \
        CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS \
        IN THE SOFTWARE.
        """
}

/// A name that can be part of a Debian package's, of a file's and of a user's.
private func isName(_ text: String) -> Bool {
    (2...24).contains(text.utf8.count)
        && text.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) }
        && text.utf8.first.map { (0x61...0x7A).contains($0) } == true
}

private func isUser(_ text: String) -> Bool {
    (1...31).contains(text.utf8.count)
        && text.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D || $0 == 0x5F }
}

private func isPlain(_ text: String, limit: Int) -> Bool {
    !text.isEmpty && text.utf8.count <= limit && text.first != " "
        && text.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) }
}

/// An argument that a unit file takes as it is: nothing that systemd or a shell would read as more than itself.
private func isArgument(_ text: String) -> Bool {
    (1...200).contains(text.utf8.count)
        && text.utf8.allSatisfy { byte in
            (0x61...0x7A).contains(byte) || (0x41...0x5A).contains(byte) || (0x30...0x39).contains(byte)
                || "-_./:@=,+".utf8.contains(byte)
        }
}

/// One dependency, like `libc6 (>= 2.36)`.
private func isDependency(_ text: String) -> Bool {
    (2...100).contains(text.utf8.count)
        && text.utf8.allSatisfy { byte in
            (0x61...0x7A).contains(byte) || (0x41...0x5A).contains(byte) || (0x30...0x39).contains(byte)
                || "+-.:~ ()<>=|".utf8.contains(byte)
        }
}

/// A relative path without `.` and `..`, of visible characters that need no quoting.
private func isPath(_ text: Substring) -> Bool {
    (1...200).contains(text.utf8.count)
        && text.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { part in
            !part.isEmpty && part != "." && part != ".."
                && part.utf8.allSatisfy { byte in
                    (0x61...0x7A).contains(byte) || (0x41...0x5A).contains(byte) || (0x30...0x39).contains(byte)
                        || "-_.+@".utf8.contains(byte)
                }
        }
}
