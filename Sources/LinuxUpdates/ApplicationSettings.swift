public import ByteTools
import PackedJSON

/// What an installer is configured to do for one application: a JSON file that only the owner of the machine may write.
///
/// ```
/// {"package": "iocafe-candy", "user": "iocom-candy", "unit": "candy.service",
///  "program": "/usr/bin/candy", "arguments": ["run"], "options": "/etc/default/candy",
///  "data": "/var/lib/iocom/candy", "proofSeconds": 60, "keys": "/etc/iocom/package-keys", "fetchDependencies": false}
/// ```
/// With `keys` (or the folder ``standardKeys``) only packages that one of them signed are installed. `program` is what the
/// starter starts where systemd does not start `unit`. Several of one application have `instances`, each with a `name` and
/// its own `arguments` and `data`.
public struct ApplicationSettings: Sendable, Equatable {
    /// Bytes of a file.
    static let largestFile = 16_384
    /// Programs of one application.
    static let mostInstances = 100
    private static let mostArguments = 100
    /// Keys of the machine, used where settings name none.
    public static let standardKeys = "/etc/iocom/package-keys"
    /// Where packages and the owner of the machine put settings; the owner's count more.
    public static let standardFolders = ["/usr/lib/iocom/applications", "/etc/iocom/applications"]
    private static let fields: Set<String> = [
        "package", "user", "data", "keys", "proofSeconds", "program", "arguments", "unit", "options", "condition",
        "fetchDependencies", "instances", "enabled", "confirms",
    ]

    /// One program of an application that runs several times.
    public struct Instance: Sendable, Equatable {
        /// What tells it from the others; empty when there is only one.
        public var name: String
        /// Arguments for the program.
        public var arguments: [String]
        /// Its data folder: what an update that is taken back gets back; nil when it has none.
        public var data: String?

        /// An instance of its parts.
        public init(name: String = "", arguments: [String] = [], data: String? = nil) {
            self.name = name
            self.arguments = arguments
            self.data = data
        }
    }

    /// Debian package; no other is installed for this application.
    public var package: String
    /// User that the application runs as: nobody else but root may ask for an update.
    public var user: String
    /// Key file, or folder of `*.pub`; nil takes ``standardKeys`` when it exists.
    public var keys: String?
    /// Time for a new program to prove itself.
    public var proofSeconds: Int
    /// What the starter starts; nil when something else does.
    public var program: String?
    /// The unit of systemd that starts it; nil when only the starter does.
    public var unit: String?
    /// File with a line `OPTIONS=…`: further arguments; and further variables.
    public var options: String?
    /// File that must exist before the program is started.
    public var condition: String?
    /// Missing packages that an update needs are fetched.
    public var fetchesDependencies: Bool
    /// The program says itself that it has proved itself. Any other, which knows nothing of installers, has done so when it
    /// has run for ``proofSeconds`` without an end.
    public var confirmsItself: Bool
    /// The programs; at least one.
    public var instances: [Instance]

    /// Settings of their parts.
    public init(
        package: String, user: String, data: String?, keys: String?, proofSeconds: Int = 60, program: String? = nil,
        arguments: [String] = []
    ) {
        self.package = package
        self.user = user
        self.keys = keys
        self.proofSeconds = proofSeconds
        self.program = program
        fetchesDependencies = false
        confirmsItself = true
        instances = [Instance(arguments: arguments, data: data)]
    }

    /// Data folders of all instances.
    var data: [String] { instances.compactMap(\.data) }

    // MARK: Files

    /// Reads every `*.json` of the folders, which nobody but root or the present user may be able to write. A file of a
    /// later folder replaces fields of the one with the same name in an earlier folder; one that is not enabled is left out.
    /// So is one that can't be used, with a word to `problem`: the others must run all the same.
    public static func load(
        _ folders: [String], problem: (String) -> Void
    ) throws(StorageFailure) -> [ApplicationSettings] {
        var documents: [String: JSON] = [:]
        for folder in folders where Folder.exists(folder) {
            let listing = try Folder.names(in: folder, limit: 1000)
            if !listing.complete { problem("\(folder) holds too many files; not all are looked at") }
            for name in listing.names.sorted() where name.hasSuffix(".json") {
                do throws(StorageFailure) {
                    let json = try read(folder + "/" + name)
                    documents[name] =
                        try documents[name].map { old throws(StorageFailure) in try merge(old, json) } ?? json
                } catch {
                    problem("\(error); this application is left out")
                    documents[name] = .object([.init("enabled", .bool(false))])
                }
            }
        }
        var all: [ApplicationSettings] = []
        for (name, json) in documents.sorted(by: { $0.key < $1.key }) where json["enabled"] != .bool(false) {
            do throws(StorageFailure) {
                let settings = try ApplicationSettings(json)
                guard !all.contains(where: { $0.package == settings.package }) else {
                    throw StorageFailure("another file is for \(settings.package) too: use 'instances' in one")
                }
                all.append(settings)
            } catch { problem("\(name): \(error); this application is left out") }
        }
        return all
    }

