// modules: IOCOM
// options: -max_len=32
import IOCOM

/// The offset never leaves the input; what decodes has a shortest form that is not longer and decodes to the same.
func fuzz(_ input: [UInt8]) {
    var offset = 0
    while true {
        let start = offset
        guard let value = try? PackedInteger.decode(input.span.bytes, offset: &offset) else {
            precondition(offset == start)
            return
        }
        precondition(offset > start && offset <= input.count)
        let shortest = PackedInteger(value)
        precondition(shortest.count <= offset - start)
        var end = 0
        precondition((try? PackedInteger.decode(shortest.array.span.bytes, offset: &end)) == value)
        precondition(end == shortest.count)
    }
}
