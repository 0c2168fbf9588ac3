import Glibc
import Synchronization
import Testing

@testable import LinuxUpdates

struct UpdateGateTests {
    /// Who asks on a thread of their own, and what they got.
    private final class Asker: Sendable {
        private let hasStarted = Mutex(false)
        private let answer = Mutex<Int??>(.none)

        init(_ gate: UpdateGate) {
            WorkThread.start { [self] in
                hasStarted.withLock { $0 = true }
                let got = gate.pass { 7 }
                answer.withLock { $0 = .some(got) }
            }
            while !hasStarted.withLock({ $0 }) { sched_yield() }
        }

        /// What was got within ten seconds; nil when there is no answer yet.
        func answered() -> Int?? {
            for _ in 0..<10_000 {
                if let answer = answer.withLock({ $0 }) { return .some(answer) }
                usleep(1_000)
            }
            return .none
        }

        var hasAnswer: Bool { answer.withLock { $0 != .none } }
    }

    @Test func `Who came before a long work began is turned away when it begins`() {
        let gate = UpdateGate()
        let asker: Asker? = gate.passForLong { work in
            let asker = Asker(gate)
            // Nothing tells that it waits by now; if it does not yet, this test says less, and never something wrong.
            usleep(20_000)
            #expect(!asker.hasAnswer)
            work.begin()
            #expect(asker.answered() == .some(nil))
            return asker
        }
        #expect(asker != nil)
        #expect(gate.pass { 1 } == 1)
    }

    @Test func `Who comes after a long work waits for what is left`() {
        let gate = UpdateGate()
        let asker: Asker? = gate.passForLong { work in
            work.begin()
            #expect(gate.pass { 1 } == nil)
            #expect(gate.passForLong { _ in 1 } == nil)
            work.end()
            let asker = Asker(gate)
            usleep(20_000)
            #expect(!asker.hasAnswer)
            return asker
        }
        #expect(asker?.answered() == .some(7))
    }

    @Test func `An end waits for who is inside, and lets nobody in`() {
        let gate = UpdateGate()
        let hasEnded = Mutex(false)
        gate.passForLong { work in
            work.begin()
            WorkThread.start {
                gate.end()
                hasEnded.withLock { $0 = true }
            }
            usleep(20_000)
            #expect(!hasEnded.withLock { $0 })
            #expect(!gate.hasEnded)
        }
        for _ in 0..<10_000 where !hasEnded.withLock({ $0 }) { usleep(1_000) }
        #expect(hasEnded.withLock { $0 })
        #expect(gate.hasEnded)
        #expect(gate.pass { 1 } == nil)
        gate.end()
    }
}
