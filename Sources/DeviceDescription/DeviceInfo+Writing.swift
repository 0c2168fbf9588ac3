internal import IOCOM
public import PackedJSON

extension DeviceInfo {
    /// The content of the `info` block.
    public func packed() throws(DeviceInfoError) -> [UInt8] {
        do { return try json.packed() } catch { throw .notPackable(error) }
    }

    /// The description as a document: types are always written, addresses where they do not simply follow.
    public var json: JSON {
        var members = [JSON.Member("name", .string(name)), JSON.Member("mblk", .array(blocks.map(\.json)))]
        if !assemblies.isEmpty { members.append(JSON.Member("assembly", .array(assemblies.map(\.json)))) }
        return .object(members)
    }
}

extension BlockDescription {
    fileprivate var json: JSON {
        var words: [String] = []
        if flags.contains(.up) { words.append("up") }
        if flags.contains(.down) { words.append("down") }
        if isConfiguration { words.append("conf") }
        var next = 0
        var list: [JSON] = []
        for group in groups {
            var signals: [JSON] = []
            for signal in group.signals {
                signals.append(signal.json(expectedAt: next))
                next = signal.signal.range.end
            }
            list.append(["name": .string(group.name), "signals": .array(signals)])
        }
        return ["name": .string(name), "flags": .string(words.joined(separator: ",")), "groups": .array(list)]
    }
}

extension SignalInfo {
    fileprivate func json(expectedAt next: Int) -> JSON {
        var members = [JSON.Member("name", .string(name)), JSON.Member("type", .string(signal.type.name))]
        if signal.address != next { members.append(JSON.Member("addr", .integer(Int64(signal.address)))) }
        if signal.count > 1 { members.append(JSON.Member("array", .integer(Int64(signal.count)))) }
        if !unit.isEmpty { members.append(JSON.Member("unit", .string(unit))) }
        if let minimum { members.append(JSON.Member("min", Self.number(minimum))) }
        if let maximum { members.append(JSON.Member("max", Self.number(maximum))) }
        if let digits { members.append(JSON.Member("digs", .integer(Int64(digits)))) }
        if parameterFlags != 0 { members.append(JSON.Member("pflag", .integer(Int64(parameterFlags)))) }
        return .object(members)
    }

    /// Whole numbers as integers: packed floats have but 24 bits.
    private static func number(_ value: Double) -> JSON {
        Int64(exactly: value).map { .integer($0) } ?? .number(value)
    }
}

extension Assembly {
    fileprivate var json: JSON {
        ["name": .string(name), "type": .string(kind), "exp": .string(exported), "imp": .string(imported)]
    }
}
