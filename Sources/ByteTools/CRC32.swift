/// CRC-32 as in Ethernet and zlib: reflected polynomial 0xEDB88320, final XOR; check value of "123456789" is 0xCBF43926.
public struct CRC32: Sendable {
    private var register: UInt32

    /// Starts with nothing added. `seed` is the CRC of what went before; the ESP-IDF boot loader starts its otadata
    /// checksum with 0xFFFFFFFF (`esp_rom_crc32_le(UINT32_MAX, …)`).
    public init(seed: UInt32 = 0) { register = ~seed }

    /// The checksum of everything that was added so far.
    public var value: UInt32 { ~register }

    /// Adds bytes.
    public mutating func add(_ bytes: UnsafeRawBufferPointer) {
        var crc = register
        Self.tables.withUnsafeBufferPointer { table in
            var i = 0
            // Eight bytes a step; each table moves its byte past the bytes that follow it in the step.
            while bytes.count - i >= 8 {
                let word = bytes.loadUnaligned(fromByteOffset: i, as: UInt64.self).littleEndian ^ UInt64(crc)
                crc =
                    table[7 * 256 + Int(word & 0xFF)] ^ table[6 * 256 + Int(word >> 8 & 0xFF)]
                    ^ table[5 * 256 + Int(word >> 16 & 0xFF)] ^ table[4 * 256 + Int(word >> 24 & 0xFF)]
                    ^ table[3 * 256 + Int(word >> 32 & 0xFF)] ^ table[2 * 256 + Int(word >> 40 & 0xFF)]
                    ^ table[256 + Int(word >> 48 & 0xFF)] ^ table[Int(word >> 56)]
                i += 8
            }
            while i < bytes.count {
                crc = crc >> 8 ^ table[Int((crc ^ UInt32(bytes[i])) & 0xFF)]
                i += 1
            }
        }
        register = crc
    }

    /// The checksum of an array.
    public static func of(_ bytes: [UInt8], seed: UInt32 = 0) -> UInt32 {
        var crc = CRC32(seed: seed)
        bytes.withUnsafeBytes { crc.add($0) }
        return crc.value
    }

    private static let tables: [UInt32] = {
        var table = [UInt32](repeating: 0, count: 8 * 256)
        for byte in 0..<256 {
            var crc = UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
            table[byte] = crc
        }
        for index in 256..<2048 {
            let before = table[index - 256]
            table[index] = before >> 8 ^ table[Int(before & 0xFF)]
        }
        return table
    }()
}
