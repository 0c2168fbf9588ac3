public import PackedJSON

extension HistoryEntry {
    /// As an object of JSON without what is not known. `time` and `until` are texts in UTC with milliseconds.
    public var json: JSON {
        var members: [JSON.Member] = [
            .init("id", .integer(id)), .init("time", .string(HistoryTime.iso(time))),
            .init("kind", .string(kind.name)),
        ]
        func add(_ name: String, _ value: JSON?) {
            if let value { members.append(.init(name, value)) }
        }
        add("network", network.map(JSON.string))
        add("user", user.map(JSON.string))
        add("address", address.map(JSON.string))
        add("device", device.map(JSON.string))
        add("block", block.map(JSON.integer))
        add("package", package.map(JSON.string))
        add("version", version.map(JSON.string))
        add("hash", hash.map(JSON.string))
        add("bytes", bytes.map(JSON.integer))
        add("result", result.map(JSON.string))
        add("seconds", seconds.map(JSON.number))
        add("text", text.map(JSON.string))
        if count > 1 { add("count", .integer(count)) }
        add("until", until.map { .string(HistoryTime.iso($0)) })
        return .object(members)
    }

    /// One line of JSON with its line end.
    public var line: [UInt8] { Array(json.compactText.utf8) + [UInt8(ascii: "\n")] }

    /// An entry from an object of JSON; members that are not known are left out, so that a newer server can be read.
    /// Nil when it has no number, no time, or a kind that is not known.
    public init?(_ json: JSON) {
        guard let id = json["id"]?.int, let kind = json["kind"]?.text.flatMap(HistoryKind.init(name:)),
            let time = json["time"]?.text.flatMap(HistoryTime.parseISO)
        else { return nil }
        self.init(kind, at: time)
        self.id = id
        network = json["network"]?.text
        user = json["user"]?.text
        address = json["address"]?.text
        device = json["device"]?.text
        block = json["block"]?.int
        package = json["package"]?.text
        version = json["version"]?.text
        hash = json["hash"]?.text
        bytes = json["bytes"]?.int
        result = json["result"]?.text
        seconds = json["seconds"]?.double
        text = json["text"]?.text
        count = json["count"]?.int ?? 1
        until = json["until"]?.text.flatMap(HistoryTime.parseISO)
        self = cleaned
    }
}

/// Cuts bytes as they come into the entries of their lines.
public struct HistoryLines: Sendable {
    private var rest: [UInt8] = []

    /// Nothing came yet.
    public init() {}

    /// Takes the next bytes and gives the entries that are complete with them. Lines that hold no entry of a kind that is
    /// known are passed over; what is not JSON throws.
    public mutating func take(_ bytes: [UInt8]) throws(HistoryLineError) -> [HistoryEntry] {
        rest += bytes
        var entries: [HistoryEntry] = []
        var start = 0
        while let end = rest[start...].firstIndex(of: UInt8(ascii: "\n")) {
            let line = rest[start..<end]
            guard line.count <= HistoryLimits.line else { throw .tooLong }
            do throws(JSONTextError) {
                if let entry = HistoryEntry(try JSON(parsing: line)) { entries.append(entry) }
            } catch { throw .notJSON(error.description) }
            start = end + 1
        }
        rest.removeFirst(start)
        guard rest.count <= HistoryLimits.line else { throw .tooLong }
        return entries
    }
}

/// Why lines are no history.
public enum HistoryLineError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A line is longer than an entry can be.
    case tooLong
    /// A line is not JSON.
    case notJSON(String)

    /// For people.
    public var description: String {
        switch self {
        case .tooLong: "a line of the history is longer than \(HistoryLimits.line) bytes"
        case .notJSON(let reason): "a line of the history is not JSON (\(reason))"
        }
    }
}
