import Glibc
import TerminalUI

/// Shows progress on standard error from a task of its own, so that a slow terminal holds up nothing.
final class ProgressPrinter: Sendable {
    private let steps: AsyncStream<(String, UInt64)>.Continuation
    private let printing: Task<Void, Never>

    init(_ connection: ConnectionOptions, totalBytes: UInt64?) {
        let style = ProgressReporter.Style.fitting(
            json: connection.json, quiet: connection.quiet, terminal: Terminal.understandsControl(STDERR_FILENO))
        let (stream, steps) = AsyncStream<(String, UInt64)>.makeStream(bufferingPolicy: .unbounded)
        self.steps = steps
        printing = Task.detached {
            let clock = ContinuousClock()
            let start = clock.now
            var reporter = ProgressReporter(
                style, .init(totalBytes: totalBytes, unicode: Terminal.writesUTF8), phase: "starting", at: .zero)
            for await (phase, bytes) in stream {
                Terminal.write(
                    reporter.update(
                        phase: phase, confirmedBytes: bytes, at: clock.now - start,
                        width: Terminal.width(STDERR_FILENO) ?? 80), to: STDERR_FILENO)
            }
            Terminal.write(
                reporter.finish(at: clock.now - start, width: Terminal.width(STDERR_FILENO) ?? 80), to: STDERR_FILENO)
        }
    }

    func update(_ phase: String, _ bytes: UInt64) { steps.yield((phase, bytes)) }

    /// Ends the display; returns once everything was written.
    func finish() async {
        steps.finish()
        await printing.value
    }
}
