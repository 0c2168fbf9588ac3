// modules: IOCOM PackedJSON DeviceDescription ByteTools Programs DeviceStorage Installers UpdateTesting
// options: -max_len=512
import Crypto
import UpdateTesting

/// A partition table; with an odd first byte the rest is its entries, to which the checksum entry is added.
func fuzz(_ input: [UInt8]) {
    guard let first = input.first else { return }
    var bytes = Array(input.dropFirst())
    if first & 1 == 1 {
        bytes.removeLast(bytes.count % 32)
        // The magic of an entry, so that not everything ends there.
        for entry in stride(from: 0, to: bytes.count, by: 32) where bytes[entry] != 0xFF {
            bytes.replaceSubrange(entry..<entry + 2, with: [0xAA, 0x50])
        }
        let digest = Array(Insecure.MD5.hash(data: bytes))
        bytes += [0xEB, 0xEB] + [UInt8](repeating: 0xFF, count: 14) + digest
    }
    fuzzPartitionTable(bytes)
}
