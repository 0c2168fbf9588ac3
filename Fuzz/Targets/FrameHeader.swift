// modules: IOCOM
import IOCOM

/// What decodes, encodes and decodes to the same; lengths agree; nothing is read behind the input.
func fuzz(_ input: [UInt8]) {
    for layout in [FrameLayout.socket, .serial] {
        guard let known = try? FrameHeader.frameLength(input.span.bytes, at: 0, layout: layout), known <= input.count,
            let (header, length) = try? FrameHeader.decode(input.span.bytes, at: 0, layout: layout)
        else { continue }
        precondition(length + header.dataSize == known)
        var out = [UInt8](repeating: 0, count: 16)
        let count = out.withUnsafeMutableBytes { header.encode(into: $0, layout: layout) }
        precondition(count == FrameHeader.length(blockID: header.blockID, address: header.address, layout: layout))
        precondition(count <= length)
        guard let (again, _) = try? FrameHeader.decode(out.span.bytes, at: 0, layout: layout) else {
            preconditionFailure("an encoded header does not decode")
        }
        precondition(again.number == header.number && again.blockID == header.blockID)
        precondition(again.address == header.address && again.dataSize == header.dataSize)
        _ = FrameHeader.serialChecksumMatches(input.span.bytes, at: 0, length: known)
    }
}
