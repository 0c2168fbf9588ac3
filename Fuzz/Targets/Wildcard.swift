// modules: IOCOM PackedJSON ByteTools ServerData
// options: -max_len=96
import ServerData

/// Pattern and name, divided by the first byte: the answer is the one of a table filled by the definition.
func fuzz(_ input: [UInt8]) {
    guard let first = input.first else { return }
    let pattern = Array(input.dropFirst().prefix(Int(first)))
    let name = Array(input.dropFirst(1 + pattern.count))
    // reach[n]: the pattern up to here matches the first n bytes of the name.
    var reach = [true] + [Bool](repeating: false, count: name.count)
    for symbol in pattern {
        var next = [Bool](repeating: false, count: name.count + 1)
        for n in 0...name.count {
            if symbol == UInt8(ascii: "*") {
                next[n] = reach[n] || n > 0 && next[n - 1]
            } else if n > 0 {
                next[n] = reach[n - 1] && (symbol == UInt8(ascii: "?") || symbol == name[n - 1])
            }
        }
        reach = next
    }
    precondition(Wildcard.matches(pattern: pattern, name: name) == reach[name.count])
}
