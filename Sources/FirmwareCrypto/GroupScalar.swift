/// A number modulo the order L = 2^252 + 27742317777372353535851937790883648493 of the base point, as eight words of 32
/// bits, the lowest first.
struct GroupScalar {
    private var words = InlineArray<8, UInt32>(repeating: 0)

    private static func order() -> InlineArray<8, UInt32> {
        [0x5CF5_D3ED, 0x5812_631A, 0xA2F7_9CD6, 0x14DE_F9DE, 0, 0, 0, 0x1000_0000]
    }

    /// 32 bytes, the lowest first; nil when they are L or more: such a signature could be made of another one.
    init?(parsing bytes: RawSpan, at offset: Int) {
        words = FirmwareCrypto.words(bytes, at: offset)
        guard !reduce() else { return nil }
    }

    /// 64 bytes, the lowest first, modulo L.
    @inline(never)
    init(reducing digest: InlineArray<64, UInt8>) {
        let bytes = digest.span
        for position in 0..<512 {
            let bit = 511 - position
            var carry = UInt32(bytes[bit >> 3] >> UInt8(bit & 7)) & 1
            // The number is below L, so its double has room.
            for i in 0..<8 {
                let next = words[i] >> 31
                words[i] = words[i] << 1 | carry
                carry = next
            }
            _ = reduce()
        }
    }

    /// Takes L away when the number is L or more, and says so.
    private mutating func reduce() -> Bool {
        let order = Self.order()
        var less = words
        var borrow: Int64 = 0
        for i in 0..<8 {
            borrow &+= Int64(words[i]) &- Int64(order[i])
            less[i] = UInt32(truncatingIfNeeded: borrow)
            borrow &>>= 32
        }
        guard borrow == 0 else { return false }
        words = less
        return true
    }

    /// The bit of this weight, 0…255.
    func bit(_ index: Int) -> UInt32 { words[index >> 5] >> UInt32(index & 31) & 1 }
}
