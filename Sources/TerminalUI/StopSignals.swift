import Dispatch
import Glibc

/// The signals that ask a program to stop, as a sequence. The second one ends the process at once.
public final class StopSignals {
    private static let all = [(SIGTERM, "SIGTERM"), (SIGINT, "SIGINT")]

    private let names: AsyncStream<String>
    private let sources: [any DispatchSourceSignal]

    /// From now on these signals don't end the process by themselves.
    public init() {
        // A reader of our output that went away is no reason to stop serving.
        signal(SIGPIPE, SIG_IGN)
        let (names, emit) = AsyncStream.makeStream(of: String.self)
        self.names = names
        sources = Self.all.map { number, name in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                emit.yield(name)
                signal(number, SIG_DFL)
            }
            source.resume()
            return source
        }
    }

    /// Waits for the first signal.
    public func first() async -> String {
        for await name in names { return name }
        return "cancelled"
    }
}
