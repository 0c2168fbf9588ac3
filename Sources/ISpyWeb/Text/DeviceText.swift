import DeviceDescription
import IOCOM
import IOOperator
import PackedJSON

extension DeviceSummary {
    /// For the list of the page; `available` is the version of a newer package that fits.
    func json(available: String?) -> JSON {
        let network = path.split(separator: ".", maxSplits: 1).dropFirst().first.map(String.init) ?? ""
        return [
            "path": .string(path), "network": .string(network), "application": .string(application),
            "version": JSON(version), "os": JSON(os), "hardware": JSON(hardware), "state": .string(state),
            "since": .string(WebTime.text(appeared)), "problem": JSON(problem), "update": update?.json ?? .null,
            "available": JSON(available), "kind": .string(kind), "assemblies": .array(assemblies.map(\.json)),
        ]
    }

    private var kind: String {
        switch application {
        case "accounts": "accounts"
        case "frank", "iocomserver": "server"
        default: "device"
        }
    }
}

extension AssemblySummary {
    var json: JSON { ["name": .string(name), "kind": .string(kind)] }
}

extension UpdateStatus {
    var json: JSON {
        [
            "phase": .string(phase.text), "progress": .integer(Int64(progress)), "version": JSON(version),
            "previous": JSON(previous), "slot": JSON(slot), "error": JSON(error), "text": JSON(text),
            "keys": JSON(keys),
        ]
    }
}

extension SignalReading {
    /// Elements of an array that are shown.
    private static let mostElements = 512

    var json: JSON {
        [
            "name": .string(name), "group": .string(group), "block": .string(block), "type": .string(kind),
            "count": .integer(Int64(count)), "unit": .string(unit), "settable": .bool(isSettable),
            "minimum": JSON(minimum), "maximum": JSON(maximum), "value": valueJSON,
            "connected": .bool(state.contains(.connected)), "orange": .bool(state.contains(.orange)),
            "yellow": .bool(state.contains(.yellow)),
        ]
    }

    var valueJSON: JSON { value.map { Self.json($0) } ?? .null }

    /// State bits for a change.
    var flags: Int64 {
        (state.contains(.connected) ? 1 : 0) + (state.contains(.orange) ? 2 : 0) + (state.contains(.yellow) ? 4 : 0)
    }

    private static func json(_ value: SignalValue) -> JSON {
        switch value {
        case .bool(let flag): .bool(flag)
        case .integer(let number): .integer(number)
        case .number(let number): JSON(number)
        case .text(let text): .string(text)
        case .array(let elements): .array(elements.prefix(mostElements).map { json($0) })
        }
    }
}
