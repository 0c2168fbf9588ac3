// modules: IOCOM PackedJSON DeviceDescription ByteTools Programs DeviceStorage Installers UpdateTesting
// options: -max_len=1024
import UpdateTesting

/// A program image in one piece and in many; with an odd first byte its checksum byte is made right.
func fuzz(_ input: [UInt8]) {
    guard let first = input.first else { return }
    var bytes = Array(input.dropFirst())
    if first & 1 == 1, let checksum = checksum(bytes) { bytes[checksum.place] = checksum.value }
    fuzzESPImage(bytes)
}

/// Where the checksum of the segments lies and what it is, by the format's description and not by our code: 24 bytes of
/// header, segments of 8 bytes of header and their data, padding up to a multiple of 16 whose last byte it is.
private func checksum(_ bytes: [UInt8]) -> (place: Int, value: UInt8)? {
    guard bytes.count >= 24 else { return nil }
    var offset = 24
    var value: UInt8 = 0xEF
    for _ in 0..<min(16, Int(bytes[1])) {
        guard offset + 8 <= bytes.count else { return nil }
        let length = (0..<4).reduce(0) { $0 | Int(bytes[offset + 4 + $1]) << (8 * $1) }
        offset += 8
        guard length <= bytes.count - offset else { return nil }
        for byte in bytes[offset..<offset + length] { value ^= byte }
        offset += length
    }
    let place = offset | 15
    return place < bytes.count ? (place, value) : nil
}
