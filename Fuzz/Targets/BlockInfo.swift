// modules: IOCOM
import IOCOM

/// What decodes, encodes to at most as many bytes and decodes to the same.
func fuzz(_ input: [UInt8]) {
    guard var message = try? BlockInfo(input.span.bytes, id: 8) else { return }
    // Without a device name no network is sent either (wire-protocol.md 3.1).
    if message.path.device.name.isEmpty { message.path.device.network = NetworkName() }
    var out = [UInt8](repeating: 0, count: 256)
    let count = out.withUnsafeMutableBytes { message.encode(into: $0) }
    precondition(count > 0 && count <= input.count)
    let again = try? BlockInfo(out.span.bytes.extracting(0..<count), id: 8)
    precondition(again == message)
}
