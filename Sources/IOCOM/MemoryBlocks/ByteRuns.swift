/// Long runs of one value, looked at eight bytes at a time: mark bytes and gaps are mostly that.
extension UnsafeRawBufferPointer {
    /// How many bytes from `start` on have the value `byte`, at most up to `end`; 0 when the range is not inside.
    func run(of byte: UInt8, from start: Int, to end: Int) -> Int {
        guard start >= 0, end <= count, start < end else { return 0 }
        let pattern = UInt64(byte) &* 0x0101_0101_0101_0101
        var at = start
        while end - at >= 8, loadUnaligned(fromByteOffset: at, as: UInt64.self) == pattern { at += 8 }
        while at < end, self[at] == byte { at += 1 }
        return at - start
    }
}

extension UnsafeMutableRawBufferPointer {
    /// Sets `start..<end` (cut to the buffer) to zero, writing only where there is something else: pages that were never
    /// written stay without memory of their own.
    func clear(from start: Int, to end: Int) {
        var at = Swift.max(0, start)
        let end = Swift.min(end, count)
        while end - at >= 8 {
            if loadUnaligned(fromByteOffset: at, as: UInt64.self) != 0 {
                storeBytes(of: 0, toByteOffset: at, as: UInt64.self)
            }
            at += 8
        }
        while at < end {
            if self[at] != 0 { self[at] = 0 }
            at += 1
        }
    }
}
