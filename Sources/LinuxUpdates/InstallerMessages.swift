import ByteTools
public import PackedJSON

/// What is asked of an installer, and for which application.
public struct InstallerRequest: Equatable, Sendable {
    /// What is asked.
    public enum Kind: Equatable, Sendable {
        /// How the latest update stands.
        case status
        /// Install the package that is handed over, with the content of persistent block 13.
        case install(manifest: [UInt8]?)
        /// The program on trial proved itself.
        case confirm
        /// The program on trial gives itself up.
        case giveUp(reason: String)
        /// An operator wants the previous program.
        case rollBack
        /// The owner of the machine changed settings, and wants these packages' programs started anew.
        case reload(restart: [String])
        /// The owner of the machine wants these applications started anew, however they are started.
        case restart([String])
        /// The owner of the machine wants to know of everything.
        case list
    }

    /// Packages that a ``Kind/reload(restart:)`` may name.
    static let mostPackages = 1_000

    /// What is asked.
    public var kind: Kind
    /// Package of the application; nil where the user says enough.
    public var package: String?
    /// Which of several programs of the application asks; empty when there is only one.
    public var instance: String

    /// A request of its parts.
    public init(_ kind: Kind, package: String? = nil, instance: String = "") {
        self.kind = kind
        self.package = package
        self.instance = instance
    }

    /// Reads a line; nil when it is none of these.
    init?(_ line: [UInt8]) {
        guard let json = try? JSON(parsing: line), let name = json["request"]?.text else { return nil }
        func names(_ member: String) -> [String] {
            (json[member]?.elements ?? []).prefix(Self.mostPackages).compactMap(\.text)
        }
        switch name {
        case "status": kind = .status
        case "install": kind = .install(manifest: json["manifest"]?.text.map { Array($0.utf8) })
        case "confirm": kind = .confirm
        case "giveUp": kind = .giveUp(reason: json["reason"]?.text ?? "it gave itself up")
        case "rollBack": kind = .rollBack
        case "reload": kind = .reload(restart: names("restart"))
        case "restart": kind = .restart(names("applications"))
        case "list": kind = .list
        default: return nil
        }
        package = json["package"]?.text
        instance = json["instance"]?.text ?? ""
    }

    var line: [UInt8] {
        var members: [JSON.Member]
        switch kind {
        case .status: members = [.init("request", "status")]
        case .install(let manifest):
            members = [.init("request", "install")]
            if let manifest { members.append(.init("manifest", .string(String(decoding: manifest, as: UTF8.self)))) }
        case .confirm: members = [.init("request", "confirm")]
        case .giveUp(let reason): members = [.init("request", "giveUp"), .init("reason", .string(reason))]
        case .rollBack: members = [.init("request", "rollBack")]
        case .reload(let packages):
            members = [.init("request", "reload"), .init("restart", .array(packages.map { .string($0) }))]
        case .restart(let names):
            members = [.init("request", "restart"), .init("applications", .array(names.map { .string($0) }))]
        case .list: members = [.init("request", "list")]
        }
        if let package { members.append(.init("package", .string(package))) }
        if !instance.isEmpty { members.append(.init("instance", .string(instance))) }
        return Array(JSON.object(members).compactText.utf8)
    }
}

/// What an installer answers.
public enum InstallerReply: Equatable, Sendable {
    /// How things stand.
    case state(InstallerState)
    /// The application will be started anew in a moment.
    case restarting
    /// What the package manager says, its last lines; more answers follow.
    case said(String)
    /// Nothing was changed; a status number of the protocol and the reason.
    case refused(status: UInt8, reason: String)
    /// Every application with its state, for the owner of the machine.
    case list([ListedApplication])

