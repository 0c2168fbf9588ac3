public import IOCOM

/// Booleans of `imp` that are commands: each is reported once when it becomes true.
///
/// A controller that keeps its values sends them again to a device that comes back from the restart they led to. So commands
/// that were obeyed before the restart are not reported in the first seconds after it, and later only when they become true
/// again.
public struct CommandWatch: Sendable {
    /// How long commands of before the restart are not obeyed after the first snapshot.
    public static let quarantine: Milliseconds = 5000

    private let names: [String]
    private var seen: Set<String> = []
    private var quarantined: Set<String>
    private var quarantineEnds: Milliseconds?

    /// Watches signals of these names; `obeyed` are those that led to the restart before.
    public init(_ names: [String], obeyed: Set<String> = []) {
        self.names = names
        quarantined = obeyed
    }

    /// Those that became true since the last call. To be called on the loop of `blocks`, at each new snapshot. `now` matters only
    /// for who has obeyed commands before.
    public mutating func risen(in blocks: DeviceBlocks, now: Milliseconds = 0) -> [String] {
        risen(now: now) { blocks.value($0, in: "imp") == .bool(true) }
    }

    mutating func risen(now: Milliseconds, isTrue: (String) -> Bool) -> [String] {
        let end = quarantineEnds ?? now + Self.quarantine
        quarantineEnds = end
        if now >= end { quarantined = [] }
        var risen: [String] = []
        for name in names {
            if isTrue(name) {
                if seen.insert(name).inserted, !quarantined.contains(name) { risen.append(name) }
            } else {
                seen.remove(name)
            }
        }
        return risen
    }
}
