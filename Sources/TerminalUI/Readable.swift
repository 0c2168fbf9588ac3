/// Numbers as people read them. The texts are for eyes; programs get the plain numbers as JSON.
public enum Readable {
    /// A number of bytes in binary units: "512 B", "1.5 KiB", "64.0 MiB", "250 GiB".
    public static func bytes(_ count: UInt64) -> String {
        guard count >= 1024 else { return "\(count) B" }
        var unit = 0
        var tenths: UInt64 = 0
        // The next unit is taken when rounding would show four digits, so "1024 KiB" never appears.
        repeat {
            unit += 1
            let shift = UInt64(10 * unit)
            let rest = count & ((1 << shift) - 1)
            tenths = (count >> shift) * 10 + ((rest * 10 + (1 << (shift - 1))) >> shift)
        } while tenths >= 10_235 && unit < units.count
        let number = tenths < 1000 ? "\(tenths / 10).\(tenths % 10)" : "\((tenths + 5) / 10)"
        return "\(number) \(units[unit - 1])"
    }

    /// Bytes in a second: "350 KiB/s". Anything that is not a positive number reads as "0 B/s".
    public static func rate(_ bytesPerSecond: Double) -> String {
        guard bytesPerSecond > 0 else { return "0 B/s" }
        return bytes(UInt64(exactly: bytesPerSecond.rounded()) ?? .max) + "/s"
    }

    /// A span of time in whole seconds and at most two units: "12 s", "2 min 05 s", "3 h 07 min", "2 d 03 h".
    /// Spans below zero read as "0 s".
    public static func duration(_ duration: Duration) -> String {
        let seconds = max(0, duration.components.seconds)
        switch seconds {
        case ..<60: return "\(seconds) s"
        case ..<3600: return "\(seconds / 60) min \(twoDigits(seconds % 60)) s"
        case ..<86_400: return "\(seconds / 3600) h \(twoDigits(seconds / 60 % 60)) min"
        default: return "\(seconds / 86_400) d \(twoDigits(seconds / 3600 % 24)) h"
        }
    }

    /// Like ``duration(_:)``, with tenths of a second below ten seconds: "0.3 s", for the time that something took.
    public static func shortDuration(_ duration: Duration) -> String {
        let tenths = tenthsOfSeconds(duration)
        guard tenths < 100 else { return self.duration(max(duration, .seconds(10))) }
        return "\(tenths / 10).\(tenths % 10) s"
    }

    private static let units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]

    private static func twoDigits(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }

    /// Rounded half up; saturates instead of overflowing.
    private static func tenthsOfSeconds(_ duration: Duration) -> Int64 {
        let (seconds, attoseconds) = duration.components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        guard seconds < 10 else { return 100 }
        return seconds * 10 + (attoseconds + 50_000_000_000_000_000) / 100_000_000_000_000_000
    }
}
