import Glibc
import IOServer
import TerminalUI

/// Writes events to standard error without ever making the server wait: when nobody reads, the oldest lines are lost.
final class ServerLog: Sendable {
    /// Lines that wait to be written.
    private static let mostWaiting = 4096

    private let emit: AsyncStream<String>.Continuation
    private let writer: Task<Void, Never>
    private let asJSON: Bool

    init(asJSON: Bool) {
        self.asJSON = asJSON
        let (lines, emit) = AsyncStream.makeStream(of: String.self, bufferingPolicy: .bufferingNewest(Self.mostWaiting))
        self.emit = emit
        writer = Task.detached {
            for await line in lines { Terminal.write(line + "\n", to: STDERR_FILENO) }
        }
    }

    /// Adds a line.
    func add(_ event: ServerEvent) {
        let line = LogLine(event)
        let time = Self.timeStamp()
        emit.yield(asJSON ? line.json(time: time).text : line.text(time: time))
    }

    /// Returns when everything is written.
    func finish() async {
        emit.finish()
        await writer.value
    }

    /// UTC with milliseconds: `2026-11-24T20:53:24.123Z`.
    private static func timeStamp() -> String {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        var parts = tm()
        gmtime_r(&now.tv_sec, &parts)
        func pad(_ value: Int, _ width: Int = 2) -> String {
            let text = String(value)
            return String(repeating: "0", count: max(0, width - text.count)) + text
        }
        let date = "\(pad(Int(parts.tm_year) + 1900, 4))-\(pad(Int(parts.tm_mon) + 1))-\(pad(Int(parts.tm_mday)))"
        let time = "\(pad(Int(parts.tm_hour))):\(pad(Int(parts.tm_min))):\(pad(Int(parts.tm_sec)))"
        return "\(date)T\(time).\(pad(now.tv_nsec / 1_000_000, 3))Z"
    }
}
