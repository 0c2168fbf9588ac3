// modules: IOCOM PackedJSON DeviceDescription Bricks
// options: -max_len=768
import Bricks
import IOCOM

/// A picture from a device: as it is when the first byte is even, else with its size and checksum put right, so that what
/// is behind them is looked at. What is accepted is written as the same. The bytes are also read as a JPEG file.
func fuzz(_ input: [UInt8]) {
    guard let first = input.first else { return }
    var bytes = Array(input.dropFirst())
    if let file = try? JPEGFile(bytes) {
        precondition((1...65_535).contains(file.width) && (1...65_535).contains(file.height))
        if let brick = try? Brick(jpeg: bytes, timestamp: 1) {
            precondition((try? Brick(decoding: brick.encoded)) == brick)
        }
    }
    if first & 1 == 1, bytes.count >= BrickLimit.header {
        for i in 0..<4 { bytes[8 + i] = UInt8(truncatingIfNeeded: bytes.count >> (8 * i)) }
        bytes[2] = 0
        bytes[3] = 0
        let checksum = CRC16.of(bytes)
        bytes[2] = UInt8(truncatingIfNeeded: checksum)
        bytes[3] = UInt8(truncatingIfNeeded: checksum >> 8)
    }
    guard let brick = try? Brick(decoding: bytes) else { return }
    precondition(brick.data.count <= brick.uncompressedDataCount && brick.byteCount == bytes.count)
    precondition((try? Brick(decoding: brick.encoded)) == brick)
}
