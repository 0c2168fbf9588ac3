import Testing

import IODevice

/// The trial of a new program: every way it can go.
@Suite struct ProvingTests {
    private func trial(hasWayBack: Bool = true) -> Proving { Proving(limit: 60_000, hasWayBack: hasWayBack, now: 1000) }

    @Test func aProgramThatIsConnectedAndPassedItsSelfTestIsConfirmedWhicheverCameFirst() {
        for events in [[Proving.Event.connected, .selfTest(passed: true)], [.selfTest(passed: true), .connected]] {
            var proving = trial()
            #expect(proving.handle(events[0], now: 2000) == nil)
            #expect(!proving.isOver)
            #expect(proving.handle(events[1], now: 3000) == .confirm)
            #expect(proving.isOver)
        }
    }

    @Test func neitherOfBothIsEnough() {
        for event in [Proving.Event.connected, .selfTest(passed: true)] {
            var proving = trial()
            #expect(proving.handle(event, now: 2000) == nil)
            #expect(proving.handle(.time, now: 60_999) == nil)
            #expect(proving.handle(.time, now: 61_000) != nil)
        }
    }

    @Test func aFailedSelfTestGivesUpAtOnce() {
        var proving = trial()
        #expect(proving.handle(.connected, now: 2000) == nil)
        #expect(proving.handle(.selfTest(passed: false), now: 2100) == .rollBack(reason: "its self-test failed"))
    }

    @Test func theReasonSaysWhatWasMissingWhenTimeIsUp() {
        var hangs = trial()
        _ = hangs.handle(.connected, now: 2000)
        #expect(hangs.handle(.time, now: 61_000) == .rollBack(reason: "its self-test did not end within 60 s"))
        var mute = trial()
        _ = mute.handle(.selfTest(passed: true), now: 2000)
        #expect(mute.handle(.time, now: 61_000) == .rollBack(reason: "it did not reach its server within 60 s"))
        var flaky = trial()
        _ = flaky.handle(.connected, now: 2000)
        _ = flaky.handle(.disconnected, now: 2100)
        #expect(flaky.handle(.selfTest(passed: true), now: 2200) == nil)
        #expect(
            flaky.handle(.time, now: 61_000)
                == .rollBack(reason: "it lost its server and did not reach it again within 60 s"))
    }

    @Test func aLostConnectionCountsOnlyWhileItIsLost() {
        var proving = trial()
        _ = proving.handle(.connected, now: 2000)
        _ = proving.handle(.disconnected, now: 2100)
        _ = proving.handle(.selfTest(passed: true), now: 2200)
        #expect(proving.handle(.connected, now: 2300) == .confirm)
    }

    @Test func anOperatorCanDecideAtAnyMoment() {
        var confirmed = trial()
        #expect(confirmed.handle(.confirmedByOperator, now: 1001) == .confirm)
        var given = trial()
        #expect(given.handle(.rolledBackByOperator, now: 1001) == .rollBack(reason: "an operator asked for it"))
    }

    @Test func afterADecisionNothingMoreComesOut() {
        var proving = trial()
        _ = proving.handle(.confirmedByOperator, now: 1001)
        for event in [Proving.Event.time, .rolledBackByOperator, .selfTest(passed: false), .connected, .disconnected] {
            #expect(proving.handle(event, now: 100_000) == nil)
        }
    }

    @Test func withoutAWayBackTheDeviceCarriesOnAndSaysSoOnce() {
        var proving = trial(hasWayBack: false)
        #expect(
            proving.handle(.time, now: 61_000) == .carryOn(reason: "its self-test did not end within 60 s"))
        #expect(proving.handle(.time, now: 62_000) == nil)
        _ = proving.handle(.selfTest(passed: true), now: 63_000)
        #expect(proving.handle(.connected, now: 64_000) == .confirm)
    }

    @Test func aWayBackThatTurnsOutToBeNoneIsNotTriedAgain() {
        var proving = trial()
        #expect(proving.handle(.selfTest(passed: false), now: 2000) != nil)
        proving.cannotGoBack()
        #expect(proving.handle(.time, now: 62_000) == nil)
        #expect(proving.handle(.confirmedByOperator, now: 63_000) == .confirm)
    }

    @Test func anOperatorMayAskAgainForAWayBackThatFailed() {
        var proving = trial()
        for _ in 0..<2 {
            #expect(
                proving.handle(.rolledBackByOperator, now: 2000) == .rollBack(reason: "an operator asked for it"))
            proving.cannotGoBack()
            #expect(proving.handle(.time, now: 62_000) == nil)
        }
        var stuck = trial(hasWayBack: false)
        for _ in 0..<2 {
            #expect(stuck.handle(.rolledBackByOperator, now: 2000) == .carryOn(reason: "an operator asked for it"))
        }
    }

    @Test func aConfirmationThatFailedIsTriedAgainOnlyForAnOperator() {
        for event in [Proving.Event.confirmedByOperator, .rolledBackByOperator] {
            var proving = trial()
            _ = proving.handle(.connected, now: 2000)
            #expect(proving.handle(.selfTest(passed: true), now: 2000) == .confirm)
            proving.cannotConfirm()
            for event in [Proving.Event.time, .connected, .selfTest(passed: true)] {
                #expect(proving.handle(event, now: 62_000) == nil)
            }
            #expect(proving.handle(event, now: 63_000) != nil)
        }
    }
}
