import PackedJSON

/// What is known of the packages and the latest update of one application on a Windows. One file, replaced as a whole: what
/// was cut is finished or undone at the next start.
struct WindowsJournal: Equatable, Sendable {
    /// A package that is kept as a file.
    struct Kept: Equatable, Sendable {
        /// Name of the file in the folder.
        var file: String
        /// Version of the program.
        var version: String
        /// Version of the product, as the package writes it: that is what its program says when it runs.
        var productVersion: String
        /// Code of the product in this version.
        var productCode: String
        /// The number that all versions of the product have.
        var upgradeCode: String
        /// Services that it installs.
        var services: [String]
    }

    enum Stage: String, Sendable {
        /// No update is under way: `current` is installed.
        case idle
        /// Windows Installer may have begun with `next`.
        case installing
        /// `next` is installed and has to prove itself.
        case proving
        /// `next` and `leftovers` have to be removed, `current` installed. It stays so until Windows has done it.
        case rollingBack
    }

    enum Result: String, Sendable { case confirmed, rolledBack, failed }

    var stage = Stage.idle
    /// Installed and proved; nil when nothing was.
    var current: Kept?
    /// Can be gone back to.
    var previous: Kept?
    /// Is being installed, on trial, or given up.
    var next: Kept?
    /// Given up before `next`, and could not be removed yet.
    var leftovers: [Kept] = []
    /// Starts that `next` was given.
    var tries = 0
    /// How the latest update ended, and why.
    var result: Result?
    var reason = ""

    static let largestFile = 32 << 10
    private static let longestReason = 2000

    init() {}

    /// Reads the file form; nil when it is not one.
    init?(parsing bytes: [UInt8]) {
        guard bytes.count <= Self.largestFile, let json = try? JSON(parsing: bytes),
            let stage = json["stage"]?.text.flatMap(Stage.init), let tries = json["tries"]?.int,
            (0...1000).contains(tries)
        else { return nil }
        self.stage = stage
        self.tries = Int(tries)
        current = json["current"].flatMap(Kept.init)
        previous = json["previous"].flatMap(Kept.init)
        next = json["next"].flatMap(Kept.init)
        let listed = json["leftovers"]?.elements ?? []
        leftovers = listed.compactMap(Kept.init)
        guard leftovers.count == listed.count, leftovers.count <= Self.mostLeftovers else { return nil }
        result = json["result"]?.text.flatMap(Result.init)
        reason = json["reason"]?.text ?? ""
    }

    /// The file form.
    var bytes: [UInt8] {
        var members: [JSON.Member] = [
            .init("stage", .string(stage.rawValue)), .init("tries", .integer(Int64(min(tries, 1000)))),
        ]
        for (name, kept) in [("current", current), ("previous", previous), ("next", next)] {
            if let kept { members.append(.init(name, kept.json)) }
        }
        if !leftovers.isEmpty { members.append(.init("leftovers", .array(leftovers.map(\.json)))) }
        if let result { members.append(.init("result", .string(result.rawValue))) }
        var text = reason
        while text.utf8.count > Self.longestReason { text.removeLast() }
        members.append(.init("reason", .string(text)))
        return Array(JSON.object(members).compactText.utf8)
    }
}

extension WindowsJournal.Kept {
    init?(_ json: JSON) {
        guard let file = json["file"]?.text, !file.contains("/"), !file.hasPrefix("."),
            let version = json["version"]?.text,
            let productVersion = json["product_version"]?.text, let productCode = json["product_code"]?.text,
            let upgradeCode = json["upgrade_code"]?.text, let services = json["services"]?.text
        else { return nil }
        self.init(
            file: file, version: version, productVersion: productVersion, productCode: productCode,
            upgradeCode: upgradeCode, services: services.split(separator: " ").map(String.init))
    }

    var json: JSON {
        .object([
            .init("file", .string(file)), .init("version", .string(version)),
            .init("product_version", .string(productVersion)), .init("product_code", .string(productCode)),
            .init("upgrade_code", .string(upgradeCode)), .init("services", .string(services.joined(separator: " "))),
        ])
    }
}
