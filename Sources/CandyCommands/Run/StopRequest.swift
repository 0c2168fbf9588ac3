import Dispatch
import Glibc
import Synchronization

/// The wish of a user or of the system that the program ends.
final class StopRequest: Sendable {
    private struct State {
        var isRequested = false
        var handler: (@Sendable () -> Void)?
    }
    private let state = Mutex(State())

    /// True once it was requested.
    var isRequested: Bool { state.withLock(\.isRequested) }

    /// Requests the end.
    func request() {
        let handler = state.withLock { state in
            state.isRequested = true
            return state.handler
        }
        handler?()
    }

    /// Calls `handler` when the end is requested, at once when it was. It replaces the one before.
    func notify(_ handler: @escaping @Sendable () -> Void) {
        let isRequested = state.withLock { state in
            state.handler = handler
            return state.isRequested
        }
        if isRequested { handler() }
    }

    /// Makes SIGTERM and SIGINT requests as long as the result lives.
    func followSignals() -> [any DispatchSourceSignal] {
        [SIGTERM, SIGINT].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { [self] in request() }
            source.resume()
            return source
        }
    }
}
