// modules: IOCOM
import IOCOM

/// What decodes, encodes to at most as many bytes and decodes to the same.
func fuzz(_ input: [UInt8]) {
    guard let message = try? Authentication(input.span.bytes, frameSize: 8) else { return }
    var out = [UInt8](repeating: 0, count: 256)
    let count = out.withUnsafeMutableBytes { message.encode(into: $0) }
    precondition(count > 0 && count <= input.count)
    let again = try? Authentication(out.span.bytes.extracting(0..<count), frameSize: 8)
    precondition(again == message)
}
