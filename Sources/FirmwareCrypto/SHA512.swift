/// SHA-512 (FIPS 180-4) with a fixed state: no allocation, and little code rather than much speed.
public struct SHA512: Sendable {
    private var state: InlineArray<8, UInt64>
    /// The block that is being filled; each word takes its bytes from the left.
    private var block = InlineArray<16, UInt64>(repeating: 0)
    /// Bytes that came.
    private var count: UInt64 = 0

    /// Starts with nothing added.
    public init() {
        state = [
            0x6A09E667_F3BCC908, 0xBB67AE85_84CAA73B, 0x3C6EF372_FE94F82B, 0xA54FF53A_5F1D36F1,
            0x510E527F_ADE682D1, 0x9B05688C_2B3E6C1F, 0x1F83D9AB_FB41BD6B, 0x5BE0CD19_137E2179,
        ]
    }

    /// Adds all bytes of `bytes`.
    public mutating func add(_ bytes: RawSpan) {
        for i in 0..<bytes.byteCount { add(bytes.unsafeLoad(fromByteOffset: i, as: UInt8.self)) }
    }

    /// Adds one byte.
    @inline(never)
    public mutating func add(_ byte: UInt8) {
        let word = Int(truncatingIfNeeded: count >> 3) & 15
        block[word] = block[word] << 8 | UInt64(byte)
        count &+= 1
        if count & 127 == 0 { compress() }
    }

    /// The digest of everything that was added. Ends the use of this value.
    public mutating func finish() -> InlineArray<64, UInt8> {
        let bits = count &<< 3
        add(0x80)
        // The length has 128 bits, of which the upper half is always zero here.
        while count & 127 != 112 { add(0) }
        for _ in 0..<8 { add(0) }
        for i in 0..<8 { add(Self.byte(i, of: bits)) }
        var digest = InlineArray<64, UInt8>(repeating: 0)
        for i in 0..<64 { digest[i] = Self.byte(i & 7, of: state[i >> 3]) }
        return digest
    }

    /// A byte of a word, the highest first. Only halves are shifted by a variable count: 32-bit cores need a library's help
    /// for the whole.
    private static func byte(_ index: Int, of word: UInt64) -> UInt8 {
        let half = UInt32(truncatingIfNeeded: index < 4 ? word >> 32 : word)
        return UInt8(truncatingIfNeeded: half &>> UInt32(truncatingIfNeeded: 24 &- 8 &* (index & 3)))
    }

    @inline(never)
    private mutating func compress() {
        var a = state[0]
        var b = state[1]
        var c = state[2]
        var d = state[3]
        var e = state[4]
        var f = state[5]
        var g = state[6]
        var h = state[7]
        for round in 0..<80 {
            let at = round & 15
            if round >= 16 {
                let near = block[(at &+ 1) & 15]
                let far = block[(at &+ 14) & 15]
                let s0 = Self.rotated(near, 1) ^ Self.rotated(near, 8) ^ near >> 7
                let s1 = Self.rotated(far, 19) ^ Self.rotated(far, 61) ^ far >> 6
                block[at] = block[at] &+ s0 &+ block[(at &+ 9) & 15] &+ s1
            }
            let s1 = Self.rotated(e, 14) ^ Self.rotated(e, 18) ^ Self.rotated(e, 41)
            let t1 = h &+ s1 &+ ((e & f) ^ (~e & g)) &+ roundConstants[round] &+ block[at]
            let s0 = Self.rotated(a, 28) ^ Self.rotated(a, 34) ^ Self.rotated(a, 39)
            let t2 = s0 &+ ((a & b) ^ (a & c) ^ (b & c))
            h = g
            g = f
            f = e
            e = d &+ t1
            d = c
            c = b
            b = a
            a = t1 &+ t2
        }
        state[0] &+= a
        state[1] &+= b
        state[2] &+= c
        state[3] &+= d
        state[4] &+= e
        state[5] &+= f
        state[6] &+= g
        state[7] &+= h
    }

    private static func rotated(_ word: UInt64, _ count: UInt64) -> UInt64 { word &>> count | word &<< (64 &- count) }
}

/// The first 64 bits of the fractional parts of the cube roots of the first 80 primes (FIPS 180-4, section 4.2.3).
private let roundConstants: InlineArray<80, UInt64> = [
    0x428A2F98_D728AE22, 0x71374491_23EF65CD, 0xB5C0FBCF_EC4D3B2F, 0xE9B5DBA5_8189DBBC,
    0x3956C25B_F348B538, 0x59F111F1_B605D019, 0x923F82A4_AF194F9B, 0xAB1C5ED5_DA6D8118,
    0xD807AA98_A3030242, 0x12835B01_45706FBE, 0x243185BE_4EE4B28C, 0x550C7DC3_D5FFB4E2,
    0x72BE5D74_F27B896F, 0x80DEB1FE_3B1696B1, 0x9BDC06A7_25C71235, 0xC19BF174_CF692694,
    0xE49B69C1_9EF14AD2, 0xEFBE4786_384F25E3, 0x0FC19DC6_8B8CD5B5, 0x240CA1CC_77AC9C65,
    0x2DE92C6F_592B0275, 0x4A7484AA_6EA6E483, 0x5CB0A9DC_BD41FBD4, 0x76F988DA_831153B5,
    0x983E5152_EE66DFAB, 0xA831C66D_2DB43210, 0xB00327C8_98FB213F, 0xBF597FC7_BEEF0EE4,
    0xC6E00BF3_3DA88FC2, 0xD5A79147_930AA725, 0x06CA6351_E003826F, 0x14292967_0A0E6E70,
    0x27B70A85_46D22FFC, 0x2E1B2138_5C26C926, 0x4D2C6DFC_5AC42AED, 0x53380D13_9D95B3DF,
    0x650A7354_8BAF63DE, 0x766A0ABB_3C77B2A8, 0x81C2C92E_47EDAEE6, 0x92722C85_1482353B,
    0xA2BFE8A1_4CF10364, 0xA81A664B_BC423001, 0xC24B8B70_D0F89791, 0xC76C51A3_0654BE30,
    0xD192E819_D6EF5218, 0xD6990624_5565A910, 0xF40E3585_5771202A, 0x106AA070_32BBD1B8,
    0x19A4C116_B8D2D0C8, 0x1E376C08_5141AB53, 0x2748774C_DF8EEB99, 0x34B0BCB5_E19B48A8,
    0x391C0CB3_C5C95A63, 0x4ED8AA4A_E3418ACB, 0x5B9CCA4F_7763E373, 0x682E6FF3_D6B2B8A3,
    0x748F82EE_5DEFB2FC, 0x78A5636F_43172F60, 0x84C87814_A1F0AB72, 0x8CC70208_1A6439EC,
    0x90BEFFFA_23631E28, 0xA4506CEB_DE82BDE9, 0xBEF9A3F7_B2C67915, 0xC67178F2_E372532B,
    0xCA273ECE_EA26619C, 0xD186B8C7_21C0C207, 0xEADA7DD6_CDE0EB1E, 0xF57D4F7F_EE6ED178,
    0x06F067AA_72176FBA, 0x0A637DC5_A2C898A6, 0x113F9804_BEF90DAE, 0x1B710B35_131C471B,
    0x28DB77F5_23047D84, 0x32CAAB7B_40C72493, 0x3C9EBE0A_15C9BEBC, 0x431D67C4_9C100D4C,
    0x4CC5D4BE_CB3E42B6, 0x597F299C_FC657E2A, 0x5FCB6FAB_3AD6FAEC, 0x6C44198C_4A475817,
]
