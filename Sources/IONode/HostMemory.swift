#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif
public import IOCOM

extension LentMemory {
    /// Memory from here on comes as pages of its own: what `calloc` gives may be memory that was used before, and zeroing
    /// it would touch every page.
    private static let pagesFrom = 128 * 1024

    /// Zeroed memory. Pages of a large block that are never written cost nothing, and all go back when it is released.
    ///
    /// Nil when the system has no memory left.
    public static func zeroed(_ count: Int) -> LentMemory? {
        if count >= pagesFrom {
            guard let base = mmap(nil, count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
                base != MAP_FAILED
            else { return nil }
            return LentMemory(UnsafeMutableRawBufferPointer(start: base, count: count)) {
                _ = munmap($0.baseAddress, $0.count)
            }
        }
        guard count >= 0, let base = calloc(max(count, 1), 1) else { return nil }
        return LentMemory(UnsafeMutableRawBufferPointer(start: base, count: count)) { free($0.baseAddress) }
    }
}
