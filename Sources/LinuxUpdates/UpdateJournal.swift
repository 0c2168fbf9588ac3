import ByteTools
import IOCOM
import PackedJSON

/// What is known of the latest update of one application. Kept in a file that only the installer may write, so that what
/// was cut is finished or undone at the next start.
public struct UpdateJournal: Equatable, Sendable {
    /// Where an update stands.
    public enum Stage: Equatable, Sendable {
        /// None is under way.
        case idle
        /// The package manager may have begun with the new package.
        case installing
        /// The new program is installed and has to prove itself; it was given that many starts of the machine or the
        /// installer so far.
        case proving(starts: Int)
        /// The previous package has to be installed again, for that reason.
        case rollingBack(reason: String)
    }

    /// How the latest update ended.
    public enum Result: String, Sendable {
        /// The new program proved itself.
        case confirmed
        /// The previous program runs again.
        case rolledBack
        /// The previous program was never replaced.
        case failed
    }

    /// Where it stands.
    public var stage: Stage
    /// Version before; nil when the package was not installed.
    public var from: String?
    /// Version of the update.
    public var to: String
    /// How it ended; nil while it is under way.
    public var result: Result?
    /// Why it ended so, for people; empty for `confirmed`.
    public var reason: String
    /// The last lines of what the package manager said.
    public var said = ""

    /// Nothing was updated yet.
    public static let empty = UpdateJournal(stage: .idle, from: nil, to: "", result: nil, reason: "")

    init(stage: Stage, from: String?, to: String, result: Result?, reason: String) {
        self.stage = stage
        self.from = from
        self.to = to
        self.result = result
        self.reason = reason
    }
}

extension UpdateJournal {
    /// Bytes that a file may have.
    static let largestFile = 8192
    /// Bytes of a reason.
    static let longestReason = 2000

    /// Reads the file form; nil when it is not one.
    init?(parsing bytes: [UInt8]) {
        guard bytes.count <= Self.largestFile, let json = try? JSON(parsing: bytes), let to = json["to"]?.text,
            let stage = json["stage"]?.text
        else { return nil }
        switch stage {
        case "idle": self.stage = .idle
        case "installing": self.stage = .installing
        case "proving":
            guard let starts = json["starts"]?.int, (0...1000).contains(starts) else { return nil }
            self.stage = .proving(starts: Int(starts))
        case "rollingBack": self.stage = .rollingBack(reason: json["because"]?.text ?? "")
        default: return nil
        }
        self.to = to
        from = json["from"]?.text
        result = json["result"]?.text.flatMap(Result.init)
        reason = json["reason"]?.text ?? ""
        said = json["said"]?.text ?? ""
    }

    /// The file form.
    var bytes: [UInt8] {
        var members: [JSON.Member] = []
        switch stage {
        case .idle: members.append(.init("stage", "idle"))
        case .installing: members.append(.init("stage", "installing"))
        case .proving(let starts):
            members += [.init("stage", "proving"), .init("starts", .integer(Int64(starts)))]
        case .rollingBack(let reason):
            members += [.init("stage", "rollingBack"), .init("because", .string(Self.cut(reason)))]
        }
        if let from { members.append(.init("from", .string(from))) }
        members.append(.init("to", .string(to)))
        if let result { members.append(.init("result", .string(result.rawValue))) }
        members.append(.init("reason", .string(Self.cut(reason))))
        if !said.isEmpty { members.append(.init("said", .string(Self.cut(said)))) }
        return Array(JSON.object(members).compactText.utf8)
    }

    private static func cut(_ text: String) -> String {
        var text = text
        while text.utf8.count > longestReason { text.removeLast() }
        return text
    }
}
