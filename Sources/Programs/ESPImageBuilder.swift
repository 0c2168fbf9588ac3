import ByteTools
import Crypto

/// Builds application images of the ESP32 family: the first program of an emulated device, and programs for tests.
public struct ESPImageBuilder: Sendable {
    /// Chip the image is for.
    public var chip: ESPChip
    /// Project name of the descriptor, at most 31 bytes.
    public var project: String
    /// Version text of the descriptor, at most 31 bytes.
    public var version: String
    /// Up to `ESPImage.recordSize` bytes after the descriptor.
    public var record: [UInt8] = []
    /// Read-only data after descriptor and record; length is rounded up to four.
    public var data: [UInt8] = []
    /// Code for the RAM; length is rounded up to four.
    public var code: [UInt8] = []

    /// A builder with the parts that have no default.
    public init(chip: ESPChip, project: String, version: String) {
        self.chip = chip
        self.project = project
        self.version = version
    }

    /// The image.
    public func build() -> [UInt8] {
        var first: [UInt8] = []
        first.appendNumber(ESPApplicationDescriptor.magic)
        first += [UInt8](repeating: 0, count: 12)
        first.appendText(String(version.prefix(31)), length: 32)
        first.appendText(String(project.prefix(31)), length: 32)
        first.appendText("00:00:00", length: 16)
        first.appendText("Jan  1 2026", length: 16)
        first.appendText("iocom", length: 32)
        first += [UInt8](repeating: 0, count: ESPApplicationDescriptor.size - first.count)
        let record = record.prefix(ESPImage.recordSize)
        first += record + [UInt8](repeating: 0, count: ESPImage.recordSize - record.count)
        first += data

        let codeAddress = chip.codeRAM
        var bytes: [UInt8] = [0xE9, 2, 2, 0x20]
        bytes.appendNumber(codeAddress)
        bytes += [0xEE, 0, 0, 0]
        bytes.appendNumber(chip.id)
        bytes += [0, 0, 0]
        bytes.appendNumber(UInt16(0xFFFF))
        bytes += [0, 0, 0, 0, 1]

        var checksum: UInt8 = 0xEF
        // 0x20 is where the data of the first segment lies in the image, so it can be mapped.
        for (address, content) in [((chip.dataWindow?.lowerBound ?? 0) + 0x20, first), (codeAddress, code)] {
            var content = content
            while content.count % 4 != 0 { content.append(0) }
            bytes.appendNumber(address)
            bytes.appendNumber(UInt32(truncatingIfNeeded: content.count))
            bytes += content
            for byte in content { checksum ^= byte }
        }
        bytes += [UInt8](repeating: 0, count: 15 - bytes.count % 16)
        bytes.append(checksum)
        bytes += SHA256.hash(data: bytes)
        return bytes
    }
}
