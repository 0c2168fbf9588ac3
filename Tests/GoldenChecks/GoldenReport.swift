/// Result of all checks on one recording.
public struct GoldenReport: Sendable {
    /// File name.
    public var name: String
    /// Connections in it.
    public var connections = 0
    /// Items of both directions: handshakes, acknowledges, frames.
    public var items = 0
    /// Items that encode back to the same bytes.
    public var equal = 0
    /// Frames that cannot be determined, by cause.
    public var undetermined: [String: Int] = [:]
    /// Comparisons made while our machines replayed it.
    public var comparisons = 0
    /// Everything that is wrong.
    public var failures: [String] = []

    /// Checks a conversation.
    public init(name: String, recording: Recording) {
        self.name = name
        connections = recording.connections.count
        for pieces in recording.connections { take(pieces) }
        if items == 0 { failures.append("nothing was sent") }
    }

    private mutating func take(_ pieces: [Piece]) {
        let check = ConversationCheck(pieces)
        items += check.items.count
        failures += check.failures
        if check.incomplete > 0 { undetermined["bytes of a frame cut at the end", default: 0] += check.incomplete }
        var reencoding = Reencoding()
        for item in check.items { reencoding.take(item) }
        reencoding.finish()
        equal += reencoding.equal
        failures += reencoding.failures
        for (cause, count) in reencoding.undetermined { undetermined[cause, default: 0] += count }
        for sender in Sender.allCases {
            guard let replay = Replay(as: sender, check) else { continue }
            replay.run()
            comparisons += replay.comparisons
            failures += replay.failures.map { "replay as \(sender == .client ? "client" : "listener"): \($0)" }
            if replay.skipped > 0 { undetermined["replayed without their block", default: 0] += replay.skipped }
        }
    }
}
