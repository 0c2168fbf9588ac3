import IOCOM
import NIOCore
import NIOPosix
import ServerData

/// Checks logins on a thread, a few at a time, in the order they came. Confined to the loop.
final class LoginQueue {
    private struct Entry {
        var attempt: LoginAttempt
        var address: String
        var isWanted: () -> Bool
        var done: (AuthorizationDecision) -> Void
    }

    private let loop: any EventLoop
    private let limits: LoginLimits
    private let book: AccountsBook
    private var waiting: [Entry] = []
    private var next = 0
    private var byAddress: [String: Int] = [:]
    private var running = 0

    init(_ book: AccountsBook, _ limits: LoginLimits, on loop: any EventLoop) {
        self.book = book
        self.limits = limits
        self.loop = loop
    }

    /// Has an attempt decided; false when too many wait. `isWanted` is asked before the work is done.
    func add(
        _ attempt: LoginAttempt, from address: String, isWanted: @escaping () -> Bool,
        done: @escaping (AuthorizationDecision) -> Void
    ) -> Bool {
        guard waiting.count - next < limits.waiting, byAddress[address, default: 0] < limits.waitingPerAddress else {
            return false
        }
        byAddress[address, default: 0] += 1
        waiting.append(Entry(attempt: attempt, address: address, isWanted: isWanted, done: done))
        start()
        return true
    }

    private func start() {
        while running < limits.checks, let entry = take() {
            guard entry.isWanted() else { continue }
            running += 1
            let (book, attempt) = (book, entry.attempt)
            let bound = NIOLoopBound((self, entry.done), eventLoop: loop)
            NIOThreadPool.singleton.runIfActive(eventLoop: loop) { book.decide(attempt) }
                .whenComplete { result in
                    let (queue, done) = bound.value
                    queue.running -= 1
                    if case .success(let decision) = result { done(decision) } else { done(.refused(nil)) }
                    queue.start()
                }
        }
    }

    private func take() -> Entry? {
        guard next < waiting.count else { return nil }
        let entry = waiting[next]
        next += 1
        if next == waiting.count || next > 256 {
            waiting.removeFirst(next)
            next = 0
        }
        let left = byAddress[entry.address, default: 1] - 1
        byAddress[entry.address] = left > 0 ? left : nil
        return entry
    }
}
