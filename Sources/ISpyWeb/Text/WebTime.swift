import Glibc
import PackedJSON

/// Moments as texts of ISO 8601.
enum WebTime {
    static var now: Int64 { Int64(time(nil)) }

    static func text(_ seconds: Int64) -> String {
        var moment = time_t(seconds)
        var parts = tm()
        guard gmtime_r(&moment, &parts) != nil else { return "" }
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))T\(two(parts.tm_hour)):"
            + "\(two(parts.tm_min)):\(two(parts.tm_sec))Z"
    }

    static func json(_ seconds: Int64?) -> JSON { seconds.map { .string(text($0)) } ?? .null }
}

extension JSON {
    /// A text, or null.
    init(_ text: String?) { self = text.map { .string($0) } ?? .null }
    /// A whole number, or null.
    init(_ number: (some BinaryInteger)?) { self = number.map { .integer(Int64(clamping: $0)) } ?? .null }
    /// A number, or null; what is not a number in JSON is null too.
    init(_ number: Double?) { self = number.flatMap { $0.isFinite ? .number($0) : nil } ?? .null }
}
