// modules: IOCOM PackedJSON
// options: -max_len=512
import PackedJSON

/// What is read is written and read as the same, on one line and on many, and survives being packed.
func fuzz(_ input: [UInt8]) {
    let json: JSON
    do {
        json = try JSON(parsing: input, limits: JSONLimits(bytes: 4096, depth: 8, items: 200))
    } catch {
        _ = error.description
        return
    }
    precondition((try? JSON(parsing: json.compactText)) == json)
    precondition((try? JSON(parsing: json.prettyText)) == json)
    _ = json.originalHazard
    guard let packed = try? json.packed(.lossless) else { return }
    guard let again = try? JSON(unpacking: packed) else { preconditionFailure("a packed document does not unpack") }
    precondition((try? again.packed(.lossless)) == packed)
}
