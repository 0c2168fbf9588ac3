/// The moment of a version in the forms that archives and changelogs want, UTC.
struct CalendarTime {
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    private static let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]

    private let year, month, day, hour, minute: Int

    /// Unknown parts of a version count as the beginning of the day, respectively of the century.
    init(_ version: ProgramVersion) {
        let date = version.date ?? 101
        year = 2000 + date / 10000
        month = date / 100 % 100
        day = date % 100
        hour = (version.time ?? 0) / 100
        minute = (version.time ?? 0) % 100
    }

    /// Days since 1970.
    private var dayNumber: Int {
        let lengths = [31, year.isMultiple(of: 4) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        // 2000 began on day 10957; from 2001 to 2099 every fourth year is a leap year, as 2000 was.
        let before = year - 2000
        return 10957 + before * 365 + (before + 3) / 4 + lengths[..<(month - 1)].reduce(0, +) + day - 1
    }

    /// Seconds since 1970.
    var seconds: Int { dayNumber * 86_400 + hour * 3600 + minute * 60 }

    /// As mails write it: `Tue, 24 Nov 2026 12:00:00 +0000`.
    var mailDate: String {
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(Self.days[dayNumber % 7]), \(two(day)) \(Self.months[month - 1]) \(year) "
            + "\(two(hour)):\(two(minute)):00 +0000"
    }
}
