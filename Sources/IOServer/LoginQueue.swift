import IOCOM
import NIOCore
import NIOPosix
import ServerData

/// Checks logins on threads of its own, a few at a time, in the order they came. Confined to the loop.
///
/// The allocator keeps the 16 MiB of a check for each thread that ever made one, so the process's common threads are not
/// used.
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
    private let threads: NIOThreadPool
    private var waiting: [Entry] = []
    private var next = 0
    private var byAddress: [String: Int] = [:]
    /// Checks under way.
    private(set) var running = 0
    /// How often too many waited, in all and from one address.
    private(set) var refusals: (all: UInt64, perAddress: UInt64) = (0, 0)

    /// Logins that wait, or are being checked.
    var count: Int { waiting.count - next + running }

    /// Most logins of one address that wait. Looks at every address.
    var mostOfOneAddress: Int { byAddress.values.max() ?? 0 }

    init(_ book: AccountsBook, _ limits: LoginLimits, on loop: any EventLoop) {
        self.book = book
        self.limits = limits
        self.loop = loop
        threads = NIOThreadPool(numberOfThreads: limits.checks)
        threads.start()
    }

    deinit { threads.shutdownGracefully { _ in } }

    /// Has an attempt decided; false when too many wait. `isWanted` is asked before the work is done.
    func add(
        _ attempt: LoginAttempt, from address: String, isWanted: @escaping () -> Bool,
        done: @escaping (AuthorizationDecision) -> Void
    ) -> Bool {
        guard waiting.count - next < limits.waiting else {
            refusals.all &+= 1
            return false
        }
        guard byAddress[address, default: 0] < limits.waitingPerAddress else {
            refusals.perAddress &+= 1
            return false
        }
        byAddress[address, default: 0] += 1
        waiting.append(Entry(attempt: attempt, address: address, isWanted: isWanted, done: done))
        start()
        return true
    }

    /// Makes better hashes of a password that was right.
    func upgrade(_ upgrades: [AccountUpgrade], password: [UInt8]) -> EventLoopFuture<Void> {
        let book = book
        return threads.runIfActive(eventLoop: loop) { try book.upgrade(upgrades, password: password) }
    }

    private func start() {
        while running < limits.checks, let entry = take() {
            guard entry.isWanted() else { continue }
            running += 1
            let (book, attempt) = (book, entry.attempt)
            let bound = NIOLoopBound((self, entry.done), eventLoop: loop)
            threads.runIfActive(eventLoop: loop) { book.decide(attempt) }
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
