public import ByteTools
import PackedJSON

/// What an installer is configured to do for one application: a JSON file that only the owner of the machine may write.
///
/// ```
/// {"package": "iocafe-candy", "user": "iocom-candy", "data": "/var/lib/iocom/candy",
///  "keys": "/etc/iocom/package-keys", "proofSeconds": 60,
///  "program": "/usr/bin/candy", "arguments": ["run", "--connect", "tls://server"]}
/// ```
/// With `keys` only packages that one of them signed are installed. `program` and `arguments` are for the starter.
public struct ApplicationSettings: Sendable, Equatable {
    /// Bytes of a file.
    static let largestFile = 16_384
    private static let fields: Set<String> = [
        "package", "user", "data", "keys", "proofSeconds", "program", "arguments",
    ]

    /// Debian package; no other is installed for this application.
    public var package: String
    /// User that the application runs as: nobody else but root may ask for an update.
    public var user: String
    /// Its data folder: what an update that is taken back gets back; nil when it has none.
    public var data: String?
    /// Key file, or folder of `*.pub`; nil takes packages without signature.
    public var keys: String?
    /// Time for a new program to prove itself.
    public var proofSeconds: Int
    /// What the starter starts; nil when something else does.
    public var program: String?
    /// Its arguments.
    public var arguments: [String]

    /// Settings of their parts.
    public init(
        package: String, user: String, data: String?, keys: String?, proofSeconds: Int = 60, program: String? = nil,
        arguments: [String] = []
    ) {
        self.package = package
        self.user = user
        self.data = data
        self.keys = keys
        self.proofSeconds = proofSeconds
        self.program = program
        self.arguments = arguments
    }

    /// Reads every `*.json` of a folder, which nobody but root or the present user may be able to write.
    public static func load(_ folder: String) throws(StorageFailure) -> [ApplicationSettings] {
        let listing = try Folder.names(in: folder, limit: 1000)
        var all: [ApplicationSettings] = []
        for name in listing.names where name.hasSuffix(".json") {
            let path = folder + "/" + name
            let file = try File(path, .read)
            guard try file.mode & 0o022 == 0 else {
                throw StorageFailure("others can write \(path): run chmod go-w on it")
            }
            let bytes = try file.read(at: 0, count: min(try file.byteCount, largestFile + 1))
            do throws(StorageFailure) { all.append(try ApplicationSettings(parsing: bytes)) } catch {
                throw StorageFailure("\(path): \(error)")
            }
        }
        guard listing.complete, Set(all.map(\.package)).count == all.count else {
            throw StorageFailure("\(folder) holds too much, or one package twice")
        }
        return all
    }

    /// Reads the file form.
    public init(parsing bytes: [UInt8]) throws(StorageFailure) {
        guard bytes.count <= Self.largestFile else { throw StorageFailure("longer than any settings") }
        let json: JSON
        do { json = try JSON(parsing: bytes) } catch { throw StorageFailure("not JSON: \(error)") }
        if let unknown = json.members?.first(where: { !Self.fields.contains($0.name) }) {
            throw StorageFailure("'\(unknown.name.prefix(40))' is not known")
        }
        func text(_ name: String) throws(StorageFailure) -> String? {
            guard let value = json[name] else { return nil }
            guard let text = value.text, !text.isEmpty, text.utf8.count <= 1000,
                text.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
            else { throw StorageFailure("'\(name)' is not a text without blanks") }
            return text
        }
        func path(_ name: String) throws(StorageFailure) -> String? {
            guard let path = try text(name) else { return nil }
            guard path.hasPrefix("/"), path.count > 1, !path.split(separator: "/").contains("..") else {
                throw StorageFailure("'\(name)' is not an absolute path")
            }
            return path
        }
        guard let package = try text("package"), let first = package.utf8.first,
            (0x61...0x7A).contains(first) || (0x30...0x39).contains(first),
            package.utf8.allSatisfy({ byte in
                (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || "+-.".utf8.contains(byte)
            })
        else { throw StorageFailure("'package' is missing, or is not the name of a Debian package") }
        guard let user = try text("user") else { throw StorageFailure("'user' is missing") }
        let seconds = json["proofSeconds"]?.int ?? 60
        guard (1...86_400).contains(seconds) else { throw StorageFailure("'proofSeconds' is not 1 to 86400") }
        var arguments: [String] = []
        for element in json["arguments"]?.elements ?? [] {
            guard let text = element.text, text.utf8.count <= 1000, !text.utf8.contains(0), arguments.count < 100 else {
                throw StorageFailure("'arguments' holds something that is not a text")
            }
            arguments.append(text)
        }
        guard json["arguments"].map({ $0.elements != nil }) ?? true else {
            throw StorageFailure("'arguments' is not a list")
        }
        self.init(
            package: package, user: user, data: try path("data"), keys: try path("keys"), proofSeconds: Int(seconds),
            program: try path("program"), arguments: arguments)
    }
}
