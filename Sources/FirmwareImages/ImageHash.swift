/// SHA-256 (FIPS 180-4) without tables in RAM and without allocation, for microcontrollers.
public struct ImageHash: Sendable {
    private var state: InlineArray<8, UInt32>
    private var block = InlineArray<64, UInt8>(repeating: 0)
    private var pending = 0
    private var length: UInt64 = 0

    /// Starts with nothing added.
    public init() {
        state = [
            0x6A09_E667, 0xBB67_AE85, 0x3C6E_F372, 0xA54F_F53A, 0x510E_527F, 0x9B05_688C, 0x1F83_D9AB, 0x5BE0_CD19,
        ]
    }

    /// Adds bytes.
    public mutating func add(_ bytes: UnsafeRawBufferPointer) {
        length &+= UInt64(truncatingIfNeeded: bytes.count)
        for byte in bytes {
            block[pending] = byte
            pending += 1
            if pending == 64 { compress() }
        }
    }

    /// Adds bytes.
    public mutating func add(_ bytes: RawSpan) { bytes.withUnsafeBytes { add($0) } }

    /// The hash of everything that was added; more can be added afterwards.
    public func finished() -> ImageDigest {
        var copy = self
        let bits = length &* 8
        copy.append(0x80)
        while copy.pending != 56 { copy.append(0) }
        for i in 0..<8 { copy.append(UInt8(truncatingIfNeeded: bits >> UInt64(56 - 8 * i))) }
        var digest = ImageDigest()
        for i in 0..<8 {
            for k in 0..<4 {
                digest[4 * i + k] = UInt8(truncatingIfNeeded: copy.state[i] >> UInt32(24 - 8 * k))
            }
        }
        return digest
    }

    private mutating func append(_ byte: UInt8) {
        block[pending] = byte
        pending += 1
        if pending == 64 { compress() }
    }

    private mutating func compress() {
        pending = 0
        // The schedule is kept as a ring of sixteen words: 64 bytes of stack instead of 256.
        var w = InlineArray<16, UInt32>(repeating: 0)
        for i in 0..<16 {
            w[i] =
                UInt32(block[4 * i]) << 24 | UInt32(block[4 * i + 1]) << 16 | UInt32(block[4 * i + 2]) << 8
                | UInt32(block[4 * i + 3])
        }
        var s = state
        for i in 0..<64 {
            if i >= 16 {
                let a = w[(i + 1) & 15]
                let b = w[(i + 14) & 15]
                let s0 = rotate(a, 7) ^ rotate(a, 18) ^ a >> 3
                let s1 = rotate(b, 17) ^ rotate(b, 19) ^ b >> 10
                w[i & 15] = w[i & 15] &+ s0 &+ w[(i + 9) & 15] &+ s1
            }
            let e = s[4]
            let a = s[0]
            let t1 =
                s[7] &+ (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) &+ (e & s[5] ^ ~e & s[6])
                &+ Self.constants[i] &+ w[i & 15]
            let t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) &+ (a & s[1] ^ a & s[2] ^ s[1] & s[2])
            s[7] = s[6]
            s[6] = s[5]
            s[5] = e
            s[4] = s[3] &+ t1
            s[3] = s[2]
            s[2] = s[1]
            s[1] = a
            s[0] = t1 &+ t2
        }
        for i in 0..<8 { state[i] = state[i] &+ s[i] }
    }

    private func rotate(_ value: UInt32, _ count: UInt32) -> UInt32 { value >> count | value << (32 - count) }

    private static let constants: InlineArray<64, UInt32> = [
        0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
        0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
        0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
        0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
        0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
        0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
        0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
        0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
    ]
}

/// A SHA-256 hash.
public struct ImageDigest: Equatable, Sendable {
    /// Number of bytes.
    public static let size = 32
    private var bytes = InlineArray<32, UInt8>(repeating: 0)

    /// All zeros.
    public init() {}

    /// Copies 32 bytes of `span` from `offset`; nil when they are not inside.
    public init?(_ span: RawSpan, at offset: Int) {
        guard offset >= 0, offset <= span.byteCount, span.byteCount - offset >= Self.size else { return nil }
        for i in 0..<Self.size { bytes[i] = span.unsafeLoad(fromByteOffset: offset + i, as: UInt8.self) }
    }

    /// The byte at `index`, 0…31.
    public subscript(index: Int) -> UInt8 {
        get { bytes[index] }
        set { bytes[index] = newValue }
    }

    /// Byte for byte equality.
    public static func == (a: Self, b: Self) -> Bool {
        for i in 0..<size where a.bytes[i] != b.bytes[i] { return false }
        return true
    }
}
