import IOCOM
import Testing

@testable import IOServer
@testable import ServerData

@Suite("Limits of logins") struct LoginGateTests {
    private static let wrong = Refusal(reason: .wrongPassword, network: "cafenet", name: "root", passwordHash: "")
    private static let unknown = Refusal(reason: .newDevice, network: "cafenet", name: "x", passwordHash: "")
    private static let key = LoginKey(address: "10.0.0.1", user: "root.cafenet")

    @Test func theWaitDoublesUpToItsLimitAndEndsWithSuccess() {
        var gate = LoginGate(LoginLimits())
        var now: Milliseconds = 0
        for _ in 0..<4 { gate.failed(Self.key, Self.wrong, now: now) }
        #expect(gate.verdict(Self.key, now: now) == .check)
        for wait in [1, 2, 4, 8, 16, 32, 60, 60] as [Milliseconds] {
            gate.failed(Self.key, Self.wrong, now: now)
            #expect(gate.verdict(Self.key, now: now) == .wait(wait * 1000, Self.wrong))
            now += wait * 1000
            #expect(gate.verdict(Self.key, now: now) == .check)
        }
        gate.succeeded(Self.key)
        gate.failed(Self.key, Self.wrong, now: now)
        #expect(gate.verdict(Self.key, now: now) == .check)
    }

    @Test func guessingUnderManyNamesStopsTheAddressOnly() {
        let limits = LoginLimits()
        var gate = LoginGate(limits)
        for i in 0..<limits.addressFailures {
            gate.failed(LoginKey(address: "10.0.0.1", user: "root\(i)"), Self.wrong, now: 0)
        }
        #expect(gate.verdict(LoginKey(address: "10.0.0.1", user: "fresh"), now: 0) != .check)
        #expect(gate.verdict(LoginKey(address: "10.0.0.2", user: "fresh"), now: 0) == .check)
        #expect(gate.verdict(LoginKey(address: "10.0.0.1", user: "fresh"), now: limits.addressRecovery) == .check)
    }

    @Test func whoWasLetInBeforeDoesNotWaitForOthersAtTheAddressButForItsOwnFailures() {
        let limits = LoginLimits()
        var gate = LoginGate(limits)
        gate.succeeded(Self.key)
        for i in 0..<limits.addressFailures {
            gate.failed(LoginKey(address: "10.0.0.1", user: "candy\(i)"), Self.wrong, now: 0)
        }
        #expect(gate.verdict(LoginKey(address: "10.0.0.1", user: "fresh"), now: 0) != .check)
        #expect(gate.verdict(Self.key, now: 0) == .check)
        for _ in 0..<limits.freeFailures { gate.failed(Self.key, Self.wrong, now: 0) }
        #expect(gate.verdict(Self.key, now: 0) == .wait(limits.shortestWait, Self.wrong))
    }

    @Test func allAddressesOfAnIPv6NetworkAreOneAndThoseOfIPv4Several() {
        func key(_ peer: String) -> LoginKey { LoginKey(peer: peer, user: "root.cafenet") }
        #expect(key("2001:db8:1:2::1") == key("2001:db8:1:2:ffff::77"))
        #expect(key("2001:db8:1:2::1") != key("2001:db8:1:3::1"))
        #expect(key("::ffff:10.0.0.1") != key("::ffff:10.0.0.2"))
        #expect(key("10.0.0.1") == Self.key)
        #expect(key("unknown").address == "unknown")
    }

    @Test func namesThatNobodyHasDoNotStopAnAddress() {
        var gate = LoginGate(LoginLimits())
        for i in 0..<1000 { gate.failed(LoginKey(address: "10.0.0.1", user: "x\(i)"), Self.unknown, now: 0) }
        #expect(gate.verdict(Self.key, now: 0) == .check)
    }

    @Test func itsMemoryIsBounded() {
        var limits = LoginLimits()
        limits.remembered = 100
        limits.rememberedSuccesses = 50
        var gate = LoginGate(limits)
        for i in 0..<5000 {
            gate.failed(
                LoginKey(address: "10.0.\(i % 250).\(i / 250)", user: "root\(i)"), Self.wrong, now: Milliseconds(i))
        }
        for i in 0..<5000 { gate.succeeded(LoginKey(address: "10.0.0.1", user: "candy\(i)")) }
        #expect(gate.count <= 250)
    }
}
