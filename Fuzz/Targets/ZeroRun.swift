// modules: IOCOM
import IOCOM

/// Decoding stays in its memory and has the length told before; what is encoded decodes to the input.
func fuzz(_ input: [UInt8]) {
    guard let mode = input.first else { return }
    let body = Array(input.dropFirst())
    if let length = try? ZeroRun.decodedLength(body.span.bytes) {
        let size = mode & 1 == 0 ? length : length / 2
        var out = [UInt8](repeating: 0x55, count: size + 8)
        out.withUnsafeMutableBytes {
            ZeroRun.decode(
                body.span.bytes, into: UnsafeMutableRawBufferPointer(rebasing: $0[..<size]), adding: mode & 2 != 0)
        }
        precondition(out.suffix(8).allSatisfy { $0 == 0x55 })
    }
    var code = [UInt8](repeating: 0, count: 1 + Int(mode))
    let (written, covered) = code.withUnsafeMutableBytes { out in body.withUnsafeBytes { ZeroRun.encode($0, into: out) }
    }
    precondition(written <= covered && covered <= body.count && written <= code.count)
    guard covered > 0 else { return }
    let part = code.span.bytes.extracting(0..<written)
    precondition((try? ZeroRun.decodedLength(part)) == covered)
    var out = [UInt8](repeating: 0, count: covered)
    out.withUnsafeMutableBytes { ZeroRun.decode(part, into: $0, adding: false) }
    precondition(out == Array(body.prefix(covered)))
}
