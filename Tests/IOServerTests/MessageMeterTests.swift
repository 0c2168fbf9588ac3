import Testing

@testable import IONode

@Suite struct MessageMeterTests {
    @Test func aSecondHasRoomForSoManyMessages() {
        var meter = MessageMeter(limit: 100)
        let wait = [meter.add(60, now: 5_000), meter.add(39, now: 5_400), meter.add(1, now: 5_700)]
        #expect(wait == [0, 0, 300])
        #expect(meter.room(now: 5_999) == 0 && meter.count(now: 5_999) == 100)
        #expect(meter.room(now: 6_000) == 100)
    }

    @Test func whatOneSecondHadDoesNotCountInTheNext() {
        var meter = MessageMeter(limit: 10)
        let wait = [meter.add(9, now: 0), meter.add(9, now: 1_000), meter.add(1, now: 1_999)]
        #expect(wait == [0, 0, 1])
        #expect(meter.room(now: 2_000) == 10)
    }
}
