import PackedJSON

/// Something that takes a while and goes on whether a page looks at it or not.
struct Job: Sendable {
    enum Kind: String, Sendable { case write, rollback, blockWrite }
    enum State: String, Sendable { case waiting, running, cancelling, ended }

    /// How it ended.
    enum Result: String, Sendable {
        case confirmed, rolledBack, refused, failed, unknown, cancelled
        /// For what has no program that proves itself.
        case done
    }

    /// Lines of an installer that are kept.
    private static let mostLines = 200

    let id: String
    let kind: Kind
    /// Empty for one of an earlier run: its connection is no more.
    let connection: String
    /// Address of the server; what tells devices of the same path apart later.
    let server: String
    let device: String
    let batch: String?
    var package: String?
    var block: Int?
    var state = State.waiting
    var phase = "waiting"
    var bytes: UInt64 = 0
    var total: UInt64 = 0
    var text: [String] = []
    private(set) var started = WebTime.now
    var ended: Int64?
    var result: Result?
    var version: String?
    var previous: String?
    var reason: String?
    var seconds = 0.0
    private var rate = RateEstimate()

    init(
        _ id: String, _ kind: Kind, connection: String, server: String, device: String, batch: String? = nil
    ) {
        self.server = server
        self.id = id
        self.kind = kind
        self.connection = connection
        self.device = device
        self.batch = batch
    }

    mutating func progress(_ phase: String, _ bytes: UInt64) {
        if state == .waiting { state = .running }
        self.phase = phase
        self.bytes = max(self.bytes, bytes)
        rate.add(bytes)
    }

    mutating func say(_ line: String) {
        text.append(line)
        if text.count > Self.mostLines { text.removeFirst() }
    }

    mutating func end(_ result: Result, _ reason: String?) {
        guard state != .ended else { return }
        state = .ended
        ended = WebTime.now
        self.result = result
        self.reason = reason
    }

    var json: JSON {
        let rate = state == .ended ? nil : rate.bytesPerSecond
        let left = rate.flatMap { $0 > 0 && total > bytes ? Double(total - bytes) / $0 : nil }
        return [
            "id": .string(id), "kind": .string(kind.rawValue), "connection": .string(connection),
            "server": .string(server),
            "device": .string(device), "batch": JSON(batch), "package": JSON(package), "block": JSON(block),
            "state": .string(state.rawValue), "phase": .string(phase), "bytes": JSON(bytes), "total": JSON(total),
            "rate": JSON(rate.map { $0.rounded() }), "secondsLeft": JSON(left.map { $0.rounded(.up) }),
            "text": .array(text.map { .string($0) }), "started": .string(WebTime.text(started)),
            "ended": WebTime.json(ended), "result": JSON(result?.rawValue), "version": JSON(version),
            "previous": JSON(previous), "reason": JSON(reason), "seconds": .number(seconds),
        ]
    }
}

extension Job {
    /// An ended job of an earlier run; nil when this is none.
    init?(kept json: JSON) {
        guard let id = json["id"]?.text, Int(id) != nil, let kind = json["kind"]?.text.flatMap(Kind.init),
            let server = json["server"]?.text, let device = json["device"]?.text,
            let result = json["result"]?.text.flatMap(Result.init), let started = json["startedAt"]?.int,
            let ended = json["endedAt"]?.int
        else { return nil }
        self.init(id, kind, connection: "", server: server, device: device, batch: json["batch"]?.text)
        state = .ended
        self.result = result
        self.started = started
        self.ended = ended
        package = json["package"]?.text
        block = json["block"]?.int.map { Int(clamping: $0) }
        phase = json["phase"]?.text ?? ""
        bytes = UInt64(clamping: json["bytes"]?.int ?? 0)
        total = UInt64(clamping: json["total"]?.int ?? 0)
        text = (json["text"]?.elements ?? []).suffix(Self.mostLines).compactMap(\.text)
        version = json["version"]?.text
        previous = json["previous"]?.text
        reason = json["reason"]?.text
        seconds = json["seconds"]?.double ?? 0
    }

    /// What is kept of an ended job; nil of one that runs.
    var kept: JSON? {
        guard state == .ended, let ended else { return nil }
        var json = json
        json["startedAt"] = .integer(started)
        json["endedAt"] = .integer(ended)
        return json
    }
}

/// Bytes per second over the last moments.
struct RateEstimate: Sendable {
    private static let window = Duration.seconds(3)
    private var points: [(moment: ContinuousClock.Instant, bytes: UInt64)] = []

    mutating func add(_ bytes: UInt64) {
        let now = ContinuousClock.now
        // Some a second are enough.
        if let last = points.last, now - last.moment < .milliseconds(100) { return }
        points.append((now, bytes))
        points.removeAll { now - $0.moment > Self.window }
    }

    /// Nil as long as nothing is known.
    var bytesPerSecond: Double? {
        guard let first = points.first, let last = points.last, last.bytes > first.bytes else { return nil }
        let seconds = (last.moment - first.moment) / .seconds(1)
        return seconds > 0 ? Double(last.bytes - first.bytes) / seconds : nil
    }
}
