import IOCOM
import NIOCore
import NIOPosix
import ServerData

/// Checks logins on threads of its own, a few at a time. Addresses take turns, and at each address the users: whoever sends
/// very many logins waits for itself. Users who were let in from an address before have a turn apart from the others there.
/// Confined to the loop.
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
    private struct Lane: Hashable {
        var address: String
        var isKnown: Bool
    }
    /// By address and user.
    private var waiting: [Lane: TurnQueue<String, Entry>] = [:]
    /// A lane for each entry that waits.
    private var turns = TurnQueue<Lane, Void>()
    /// Checks under way.
    private(set) var running = 0
    /// How often too many waited, in all and from one address.
    private(set) var refusals: (all: UInt64, perAddress: UInt64) = (0, 0)

    /// Logins that wait, or are being checked.
    var count: Int { turns.count + running }

    /// Most logins of one address that wait. Looks at every address.
    var mostOfOneAddress: Int { waiting.values.map(\.count).max() ?? 0 }

    init(_ book: AccountsBook, _ limits: LoginLimits, on loop: any EventLoop) {
        self.book = book
        self.limits = limits
        self.loop = loop
        threads = NIOThreadPool(numberOfThreads: limits.checks)
        threads.start()
    }

    deinit { threads.shutdownGracefully { _ in } }

    /// Has an attempt decided; false when too many wait. `isKnown` when that user was let in from there before; `isWanted` is
    /// asked before the work is done.
    func add(
        _ attempt: LoginAttempt, from key: LoginKey, isKnown: Bool, isWanted: @escaping () -> Bool,
        done: @escaping (AuthorizationDecision) -> Void
    ) -> Bool {
        let lane = Lane(address: key.address, isKnown: isKnown)
        let others = waiting[lane]
        guard turns.count < limits.waiting else {
            refusals.all &+= 1
            return false
        }
        guard others?.count ?? 0 < limits.waitingPerAddress, others?.count(in: key.user) ?? 0 < limits.waitingPerUser
        else {
            refusals.perAddress &+= 1
            return false
        }
        waiting[lane, default: TurnQueue()].append(
            Entry(attempt: attempt, isWanted: isWanted, done: done), to: key.user)
        turns.append((), to: lane)
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
        guard let lane = turns.removeFirst()?.lane, let entry = waiting[lane]?.removeFirst() else { return nil }
        if waiting[lane]?.count == 0 { waiting[lane] = nil }
        return entry.element
    }
}
