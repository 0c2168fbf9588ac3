// modules: IOCOM PackedJSON
// helpers: PackedDocument
// options: -max_len=512
import IOCOM
import PackedJSON

/// What unpacks stays below the limits, is the same after a turn through text, and packs to bytes that stay the same.
func fuzz(_ input: [UInt8]) {
    let limits = JSONLimits(bytes: 4096, depth: 8, items: 200, textBytes: 4096)
    guard let json = try? JSON(unpacking: packedDocument(input), limits: limits) else { return }
    let (items, depth, textBytes) = json.measured
    precondition(items <= limits.items + 1 && depth <= limits.depth && textBytes <= limits.textBytes)
    precondition((try? JSON(parsing: json.compactText)) == json)
    // Packing rounds to 32 bit floats and writes 1.0 as 1, so that only the second time nothing changes.
    guard let packed = try? json.packed(.lossless), let again = try? JSON(unpacking: packed) else {
        preconditionFailure("an unpacked document can't be packed and unpacked")
    }
    precondition((try? again.packed(.lossless)) == packed)
    _ = try? json.packed()
    _ = json.originalHazard
}

extension JSON {
    /// Values, levels of lists and objects, and bytes of all names and texts.
    fileprivate var measured: (items: Int, depth: Int, textBytes: Int) {
        var inside: [JSON] = []
        var total = (items: 1, depth: 0, textBytes: 0)
        switch self {
        case .string(let text): total.textBytes = text.utf8.count
        case .array(let elements): inside = elements
        case .object(let members):
            inside = members.map(\.value)
            total.textBytes = members.reduce(0) { $0 + $1.name.utf8.count }
        case .null, .bool, .integer, .number: return total
        }
        for value in inside {
            let part = value.measured
            total.items += part.items
            total.textBytes += part.textBytes
            total.depth = max(total.depth, part.depth)
        }
        if text == nil { total.depth += 1 }
        return total
    }
}
