import Glibc
import TerminalUI

/// Shows progress on standard error from a task of its own, so that a slow terminal holds up nothing.
final class ProgressPrinter: Sendable {
    private enum Step: Sendable {
        case progress(phase: String, bytes: UInt64)
        case said(String)
    }

    private let steps: AsyncStream<Step>.Continuation
    private let printing: Task<Void, Never>

    init(_ connection: ConnectionOptions, totalBytes: UInt64?) {
        let style = ProgressReporter.Style.fitting(
            json: connection.json, quiet: connection.quiet, terminal: Terminal.understandsControl(STDERR_FILENO))
        let (stream, steps) = AsyncStream<Step>.makeStream(bufferingPolicy: .unbounded)
        self.steps = steps
        printing = Task.detached {
            let clock = ContinuousClock()
            let start = clock.now
            var reporter = ProgressReporter(
                style, .init(totalBytes: totalBytes, unicode: Terminal.writesUTF8), phase: "starting", at: .zero)
            for await step in stream {
                let text =
                    switch step {
                    case .progress(let phase, let bytes):
                        reporter.update(
                            phase: phase, confirmedBytes: bytes, at: clock.now - start,
                            width: Terminal.width(STDERR_FILENO) ?? 80)
                    case .said(let line): reporter.message("  " + line)
                    }
                Terminal.write(text, to: STDERR_FILENO)
            }
            Terminal.write(
                reporter.finish(at: clock.now - start, width: Terminal.width(STDERR_FILENO) ?? 80), to: STDERR_FILENO)
        }
    }

    func update(_ phase: String, _ bytes: UInt64) { steps.yield(.progress(phase: phase, bytes: bytes)) }

    /// Shows a line that the device passes on.
    func say(_ line: String) { steps.yield(.said(line)) }

    /// Ends the display; returns once everything was written.
    func finish() async {
        steps.finish()
        await printing.value
    }
}
