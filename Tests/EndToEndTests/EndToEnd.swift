import Synchronization
import Testing

/// Tests of the real programs. A few run at a time, see ``InTurn``.
@Suite(InTurn()) enum EndToEnd {}

extension Tag {
    /// Tests that start machines.
    @Tag static var machines: Self
}

/// Lets a few tests of a suite and all suites in it run at a time, in the order of their coming. Each test starts several
/// programs, and machines that test have two cores; but most tests wait for most of their time: for time-outs, starts of
/// machines, and pauses before the next try. How long each took, without its wait for a place, is told at its end.
struct InTurn: SuiteTrait, TestTrait, TestScoping {
    /// Tests that run at a time: machines share what they are copied from.
    private static let places = (machines: 1, others: 2)
    private static let machines = Line(places: places.machines)
    private static let others = Line(places: places.others)

    let isRecursive = true

    /// Once for each test function: around all its cases and outside of their time limits.
    func scopeProvider(for test: Test, testCase: Test.Case?) -> Self? { test.isSuite || testCase != nil ? nil : self }

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        let line = test.tags.contains(.machines) ? Self.machines : Self.others
        await line.enter()
        let begin = ContinuousClock.now
        defer {
            line.leave()
            Place.note("\(Int((ContinuousClock.now - begin) / .seconds(1))) s: \(test.displayName ?? test.name)")
        }
        try await withTaskExecutorPreference(TestThreads.shared) { try await function() }
    }

    /// Who has a place and who waits for one.
    private final class Line: Sendable {
        private struct State {
            var free: Int
            var waiting: [CheckedContinuation<Void, Never>] = []
        }
        private let state: Mutex<State>

        init(places: Int) { state = Mutex(State(free: places)) }

        func enter() async {
            await withCheckedContinuation { continuation in
                let isFree = state.withLock { state in
                    guard state.free == 0 else {
                        state.free -= 1
                        return true
                    }
                    state.waiting.append(continuation)
                    return false
                }
                if isFree { continuation.resume() }
            }
        }

        func leave() {
            let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
                if !state.waiting.isEmpty { return state.waiting.removeFirst() }
                state.free += 1
                return nil
            }
            next?.resume()
        }
    }
}
