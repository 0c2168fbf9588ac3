/// A point of the twisted Edwards curve -x² + y² = 1 + d x² y², in the extended coordinates of RFC 8032 section 5.1.4:
/// x = X / Z, y = Y / Z, x y = T / Z.
struct EdwardsPoint {
    var x: FieldElement
    var y: FieldElement
    var z: FieldElement
    var t: FieldElement

    /// The neutral point.
    init() {
        x = FieldElement(0)
        y = FieldElement(1)
        z = FieldElement(1)
        t = FieldElement(0)
    }

    /// The base point.
    static func base() -> EdwardsPoint {
        var point = EdwardsPoint()
        point.x = FieldElement([
            0x8F25_D51A, 0xC956_2D60, 0x9525_A7B2, 0x692C_C760, 0xFDD6_DC5C, 0xC0A4_E231, 0xCD6E_53FE, 0x2169_36D3,
        ])
        point.y = FieldElement([
            0x6666_6658, 0x6666_6666, 0x6666_6666, 0x6666_6666, 0x6666_6666, 0x6666_6666, 0x6666_6666, 0x6666_6666,
        ])
        point.complete()
        return point
    }

    private static func d() -> FieldElement {
        FieldElement([
            0x1359_78A3, 0x75EB_4DCA, 0x4141_D8AB, 0x0070_0A4D, 0x7779_E898, 0x8CC7_4079, 0x2B6F_FE73, 0x5203_6CEE,
        ])
    }

    private static func rootOfMinusOne() -> FieldElement {
        FieldElement([
            0x4A0E_A0B0, 0xC4EE_1B27, 0xAD2F_E478, 0x2F43_1806, 0x3DFB_D7A7, 0x2B4D_0099, 0x4FC1_DF0B, 0x2B83_2480,
        ])
    }

    /// T of a point whose X and Y were set and whose Z is one.
    private mutating func complete() {
        t = x
        t *= y
    }

    /// Becomes the *negative* of the point that 32 bytes encode; false when there is none.
    ///
    /// What is taken is exactly what BoringSSL takes: also y from p on, a zero x with a sign, and the points of small
    /// order, though no honest key is one of them.
    @inline(never)
    mutating func decode(negativeOf bytes: RawSpan) -> Bool {
        guard bytes.byteCount == 32 else { return false }
        z = FieldElement(1)
        y = FieldElement(parsing: bytes, at: 0)
        // x² = u / v with u = y² - 1 and v = d y² + 1; x = u w^((p-5)/8) with w = u v, or that times a root of -1.
        var u = y
        u *= y
        var v = u
        v *= Self.d()
        u -= z
        v += z
        x = u
        x *= v
        x = x.power(bits: 252, low: 0xFD)
        x *= u
        var check = x
        check *= x
        check *= v
        check -= u
        if !check.isZero {
            // The square is -u / v instead.
            check += u
            check += u
            guard check.isZero else { return false }
            x *= Self.rootOfMinusOne()
        }
        if x.isNegative == (bytes.unsafeLoad(fromByteOffset: 31, as: UInt8.self) >> 7 == 1) {
            var negative = FieldElement(0)
            negative -= x
            x = negative
        }
        complete()
        return true
    }

    /// Adds a point. The formula holds for all points of this curve, so doubling needs no other one.
    @inline(never)
    mutating func add(_ other: EdwardsPoint) {
        var a = y
        a -= x
        var factor = other.y
        factor -= other.x
        a *= factor
        var b = y
        b += x
        factor = other.y
        factor += other.x
        b *= factor
        t *= other.t
        t *= Self.d()
        t += t
        z *= other.z
        z += z
        var e = b
        e -= a
        var h = b
        h += a
        var f = z
        f -= t
        z += t
        // X = E F, Y = G H, T = E H, Z = F G.
        x = e
        x *= f
        y = z
        y *= h
        t = e
        t *= h
        z *= f
    }

    /// The 32 bytes that encode it.
    @inline(never)
    func encoded() -> InlineArray<32, UInt8> {
        let scale = z.inverse
        var x = self.x
        x *= scale
        var y = self.y
        y *= scale
        let number = y.canonical()
        var bytes = InlineArray<32, UInt8>(repeating: 0)
        for i in 0..<32 {
            bytes[i] = UInt8(truncatingIfNeeded: number.words[i >> 2] >> UInt32(8 * (i & 3)))
        }
        if x.isNegative { bytes[31] |= 0x80 }
        return bytes
    }
}
