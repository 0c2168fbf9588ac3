/// A number modulo p = 2^255 - 19, as eight words of 32 bits, the lowest first.
///
/// Any of the 2^256 values of the words is allowed; the same number can stand there in two or three ways until
/// ``canonical()``. What is carried out of the top comes back times 38, because 2^256 = 2 p + 38. Words of this size make
/// the least code on 32-bit cores that multiply to 64 bits. The time depends on the values in nothing but carries, which
/// does not matter: only public numbers come here.
struct FieldElement {
    var words: InlineArray<8, UInt32>

    init(_ words: InlineArray<8, UInt32>) { self.words = words }

    /// A small number.
    init(_ number: UInt32) {
        words = InlineArray(repeating: 0)
        words[0] = number
    }

    /// The lower 255 bits of 32 bytes, the lowest first. Numbers from p on are allowed, as in BoringSSL.
    init(parsing bytes: RawSpan, at offset: Int) {
        words = FirmwareCrypto.words(bytes, at: offset)
        words[7] &= 0x7FFF_FFFF
    }

    /// Adds a number of at most some thousands to the words, and returns what is carried out of the top.
    private mutating func carry(_ number: Int64) -> Int64 {
        var sum = number
        for i in 0..<8 {
            sum &+= Int64(words[i])
            words[i] = UInt32(truncatingIfNeeded: sum)
            sum &>>= 32
        }
        return sum
    }

    /// Brings back what was carried out of the top.
    @inline(never)
    private mutating func fold(_ carried: Int64) {
        // A second carry leaves words so small, or so close to 2^256, that nothing is carried a third time.
        words[0] &+= UInt32(truncatingIfNeeded: carry(carried &* 38) &* 38)
    }

    @inline(never)
    private mutating func add(_ other: FieldElement, negated: Bool) {
        // Through a span: to index an array that is a parameter copies all of it each time.
        let others = other.words.span
        var sum: Int64 = 0
        for i in 0..<8 {
            let word = Int64(others[i])
            sum &+= Int64(words[i]) &+ (negated ? 0 &- word : word)
            words[i] = UInt32(truncatingIfNeeded: sum)
            sum &>>= 32
        }
        fold(sum)
    }

    static func += (a: inout FieldElement, b: FieldElement) { a.add(b, negated: false) }

    static func -= (a: inout FieldElement, b: FieldElement) { a.add(b, negated: true) }

    @inline(never)
    static func *= (a: inout FieldElement, b: FieldElement) {
        let factor = b.words.span
        var product = InlineArray<16, UInt32>(repeating: 0)
        for i in 0..<8 {
            var carry: UInt32 = 0
            for j in 0..<8 {
                // Never more than (2^32 - 1)^2 + 2 (2^32 - 1) = 2^64 - 1.
                let sum = UInt64(a.words[i]) &* UInt64(factor[j]) &+ UInt64(product[i &+ j]) &+ UInt64(carry)
                product[i &+ j] = UInt32(truncatingIfNeeded: sum)
                carry = UInt32(truncatingIfNeeded: sum >> 32)
            }
            product[i &+ 8] = carry
        }
        var sum: UInt64 = 0
        for i in 0..<8 {
            sum &+= UInt64(product[i]) &+ 38 &* UInt64(product[i &+ 8])
            a.words[i] = UInt32(truncatingIfNeeded: sum)
            sum &>>= 32
        }
        a.fold(Int64(bitPattern: sum))
    }

    /// The power whose exponent has `bits` bits, all of them ones except for the lowest eight, which are `low`.
    @inline(never)
    func power(bits: Int, low: UInt32) -> FieldElement {
        var result = self
        var bit = bits &- 2
        while bit >= 0 {
            let square = result
            result *= square
            if bit >= 8 || low >> UInt32(bit) & 1 == 1 { result *= self }
            bit &-= 1
        }
        return result
    }

    /// One divided by this number: its power p - 2 = 2^255 - 21.
    var inverse: FieldElement { power(bits: 255, low: 0xEB) }

    /// The same number below p.
    @inline(never)
    func canonical() -> FieldElement {
        var result = self
        let top = Int64(result.words[7] >> 31)
        result.words[7] &= 0x7FFF_FFFF
        _ = result.carry(top &* 19)
        // Now it is below 2^255 + 19. When 19 more reach 2^255, it was p or more.
        var reduced = result
        _ = reduced.carry(19)
        guard reduced.words[7] >> 31 == 1 else { return result }
        reduced.words[7] &= 0x7FFF_FFFF
        return reduced
    }

    var isZero: Bool {
        let number = canonical()
        var all: UInt32 = 0
        for i in 0..<8 { all |= number.words[i] }
        return all == 0
    }

    /// The sign of RFC 8032: the lowest bit.
    var isNegative: Bool { canonical().words[0] & 1 == 1 }
}

/// 32 bytes as eight words, the lowest first. The caller knows that they are there.
@inline(never)
func words(_ bytes: RawSpan, at offset: Int) -> InlineArray<8, UInt32> {
    var words = InlineArray<8, UInt32>(repeating: 0)
    for i in 0..<32 {
        // Each byte comes in at the top and is moved down by those that follow it.
        words[i >> 2] = words[i >> 2] >> 8 | UInt32(bytes.unsafeLoad(fromByteOffset: offset + i, as: UInt8.self)) << 24
    }
    return words
}
