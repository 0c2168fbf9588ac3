import FirmwareImages

/// Pieces of flash in arrays that stand on the stack.
extension FlashArea {
    /// Fills the first `count` bytes of `out`.
    public func read<let size: Int>(
        at offset: Int, into out: inout InlineArray<size, UInt8>, count: Int
    ) throws(FlashFault) {
        var span = out.mutableSpan
        try span.withUnsafeMutableBytes { bytes throws(FlashFault) in
            try read(at: offset, into: UnsafeMutableRawBufferPointer(rebasing: bytes[..<count]))
        }
    }

    /// Fills the first `count` bytes of `out`; false where the flash can't be read: a word that was cut, with ECC.
    func readIfPossible<let size: Int>(
        at offset: Int, into out: inout InlineArray<size, UInt8>, count: Int
    ) throws(FlashFault) -> Bool {
        do throws(FlashFault) { try read(at: offset, into: &out, count: count) } catch {
            guard case .hardware = error else { throw error }
            return false
        }
        return true
    }

    /// Writes `count` of `bytes`, beginning with the one at `start`.
    mutating func write<let size: Int>(
        at offset: Int, _ bytes: InlineArray<size, UInt8>, from start: Int = 0, count: Int
    ) throws(FlashFault) {
        try bytes.span.withUnsafeBytes { bytes throws(FlashFault) in
            try write(at: offset, UnsafeRawBufferPointer(rebasing: bytes[start..<(start + count)]))
        }
    }
}

extension InlineArray where Element == UInt8 {
    /// Four bytes, little endian.
    func word(_ offset: Int) -> UInt32 {
        UInt32(self[offset]) | UInt32(self[offset + 1]) << 8 | UInt32(self[offset + 2]) << 16
            | UInt32(self[offset + 3]) << 24
    }

    /// Writes four bytes, little endian.
    mutating func put(_ value: UInt32, at offset: Int) {
        for i in 0..<4 { self[offset + i] = UInt8(truncatingIfNeeded: value >> UInt32(8 * i)) }
    }

    /// Two bytes, little endian.
    func half(_ offset: Int) -> UInt16 { UInt16(self[offset]) | UInt16(self[offset + 1]) << 8 }

    /// Writes the lower two bytes of a value, little endian.
    mutating func put16(_ value: UInt32, at offset: Int) {
        self[offset] = UInt8(truncatingIfNeeded: value)
        self[offset + 1] = UInt8(truncatingIfNeeded: value >> 8)
    }

    /// The checksum of the first `count` bytes.
    func checksum(first count: Int) -> UInt32 {
        var crc = ImageCRC()
        for i in 0..<count { crc.add(self[i]) }
        return crc.value
    }
}
