import Dispatch
import Glibc

/// Ctrl-C: the first cancels what runs, so that the other side is told; a second ends the program at once.
enum Interrupt {
    static func cancelling<Value: Sendable>(
        _ body: @escaping @Sendable () async throws -> Value, ended: @Sendable () async -> Void
    ) async throws -> Value {
        let task = Task { try await body() }
        signal(SIGINT, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: SIGINT, queue: .global())
        source.setEventHandler {
            if task.isCancelled { exit(130) }
            task.cancel()
        }
        source.activate()
        defer {
            source.cancel()
            signal(SIGINT, SIG_DFL)
        }
        let result = await task.result
        await ended()
        return try result.get()
    }
}
