#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Holds its thread up. Not for an event loop.
public enum Pause {
    /// Returns when `milliseconds` are over; at once when they are 0 or less.
    public static func wait(milliseconds: Int) {
        guard milliseconds > 0 else { return }
        var wanted = timespec(tv_sec: milliseconds / 1000, tv_nsec: milliseconds % 1000 * 1_000_000)
        var left = timespec()
        // A signal ends the wait early.
        while nanosleep(&wanted, &left) != 0, errno == EINTR { wanted = left }
    }
}
