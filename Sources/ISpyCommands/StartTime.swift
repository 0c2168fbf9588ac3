import Glibc
import IOOperator

extension DeviceSummary {
    /// When the device's program started, UTC to the minute, as far as it tells its up time.
    var startedAt: String? {
        guard let uptimeMinutes else { return nil }
        var moment = time(nil) - uptimeMinutes * 60
        var parts = tm()
        guard gmtime_r(&moment, &parts) != nil else { return nil }
        func two(_ value: Int32) -> String { value < 10 ? "0\(value)" : "\(value)" }
        return
            "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))T\(two(parts.tm_hour)):\(two(parts.tm_min))Z"
    }
}
