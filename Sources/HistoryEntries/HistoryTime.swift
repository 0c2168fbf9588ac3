import Glibc

/// Times of a history: milliseconds since 1970 in UTC, as texts.
public enum HistoryTime {
    /// Later than every time that can be written with four digits for the year.
    public static let last: Int64 = 253_402_300_799_999

    /// The present.
    public static var now: Int64 {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000
    }

    /// UTC with milliseconds: `2026-11-24T20:53:24.123Z`.
    public static func iso(_ time: Int64) -> String {
        let time = min(max(0, time), last)
        var seconds = time_t(time / 1000)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        return "\(date(parts))T\(clock(parts)).\(pad(Int(time % 1000), 3))Z"
    }

    /// Reads what ``iso(_:)`` writes; nil for anything else.
    public static func parseISO(_ text: String) -> Int64? {
        let parts = text.split(separator: ".", maxSplits: 1)
        guard parts.count == 2, text.utf8.count == 24, parts[1].hasSuffix("Z"),
            let thousandths = number(parts[1].dropLast()), let seconds = moment("\(parts[0])Z")
        else { return nil }
        return seconds + Int64(thousandths)
    }

    /// The time where this machine is, with its zone: `2026-11-24 21:53:24 +0100`.
    public static func local(_ time: Int64) -> String {
        var seconds = time_t(min(max(0, time), last) / 1000)
        var parts = tm()
        localtime_r(&seconds, &parts)
        let offset = parts.tm_gmtoff / 60
        let zone = "\(offset < 0 ? "-" : "+")\(pad(abs(offset) / 60))\(pad(abs(offset) % 60))"
        return "\(date(parts)) \(clock(parts)) \(zone)"
    }

    /// What a person writes: `2026-11-20`, `2026-11-20T14:30`, `2026-11-20T14:30:05` where this machine is, with `Z` behind
    /// it in UTC; or how long ago: `90s`, `30m`, `12h`, `3d`, `2w`. Nil for anything else.
    public static func parse(_ text: String, now: Int64) -> Int64? {
        if let unit = text.last, let length = units[unit] {
            guard text.utf8.count <= 10, let count = Int64(text.dropLast()), count >= 0,
                text.utf8.first != UInt8(ascii: "+")
            else { return nil }
            return max(0, now - count * length)
        }
        return moment(text)
    }

    private static let units: [Character: Int64] = [
        "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000,
    ]

    /// Parses a date, with or without a time of day.
    private static func moment(_ text: String) -> Int64? {
        let isUTC = text.hasSuffix("Z")
        let plain = isUTC ? text.dropLast() : text[...]
        let halves = plain.split(separator: "T", maxSplits: 1, omittingEmptySubsequences: false)
        let day = halves[0].split(separator: "-", omittingEmptySubsequences: false).map(number)
        guard day.count == 3, let year = day[0], let month = day[1], let date = day[2], halves[0].utf8.count == 10,
            (1970...9998).contains(year), (1...12).contains(month), (1...31).contains(date)
        else { return nil }
        var parts = tm()
        parts.tm_year = Int32(year - 1900)
        parts.tm_mon = Int32(month - 1)
        parts.tm_mday = Int32(date)
        parts.tm_isdst = -1
        if halves.count == 2 {
            // Fractions of a second, as in `iso`, are left out.
            let clock = halves[1].prefix { $0 != "." }.split(separator: ":", omittingEmptySubsequences: false)
                .map(number)
            guard (2...3).contains(clock.count), let hour = clock[0], let minute = clock[1], hour < 24, minute < 60,
                let second = clock.count == 3 ? clock[2] : 0, second < 60
            else { return nil }
            parts.tm_hour = Int32(hour)
            parts.tm_min = Int32(minute)
            parts.tm_sec = Int32(second)
        } else if isUTC {
            return nil
        }
        let seconds = isUTC ? timegm(&parts) : mktime(&parts)
        // A day that does not exist (31 April) comes back as another one.
        guard seconds >= 0, parts.tm_mday == Int32(date) else { return nil }
        return Int64(seconds) * 1000
    }

    private static func number(_ text: Substring) -> Int? {
        guard !text.isEmpty, text.utf8.count <= 4, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return Int(text)
    }

    private static func date(_ parts: tm) -> String {
        "\(pad(Int(parts.tm_year) + 1900, 4))-\(pad(Int(parts.tm_mon) + 1))-\(pad(Int(parts.tm_mday)))"
    }

    private static func clock(_ parts: tm) -> String {
        "\(pad(Int(parts.tm_hour))):\(pad(Int(parts.tm_min))):\(pad(Int(parts.tm_sec)))"
    }

    private static func pad(_ value: Int, _ width: Int = 2) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }
}
