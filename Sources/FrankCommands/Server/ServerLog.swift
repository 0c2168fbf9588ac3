import Glibc
import HistoryEntries
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
        let time = HistoryTime.iso(HistoryTime.now)
        emit.yield(asJSON ? line.json(time: time).text : line.text(time: time))
    }

    /// Returns when everything is written.
    func finish() async {
        emit.finish()
        await writer.value
    }
}
