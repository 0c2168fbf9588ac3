import Foundation

/// Threads for tests of real programs, which may block them: they wait for programs, sockets and emulated machines with calls
/// that return when these answer. The usual ones are as many as the machine has processors, and two tests could stop all.
final class TestThreads: TaskExecutor {
    /// More than tests that run at a time, with what each of them does beside itself.
    private static let count = 16
    static let shared = TestThreads()

    private let condition = NSCondition()
    /// Guarded by `condition`.
    nonisolated(unsafe) private var jobs: [UnownedJob] = []

    private init() {
        for _ in 0..<Self.count {
            Thread.detachNewThread { [unowned self] in
                while true { next().runSynchronously(on: asUnownedTaskExecutor()) }
            }
        }
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        condition.withLock {
            jobs.append(job)
            condition.signal()
        }
    }

    private func next() -> UnownedJob {
        condition.withLock {
            while jobs.isEmpty { condition.wait() }
            return jobs.removeFirst()
        }
    }
}
