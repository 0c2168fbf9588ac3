// modules: IOCOM
import IOCOM

/// What decodes, encodes and decodes to the same ids.
func fuzz(_ input: [UInt8]) {
    guard let first = input.first, let request = try? RemoveRequest(input.span.bytes, count: UInt32(first)) else {
        return
    }
    var out = [UInt8](repeating: 0, count: 256)
    let count = out.withUnsafeMutableBytes { request.encode(into: $0) }
    precondition(count > 0)
    guard let again = try? RemoveRequest(out.span.bytes, count: UInt32(first)) else {
        preconditionFailure("an encoded request does not decode")
    }
    precondition(again.count == request.count)
    for i in 0..<request.count { precondition(again[i] == request[i]) }
}
