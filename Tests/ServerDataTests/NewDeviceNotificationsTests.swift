import Access
import IOCOM
import Testing

@testable import ServerData

@Suite struct NewDeviceNotificationsTests {
    private func refusal(_ name: String, _ reason: Refusal.Reason = .newDevice) -> Refusal {
        Refusal(reason: reason, network: "cafenet", name: name, passwordHash: OriginalHash.of("pass"))
    }

    @Test func aRowHoldsWhatOperatorsNeedAndCountsRepeats() {
        var rows = NewDeviceNotifications()
        let first = rows.record(refusal("gina1"), peer: "10.0.0.5:1234", now: 0)
        #expect(first.number == 1)
        #expect(
            first.row
                == .init(
                    text: "NEW DEVICE", name: "gina1", password: "!WdjEE1b87DwXX81xJEtDpbQ_Y_ecFo6lPzSonKFoSz8",
                    privileges: "", ip: "10.0.0.5:1234", count: 1))
        let second = rows.record(refusal("gina1", .wrongPassword), peer: "10.0.0.6", now: 500)
        #expect(second.number == 1 && second.row?.count == 2 && second.row?.text == "WRONG PASSWORD")
        #expect(second.row?.ip == "10.0.0.6")
    }

    @Test func rowsAreTakenInOrderAndTheLastIsReplacedWhenAllAreFull() {
        var rows = NewDeviceNotifications()
        let numbers = ["a", "b", "c", "d", "a"].map { rows.record(refusal($0), peer: "", now: 0).number }
        #expect(numbers == [1, 2, 3, 3, 1])
        #expect(rows.rows.map { $0?.name } == ["a", "b", "d"])
        #expect(rows.rows.map { $0?.count } == [2, 1, 1])
    }

    @Test func aRowIsClearedEightSecondsAfterItsLastRefresh() {
        var rows = NewDeviceNotifications()
        _ = rows.record(refusal("a"), peer: "", now: 1000)
        _ = rows.record(refusal("b"), peer: "", now: 1000)
        _ = rows.record(refusal("a"), peer: "", now: 5000)
        #expect(rows.tick(now: 8999).isEmpty)
        #expect(rows.tick(now: 9000) == [.init(number: 2, row: nil)])
        #expect(rows.tick(now: 9001).isEmpty)
        #expect(rows.record(refusal("c"), peer: "", now: 9100).number == 2)
        #expect(rows.tick(now: 13000) == [.init(number: 1, row: nil)])
        #expect(rows.record(refusal("a"), peer: "", now: 13000).row?.count == 1)
    }

    @Test func longNamesFindTheirRowAgainAndAreCutToTheSignal() {
        var rows = NewDeviceNotifications()
        let name = "averylongdevicename12345.averylongnetworkname"
        _ = rows.record(refusal(name), peer: String(repeating: "ä", count: 100), now: 0)
        let change = rows.record(refusal(name), peer: String(repeating: "ä", count: 100), now: 1)
        #expect(change.number == 1 && change.row?.count == 2)
        #expect(change.row?.name.utf8.count == 27)
        #expect(change.row?.ip.utf8.count == 62)
        #expect(rows.record(refusal(name + "2"), peer: "", now: 1).number == 2)
    }

    @Test func everyTextFitsItsSignal() {
        for reason in [Refusal.Reason.newDevice, .wrongPassword, .noPassword] {
            #expect(reason.rawValue.utf8.count <= 15)
        }
    }
}
