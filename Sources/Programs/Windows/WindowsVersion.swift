/// Version of a product as Windows Installer compares it: three numbers; a fourth does not count.
public struct WindowsVersion: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// 0…255.
    public let major: Int
    /// 0…255.
    public let minor: Int
    /// 0…65535.
    public let build: Int

    /// A version of its numbers; nil when one is too large.
    public init?(_ major: Int, _ minor: Int, _ build: Int) {
        guard (0...255).contains(major), (0...255).contains(minor), (0...65_535).contains(build) else { return nil }
        self.major = major
        self.minor = minor
        self.build = build
    }

    /// Reads one to four numbers between dots; numbers that are not there are 0.
    public init?(_ text: some StringProtocol) {
        let fields = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard (1...4).contains(fields.count) else { return nil }
        var numbers: [Int] = []
        for field in fields {
            guard (1...5).contains(field.count), field.allSatisfy({ (0x30...0x39).contains($0) }),
                let number = Int(String(decoding: field, as: UTF8.self)), number <= 65_535
            else { return nil }
            numbers.append(number)
        }
        numbers += [0, 0]
        self.init(numbers[0], numbers[1], fields.count > 2 ? numbers[2] : 0)
    }

    /// The three numbers.
    public var description: String { "\(major).\(minor).\(build)" }

    /// Windows Installer's order.
    public static func < (a: Self, b: Self) -> Bool { (a.major, a.minor, a.build) < (b.major, b.minor, b.build) }

    // MARK: Versions of programs

    private static let minutesOfDay = 24 * 60

    /// How the version of a program, `YYMMDD-HHMM`, is written in a package: year, month, and minutes since the month began,
    /// counted from day 0. So Windows orders packages as the versions are ordered. Nil for a version without date or time.
    public init?(_ version: ProgramVersion) {
        guard let date = version.date, let time = version.time else { return nil }
        self.init(date / 10_000, date / 100 % 100, date % 100 * Self.minutesOfDay + time / 100 * 60 + time % 100)
    }

    /// The version of the program; nil when the numbers are of another scheme.
    public var programVersion: ProgramVersion? {
        guard major < 100, minor < 100 else { return nil }
        let (day, minutes) = build.quotientAndRemainder(dividingBy: Self.minutesOfDay)
        func two(_ number: Int) -> String { (number < 10 ? "0" : "") + String(number) }
        return try? ProgramVersion(
            date: two(major) + two(minor) + two(day), time: two(minutes / 60) + two(minutes % 60))
    }
}
