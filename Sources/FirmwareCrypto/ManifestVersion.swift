/// The moment of a program's build as one number that grows with it, read from `YYMMDD-HHMM` (application-layer.md 4.5).
///
/// `XXXX` for the time is before every time of its day, `XXXXXX-XXXX` before every other version.
struct ManifestVersion {
    private static let size = 11
    private static let dash = 6
    /// Days are this far apart: one more than the largest HHMM, and one for `XXXX`.
    private static let day: UInt32 = 2401

    let order: UInt32

    /// The version in `size` bytes of `text`; nil when they are none.
    init?(_ text: RawSpan, _ range: Range<Int>) {
        guard range.count == Self.size,
            text.unsafeLoad(fromByteOffset: range.lowerBound + Self.dash, as: UInt8.self) == UInt8(ascii: "-")
        else { return nil }
        let at = range.lowerBound
        let time: UInt32
        if Self.isUnknown(text, at + 7, 4) {
            time = 0
        } else {
            guard let number = Self.number(text, at + 7, 4), number / 100 < 24, number % 100 < 60 else { return nil }
            time = number + 1
        }
        if Self.isUnknown(text, at, 6) {
            guard time == 0 else { return nil }
            order = 0
        } else {
            guard let number = Self.number(text, at, 6), Self.isDay(number) else { return nil }
            order = number * Self.day + time
        }
    }

    private static func isUnknown(_ text: RawSpan, _ at: Int, _ count: Int) -> Bool {
        for i in 0..<count where text.unsafeLoad(fromByteOffset: at + i, as: UInt8.self) != UInt8(ascii: "X") {
            return false
        }
        return true
    }

    private static func number(_ text: RawSpan, _ at: Int, _ count: Int) -> UInt32? {
        var number: UInt32 = 0
        for i in 0..<count {
            let digit = text.unsafeLoad(fromByteOffset: at + i, as: UInt8.self) &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            number = number * 10 + UInt32(digit)
        }
        return number
    }

    private static func isDay(_ number: UInt32) -> Bool {
        let month = number / 100 % 100
        let day = number % 100
        guard month >= 1, month <= 12, day >= 1 else { return false }
        // 2000 is a leap year, so every fourth year of this century is.
        if month == 2 { return day <= (number / 10000 % 4 == 0 ? 29 : 28) }
        return day <= (month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31)
    }
}
