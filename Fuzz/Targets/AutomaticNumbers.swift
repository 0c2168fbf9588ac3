// modules: IOCOM PackedJSON ByteTools ServerData
// options: -max_len=256
import IOCOM
import ServerData

/// The table of given numbers: with an even first byte the rest is the stored table, with an odd one it is its entries, to
/// which head and checksum are added. What is read is written as the same bytes and gives different numbers to different
/// devices.
func fuzz(_ input: [UInt8]) {
    guard let first = input.first else { return }
    var bytes = Array(input.dropFirst())
    if first & 1 == 1 {
        let count = bytes.count / 16
        bytes = Array("IOan".utf8) + [1, UInt8(truncatingIfNeeded: count), 0] + [0x29 &+ first, 0x23, 0, 0] + bytes
        let checksum = CRC16.of(bytes)
        bytes += [UInt8(truncatingIfNeeded: checksum), UInt8(truncatingIfNeeded: checksum >> 8)]
    }
    guard var table = try? AutomaticNumbers(bytes: bytes) else { return }
    if !bytes.isEmpty { precondition(table.bytes == bytes, "a table changes when it is read and written") }
    let known = table.count
    let a = table.assign(to: Array(repeating: 0xA5, count: 12)) { $0 % 2 == 0 }
    let b = table.assign(to: Array(repeating: 0x5A, count: 12)) { $0 == a }
    precondition(a != nil && b != nil && a != b && table.count <= known + 2)
    precondition((try? AutomaticNumbers(bytes: table.bytes)) == table)
}
