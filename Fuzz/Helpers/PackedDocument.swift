import IOCOM

/// A packed document made of fuzzed bytes (application-layer.md 5.1).
///
/// With an even first byte the rest is the document. With an odd one the second byte says how many of the rest are the
/// dictionary, and both parts get right lengths and the right checksum, which a fuzzer could not find.
func packedDocument(_ input: [UInt8]) -> [UInt8] {
    guard input.count >= 2, input[0] & 1 == 1 else { return Array(input.dropFirst()) }
    let rest = input[2...]
    let dictionary = rest.prefix(Int(input[1]))
    let content = rest.dropFirst(dictionary.count)
    var bytes = PackedInteger(Int64(dictionary.count)).array + dictionary
    bytes += PackedInteger(Int64(content.count)).array + content
    let checksum = CRC16.of(bytes)
    return bytes + [UInt8(truncatingIfNeeded: checksum), UInt8(truncatingIfNeeded: checksum >> 8)]
}
