/// Finds what is new in a text that holds the last lines of what somebody says, like the signal `upd_text`. A pure value.
public struct HeardLines: Sendable {
    private var last: [Substring] = []

    /// Nothing was heard yet.
    public init() {}

    /// Lines of `text` that were not in the texts before it.
    public mutating func hear(_ text: String?) -> [String] {
        let lines = text?.split(separator: "\n") ?? []
        // Who starts anew says nothing for a moment, then the same again.
        guard !lines.isEmpty else { return [] }
        defer { last = lines }
        var same = min(last.count, lines.count)
        while same > 0, last.suffix(same) != lines.prefix(same) { same -= 1 }
        return lines.dropFirst(same).map(String.init)
    }
}