    /// Reads a line; nil when it is none of these.
    init?(_ line: [UInt8]) {
        guard let json = try? JSON(parsing: line) else { return nil }
        if json["event"]?.text == "restarting" {
            self = .restarting
        } else if json["event"]?.text == "said" {
            self = .said(json["text"]?.text ?? "")
        } else if let reason = json["refused"]?.text {
            self = .refused(status: UInt8(clamping: json["status"]?.int ?? 100), reason: reason)
        } else if let elements = json["applications"]?.elements {
            self = .list(elements.compactMap { ListedApplication($0) })
        } else if let state = InstallerState(json) {
            self = .state(state)
        } else {
            return nil
        }
    }

    var line: [UInt8] {
        let json: JSON =
            switch self {
            case .state(let state): state.json
            case .restarting: ["event": "restarting"]
            case .said(let text): ["event": "said", "text": .string(text)]
            case .refused(let status, let reason):
                ["refused": .string(reason), "status": .integer(Int64(status))]
            case .list(let applications):
                ["applications": .array(applications.map(\.json))]
            }
        return Array(json.compactText.utf8)
    }
}

/// An application as the owner of the machine sees it.
public struct ListedApplication: Equatable, Sendable {
    /// Debian package.
    public var package: String
    /// User that it runs as.
    public var user: String
    /// How it is started: a unit of systemd, or processes of the starter with their numbers.
    public var started: String
    /// How its latest update stands.
    public var state: InstallerState

    /// Composes it.
    public init(package: String, user: String, started: String, state: InstallerState) {
        self.package = package
        self.user = user
        self.started = started
        self.state = state
    }

    init?(_ json: JSON) {
        guard let package = json["package"]?.text, let state = json["state"].flatMap({ InstallerState($0) }) else {
            return nil
        }
        self.init(
            package: package, user: json["user"]?.text ?? "", started: json["started"]?.text ?? "", state: state)
    }

    /// For scripts.
    public var json: JSON {
        [
            "package": .string(package), "user": .string(user), "started": .string(started), "state": state.json,
        ]
    }
}

/// How the latest update of an application stands.
public struct InstallerState: Equatable, Sendable {
    /// What is going on.
    public enum Stage: String, Sendable {
        /// Nothing.
        case idle
        /// A package is being installed.
        case installing
        /// The new program is on trial.
        case proving
        /// The previous package is being installed.
        case rollingBack
    }

    /// What is going on.
    public var stage: Stage
    /// Time that a program on trial still has.
    public var secondsLeft: Int?
    /// Installed version.
    public var version: String?
    /// Version that can be gone back to.
    public var previous: String?
    /// How the latest update ended.
    public var result: UpdateJournal.Result?
    /// Why it ended so.
    public var reason: String
    /// The last lines of what the package manager said.
    public var said: String

    /// A state of its parts.
    public init(
        stage: Stage, secondsLeft: Int? = nil, version: String? = nil, previous: String? = nil,
        result: UpdateJournal.Result? = nil, reason: String = "", said: String = ""
    ) {
        self.stage = stage
        self.secondsLeft = secondsLeft
        self.version = version
        self.previous = previous
        self.result = result
        self.reason = reason
        self.said = said
    }

    init?(_ json: JSON) {
        guard let stage = json["stage"]?.text.flatMap(Stage.init) else { return nil }
        self.init(
            stage: stage, secondsLeft: json["secondsLeft"]?.int.map { Int(clamping: $0) },
            version: json["version"]?.text, previous: json["previous"]?.text,
            result: json["result"]?.text.flatMap(UpdateJournal.Result.init), reason: json["reason"]?.text ?? "",
            said: json["said"]?.text ?? "")
    }

    var json: JSON {
        var members = [JSON.Member("stage", .string(stage.rawValue))]
        if let secondsLeft { members.append(.init("secondsLeft", .integer(Int64(secondsLeft)))) }
        if let version { members.append(.init("version", .string(version))) }
        if let previous { members.append(.init("previous", .string(previous))) }
        if let result { members.append(.init("result", .string(result.rawValue))) }
        members.append(.init("reason", .string(reason)))
        if !said.isEmpty { members.append(.init("said", .string(said))) }
        return .object(members)
    }
}
