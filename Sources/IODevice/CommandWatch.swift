import IOCOM

/// Booleans of `imp` that are commands: each is reported once when it becomes true.
public struct CommandWatch: Sendable {
    private let names: [String]
    private var seen: Set<String> = []

    /// Watches signals of these names.
    public init(_ names: [String]) { self.names = names }

    /// Those that became true since the last call. To be called on the loop of `blocks`.
    public mutating func risen(in blocks: DeviceBlocks) -> [String] {
        var risen: [String] = []
        for name in names {
            if blocks.value(name, in: "imp") == .bool(true) {
                if seen.insert(name).inserted { risen.append(name) }
            } else {
                seen.remove(name)
            }
        }
        return risen
    }
}