    private static func read(_ path: String) throws(StorageFailure) -> JSON {
        let file = try File(path, .read)
        guard try file.mode & 0o022 == 0 else {
            throw StorageFailure("others can write \(path): run chmod go-w on it")
        }
        let bytes = try file.read(at: 0, count: min(try file.byteCount, largestFile + 1))
        do throws(StorageFailure) { return try parse(bytes) } catch { throw StorageFailure("\(path): \(error)") }
    }

    private static func parse(_ bytes: [UInt8]) throws(StorageFailure) -> JSON {
        guard bytes.count <= largestFile else { throw StorageFailure("longer than any settings") }
        do { return try JSON(parsing: bytes) } catch { throw StorageFailure("not JSON: \(error)") }
    }

    private static func merge(_ old: JSON, _ new: JSON) throws(StorageFailure) -> JSON {
        guard let before = old.members, let after = new.members else { throw StorageFailure("settings are an object") }
        return .object(before.filter { member in new[member.name] == nil } + after)
    }

    /// Reads the file form.
    public init(parsing bytes: [UInt8]) throws(StorageFailure) { try self.init(try Self.parse(bytes)) }

    private init(_ json: JSON) throws(StorageFailure) {
        guard let members = json.members else { throw StorageFailure("settings are an object") }
        if let unknown = members.first(where: { !Self.fields.contains($0.name) }) {
            throw StorageFailure("'\(unknown.name.prefix(40))' is not known")
        }
        guard let package = try Self.text(json, "package"), Self.isPackage(package) else {
            throw StorageFailure("'package' is missing, or is not the name of a Debian package")
        }
        guard let user = try Self.text(json, "user") else { throw StorageFailure("'user' is missing") }
        let seconds = json["proofSeconds"]?.int ?? 60
        guard (1...86_400).contains(seconds) else { throw StorageFailure("'proofSeconds' is not 1 to 86400") }
        self.init(
            package: package, user: user, data: nil, keys: try Self.path(json, "keys"), proofSeconds: Int(seconds),
            program: try Self.path(json, "program"))
        unit = try Self.text(json, "unit")
        guard unit.map({ $0.hasSuffix(".service") && !$0.hasPrefix("-") && !$0.contains("/") }) ?? true else {
            throw StorageFailure("'unit' is not the name of a service of systemd")
        }
        options = try Self.path(json, "options")
        condition = try Self.path(json, "condition")
        fetchesDependencies = try Self.flag(json, "fetchDependencies")
        confirmsItself = json["confirms"] == nil ? true : try Self.flag(json, "confirms")
        let arguments = try Self.words(json, "arguments")
        let data = try Self.path(json, "data")
        guard let list = json["instances"] else {
            instances = [Instance(arguments: arguments, data: data)]
            return
        }
        guard let elements = list.elements, (1...Self.mostInstances).contains(elements.count), data == nil else {
            throw StorageFailure("'instances' is a list of 1 to \(Self.mostInstances), and each has its own 'data'")
        }
        instances = []
        for element in elements {
            guard let name = try Self.text(element, "name") else { throw StorageFailure("an instance has no 'name'") }
            instances.append(
                Instance(
                    name: name, arguments: arguments + (try Self.words(element, "arguments")),
                    data: try Self.path(element, "data")))
        }
        guard Set(instances.map(\.name)).count == instances.count else {
            throw StorageFailure("two instances have the same name")
        }
    }

    // MARK: Kinds of values

    private static func text(_ json: JSON, _ name: String) throws(StorageFailure) -> String? {
        guard let value = json[name] else { return nil }
        guard let text = value.text, !text.isEmpty, text.utf8.count <= 1000,
            text.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else { throw StorageFailure("'\(name)' is not a text without blanks") }
        return text
    }

    private static func path(_ json: JSON, _ name: String) throws(StorageFailure) -> String? {
        guard let path = try text(json, name) else { return nil }
        guard path.hasPrefix("/"), path.count > 1, !path.split(separator: "/").contains("..") else {
            throw StorageFailure("'\(name)' is not an absolute path")
        }
        return path
    }

    private static func flag(_ json: JSON, _ name: String) throws(StorageFailure) -> Bool {
        switch json[name] {
        case nil: return false
        case .bool(let value): return value
        default: throw StorageFailure("'\(name)' is neither true nor false")
        }
    }

    private static func words(_ json: JSON, _ name: String) throws(StorageFailure) -> [String] {
        guard let value = json[name] else { return [] }
        guard let elements = value.elements, elements.count <= mostArguments else {
            throw StorageFailure("'\(name)' is not a list of at most \(mostArguments) texts")
        }
        var words: [String] = []
        for element in elements {
            guard let text = element.text, text.utf8.count <= 1000, !text.utf8.contains(0) else {
                throw StorageFailure("'\(name)' holds something that is not a text")
            }
            words.append(text)
        }
        return words
    }

    private static func isPackage(_ text: String) -> Bool {
        func isPlain(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) }
        return text.utf8.first.map(isPlain) == true && text.utf8.allSatisfy { isPlain($0) || "+-.".utf8.contains($0) }
    }
}
