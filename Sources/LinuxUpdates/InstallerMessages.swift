import ByteTools
import PackedJSON

/// What an application asks its installer.
public enum InstallerRequest: Equatable, Sendable {
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

    /// Reads a line; nil when it is none of these.
    init?(_ line: [UInt8]) {
        guard let json = try? JSON(parsing: line), let name = json["request"]?.text else { return nil }
        switch name {
        case "status": self = .status
        case "install": self = .install(manifest: json["manifest"]?.text.map { Array($0.utf8) })
        case "confirm": self = .confirm
        case "giveUp": self = .giveUp(reason: json["reason"]?.text ?? "it gave itself up")
        case "rollBack": self = .rollBack
        default: return nil
        }
    }

    var line: [UInt8] {
        let json: JSON =
            switch self {
            case .status: ["request": "status"]
            case .install(let manifest?):
                ["request": "install", "manifest": .string(String(decoding: manifest, as: UTF8.self))]
            case .install(nil): ["request": "install"]
            case .confirm: ["request": "confirm"]
            case .giveUp(let reason): ["request": "giveUp", "reason": .string(reason)]
            case .rollBack: ["request": "rollBack"]
            }
        return Array(json.compactText.utf8)
    }
}

/// What an installer answers.
public enum InstallerReply: Equatable, Sendable {
    /// How things stand.
    case state(InstallerState)
    /// The application will be started anew in a moment.
    case restarting
    /// Nothing was changed; a status number of the protocol and the reason.
    case refused(status: UInt8, reason: String)

    /// Reads a line; nil when it is none of these.
    init?(_ line: [UInt8]) {
        guard let json = try? JSON(parsing: line) else { return nil }
        if json["event"]?.text == "restarting" {
            self = .restarting
        } else if let reason = json["refused"]?.text {
            self = .refused(status: UInt8(clamping: json["status"]?.int ?? 100), reason: reason)
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
            case .refused(let status, let reason):
                ["refused": .string(reason), "status": .integer(Int64(status))]
            }
        return Array(json.compactText.utf8)
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

    /// A state of its parts.
    public init(
        stage: Stage, secondsLeft: Int? = nil, version: String? = nil, previous: String? = nil,
        result: UpdateJournal.Result? = nil, reason: String = ""
    ) {
        self.stage = stage
        self.secondsLeft = secondsLeft
        self.version = version
        self.previous = previous
        self.result = result
        self.reason = reason
    }

    init?(_ json: JSON) {
        guard let stage = json["stage"]?.text.flatMap(Stage.init) else { return nil }
        self.init(
            stage: stage, secondsLeft: json["secondsLeft"]?.int.map { Int(clamping: $0) },
            version: json["version"]?.text, previous: json["previous"]?.text,
            result: json["result"]?.text.flatMap(UpdateJournal.Result.init), reason: json["reason"]?.text ?? "")
    }

    var json: JSON {
        var members = [JSON.Member("stage", .string(stage.rawValue))]
        if let secondsLeft { members.append(.init("secondsLeft", .integer(Int64(secondsLeft)))) }
        if let version { members.append(.init("version", .string(version))) }
        if let previous { members.append(.init("previous", .string(previous))) }
        if let result { members.append(.init("result", .string(result.rawValue))) }
        members.append(.init("reason", .string(reason)))
        return .object(members)
    }
}
