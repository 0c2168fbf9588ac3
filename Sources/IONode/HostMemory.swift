#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif
public import IOCOM

extension LentMemory {
    /// Zeroed heap memory. Pages that are never written cost nothing, so a large block that is mostly empty is cheap.
    ///
    /// Nil when the system has no memory left.
    public static func zeroed(_ count: Int) -> LentMemory? {
        guard count >= 0, let base = calloc(max(count, 1), 1) else { return nil }
        return LentMemory(UnsafeMutableRawBufferPointer(start: base, count: count)) { free($0.baseAddress) }
    }
}
