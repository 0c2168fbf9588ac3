public import IOCOM
import ServerData

/// What logins may cost a server and how fast passwords can be tried.
public struct LoginLimits: Sendable, Equatable {
    /// Failures of one user from one address before it has to wait.
    public var freeFailures = 5
    /// First wait in ms; doubled with each further failure.
    public var shortestWait: Milliseconds = 1_000
    /// Longest wait, ms.
    public var longestWait: Milliseconds = 60_000
    /// Wrong passwords from one address, whatever the user, before the whole address has to wait: enough for the devices
    /// behind one router.
    public var addressFailures = 40
    /// Time in which an address gets one of those back, ms.
    public var addressRecovery: Milliseconds = 1_500
    /// Failures are forgotten after this time without another, ms.
    public var memory: Milliseconds = 600_000
    /// Users and addresses whose failures are remembered at once.
    public var remembered = 10_000
    /// Checks of passwords at the same time; each may take 65 ms of a core and 16 MiB.
    public var checks: Int
    /// Logins that wait for such a check.
    public var waiting = 2_048
    /// Those from one address among them.
    public var waitingPerAddress = 512
    /// Those of one user from one address among these: automatically numbered devices share a name.
    public var waitingPerUser = 256
    /// Users whose success from an address is remembered at once.
    public var rememberedSuccesses = 20_000

    /// The usual limits, with `checks` password checks at a time.
    public init(checks: Int = 1) { self.checks = max(1, checks) }
}

/// Who tries to log in, for counting.
struct LoginKey: Hashable, Sendable {
    var address: String
    var user: String
}

extension LoginKey {
    /// Who comes from the address `peer`. Of IPv6 the network counts: whoever has a /64 has all of its addresses.
    init(peer: String, user: String) {
        self.user = user
        address = peer
        guard let bytes = IPAddress(peer: peer)?.bytes, bytes.count == 16,
            let network = IPAddress(bytes: Array(bytes[..<8]) + [UInt8](repeating: 0, count: 8))
        else { return }
        address = "\(network)/64"
    }
}

/// Slows down who tries passwords. Pure: time comes in, verdicts come out.
struct LoginGate {
    private struct Failures {
        var count = 0
        var last: Milliseconds = 0
        var waitsUntil: Milliseconds = 0
        var refusal: Refusal?
    }
    private struct Allowance {
        var spent = 0
        var since: Milliseconds = 0
    }

    enum Verdict: Equatable {
        /// The password may be checked.
        case check
        /// Not before a time that is so far away, ms; what was found the last time, if this very user failed.
        case wait(Milliseconds, Refusal?)
    }

    private let limits: LoginLimits
    private var failures: [LoginKey: Failures] = [:]
    private var addresses: [String: Allowance] = [:]
    /// Who was let in from where: does not wait for what others at the same address do.
    private var successes: Set<LoginKey> = []

    init(_ limits: LoginLimits) { self.limits = limits }

    /// Number of users and addresses remembered.
    var count: Int { failures.count + addresses.count + successes.count }

    /// True for a user who was let in from there before.
    func knows(_ key: LoginKey) -> Bool { successes.contains(key) }

    func verdict(_ key: LoginKey, now: Milliseconds) -> Verdict {
        if let entry = failures[key], entry.waitsUntil > now { return .wait(entry.waitsUntil - now, entry.refusal) }
        // Its own failures count all the same, so this gives nobody a guess more.
        guard !successes.contains(key) else { return .check }
        let spent = spent(key.address, now)
        guard spent >= limits.addressFailures else { return .check }
        return .wait(limits.addressRecovery, failures[key]?.refusal)
    }

    /// The login failed for that reason.
    mutating func failed(_ key: LoginKey, _ refusal: Refusal?, now: Milliseconds) {
        makeRoom(now)
        var entry = failures[key] ?? Failures()
        entry.count += 1
        entry.last = now
        entry.refusal = refusal
        let excess = entry.count - limits.freeFailures
        if excess >= 0 {
            let wait = min(limits.longestWait, limits.shortestWait << Milliseconds(min(excess, 20)))
            entry.waitsUntil = now + wait
        }
        failures[key] = entry
        // A name that nobody has costs nothing to refuse and tells nothing about a password.
        guard let refusal, refusal.reason != .newDevice else { return }
        addresses[key.address] = Allowance(spent: spent(key.address, now) + 1, since: now)
    }

    mutating func succeeded(_ key: LoginKey) {
        failures[key] = nil
        if successes.count >= limits.rememberedSuccesses { successes.removeAll() }
        successes.insert(key)
    }

    /// The accounts changed: what was wrong may be right now.
    mutating func forgetFailures() { failures.removeAll() }

    private func spent(_ address: String, _ now: Milliseconds) -> Int {
        guard let allowance = addresses[address] else { return 0 }
        return max(0, allowance.spent - Int((now - allowance.since) / limits.addressRecovery))
    }

    /// Bounds the memory: old entries go first, then those with the fewest failures.
    private mutating func makeRoom(_ now: Milliseconds) {
        if failures.count >= limits.remembered {
            failures = failures.filter { now - $0.value.last < limits.memory }
            if failures.count >= limits.remembered {
                failures = failures.filter { $0.value.count > limits.freeFailures && $0.value.waitsUntil > now }
            }
            if failures.count >= limits.remembered { failures.removeAll() }
        }
        if addresses.count >= limits.remembered {
            addresses = addresses.filter { spent($0.key, now) > 0 }
            if addresses.count >= limits.remembered { addresses.removeAll() }
        }
    }
}
