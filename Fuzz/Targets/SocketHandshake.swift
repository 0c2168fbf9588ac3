// modules: IOCOM
import IOCOM

/// What decodes, encodes and decodes to the same; the offset never leaves the input.
func fuzz(_ input: [UInt8]) {
    var offset = 0
    guard let handshake = try? SocketHandshake(input.span.bytes, offset: &offset) else {
        precondition(offset == 0)
        return
    }
    precondition(offset >= 1 && offset <= input.count)
    var out = [UInt8](repeating: 0, count: 32)
    let count = out.withUnsafeMutableBytes { handshake.encode(into: $0) }
    var end = 0
    let again = try? SocketHandshake(out.span.bytes, offset: &end)
    precondition(again == handshake && end == count)
}
