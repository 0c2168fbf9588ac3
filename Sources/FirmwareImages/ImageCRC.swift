/// CRC-32 as in Ethernet and zlib, without a table: a microcontroller checks few bytes with it and has little flash.
public struct ImageCRC: Sendable, Equatable {
    private var register: UInt32 = 0xFFFF_FFFF

    /// Starts with nothing added.
    public init() {}

    /// The checksum of everything that was added so far; 0xCBF43926 for "123456789".
    public var value: UInt32 { ~register }

    /// Adds one byte.
    public mutating func add(_ byte: UInt8) {
        register ^= UInt32(byte)
        for _ in 0..<8 { register = register & 1 == 1 ? register >> 1 ^ 0xEDB8_8320 : register >> 1 }
    }

    /// Adds bytes.
    public mutating func add(_ bytes: UnsafeRawBufferPointer) {
        for byte in bytes { add(byte) }
    }
}
