// modules: IOCOM PackedJSON DeviceDescription ByteTools Programs DeviceStorage Installers UpdateTesting
// options: -max_len=65
import Installers
import UpdateTesting

/// Two entries of otadata; with an odd first byte their checksums are made right.
func fuzz(_ input: [UInt8]) {
    guard let first = input.first else { return }
    var bytes = Array(input.dropFirst())
    if first & 1 == 1 {
        for start in [0, 32] {
            guard var entry = OTAEntry(parsing: Array(bytes.dropFirst(start).prefix(32))) else { continue }
            entry.crc = OTAEntry.crc(of: entry.sequence)
            bytes.replaceSubrange(start..<start + 32, with: entry.encoded)
        }
    }
    fuzzOTAData(bytes)
}
