import IOCOM
import NIOCore
import NIOPosix
import ServerData

/// Checks logins on threads of its own, a few at a time. Addresses take turns, and at each address the users: whoever sends
/// very many logins waits for itself. Confined to the loop.
///
/// The allocator keeps the 16 MiB of a check for each thread that ever made one, so the process's common threads are not
/// used.
final class LoginQueue {
    private struct Entry {
        var attempt: LoginAttempt
        var isWanted: () -> Bool
        var done: (AuthorizationDecision) -> Void
    }

    private let loop: any EventLoop
    private let limits: LoginLimits
    private let book: AccountsBook
    private let threads: NIOThreadPool
    /// By address and user.
    private var waiting: [String: TurnQueue<String, Entry>] = [:]
    /// An address for each entry that waits.
    private var turns = TurnQueue<String, Void>()
    private var running = 0

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
        _ attempt: LoginAttempt, from key: LoginKey, isWanted: @escaping () -> Bool,
        done: @escaping (AuthorizationDecision) -> Void
    ) -> Bool {
        let ofAddress = waiting[key.address]
        guard turns.count < limits.waiting, ofAddress?.count ?? 0 < limits.waitingPerAddress,
            ofAddress?.count(in: key.user) ?? 0 < limits.waitingPerUser
        else { return false }
        waiting[key.address, default: TurnQueue()].append(
            Entry(attempt: attempt, isWanted: isWanted, done: done), to: key.user)
        turns.append((), to: key.address)
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
        guard let address = turns.removeFirst()?.lane, let entry = waiting[address]?.removeFirst() else { return nil }
        if waiting[address]?.count == 0 { waiting[address] = nil }
        return entry.element
    }
}
