/// Version of a program: the UTC moment of its build as `YYMMDD-HHMM` (application-layer.md 4.5).
///
/// The build scripts of the original write `XXXX` for a time they do not record, and `XXXXXX-XXXX` when there is no
/// version at all. Such a version sorts before every other of the same day, respectively before all.
public struct ProgramVersion: Sendable, Hashable {
    /// Why a text is no version.
    public enum ParseError: Error, Equatable, Sendable, CustomStringConvertible {
        /// Not six characters, a dash, four characters.
        case form(String)
        /// No such day.
        case date(String)
        /// No such time of day.
        case time(String)

        /// The reason for people.
        public var description: String {
            switch self {
            case .form(let text): "'\(text)' is no version: a version is YYMMDD-HHMM, for example 200712-1905"
            case .date(let text): "'\(text)' is no date: six digits YYMMDD are needed"
            case .time(let text): "'\(text)' is no time of day: four digits HHMM or XXXX are needed"
            }
        }
    }

    /// Year after 2000, month, day; nil when unknown.
    public let date: Int?
    /// Hour and minute as one number, 0…2359; nil when unknown.
    public let time: Int?

    /// Reads `YYMMDD-HHMM`, `YYMMDD-XXXX` or `XXXXXX-XXXX`.
    public init(_ text: some StringProtocol) throws(ParseError) {
        let fields = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard fields.count == 2, fields[0].count == 6, fields[1].count == 4 else {
            throw .form(String(text.prefix(40)))
        }
        try self.init(
            date: String(decoding: fields[0], as: UTF8.self), time: String(decoding: fields[1], as: UTF8.self))
    }

    init(date: String, time: String) throws(ParseError) {
        if date == "XXXXXX" {
            self.date = nil
        } else {
            guard date.utf8.count == 6, let number = Self.digits(date),
                Self.isDay(year: number / 10000, month: number / 100 % 100, day: number % 100)
            else { throw .date(String(date.prefix(40))) }
            self.date = number
        }
        if time == "XXXX" {
            self.time = nil
        } else {
            guard time.utf8.count == 4, let number = Self.digits(time), number / 100 < 24, number % 100 < 60,
                self.date != nil
            else { throw .time(String(time.prefix(40))) }
            self.time = number
        }
    }

    private static func digits(_ text: String) -> Int? {
        text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(text) : nil
    }

    private static func isDay(year: Int, month: Int, day: Int) -> Bool {
        guard (1...12).contains(month) else { return false }
        // 2000 is a leap year, so every fourth year of this century is.
        let days = [31, year % 4 == 0 ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        return (1...days[month - 1]).contains(day)
    }
}

extension ProgramVersion: Comparable, CustomStringConvertible {
    /// Time order; unknown comes first.
    public static func < (a: Self, b: Self) -> Bool { (a.date ?? -1, a.time ?? -1) < (b.date ?? -1, b.time ?? -1) }

    /// The text form.
    public var description: String {
        Self.padded(date, 6) + "-" + Self.padded(time, 4)
    }

    private static func padded(_ number: Int?, _ width: Int) -> String {
        guard let number else { return String(repeating: "X", count: width) }
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
