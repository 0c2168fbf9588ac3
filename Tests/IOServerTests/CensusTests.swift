import Access
import IOCOM
import IOCOMTransport
import ServerData
import Testing

@testable import IOServer

@Suite struct CensusTests {
    private func visitor(_ user: String, _ role: Role?) -> Visitor {
        Visitor(user: user, address: "10.0.0.1", isSecure: role != nil, role: role)
    }

    @Test func anAccountHasSoManyConnections() {
        var limits = ServerLimits()
        limits[.operatorConnectionsPerAccount] = 2
        var census = Census(limits)
        let root = visitor("root.cafenet", .admin)
        var answers = [census.enter(root), census.enter(root), census.enter(root)]
        #expect(
            answers == [
                nil, nil, "root.cafenet has 2 connections, which is the limit operator_connections_per_account",
            ])
        answers = [census.enter(visitor("root.asteroidnet", .admin)), census.enter(visitor("look.cafenet", .viewer))]
        #expect(answers == [nil, nil])
        #expect(census.accepted == 4 && census.refusals[.operatorConnectionsPerAccount] == 1)
        #expect(census.mostOfOneAccount == (0, 2))
        census.leave(root)
        answers = [census.enter(root)]
        #expect(answers == [nil])
    }

    @Test func devicesOfOneNameAreCountedForThemselves() {
        var limits = ServerLimits()
        limits[.deviceConnectionsPerAccount] = 1
        var census = Census(limits)
        let device = visitor("candy.cafenet", .device)
        let answers = [census.enter(device), census.enter(visitor("candy.cafenet", .operator)), census.enter(device)]
        #expect(answers[0] == nil && answers[1] == nil)
        #expect(answers[2]?.hasSuffix("device_connections_per_account") == true)
        #expect(census.kinds[.device] == 1 && census.kinds[.operator] == 1)
        census.leave(device)
        #expect(census.kinds[.device] == 0 && census.mostOfOneAccount == (0, 1))
    }

    @Test func plainConnectionsHaveNoAccount() {
        var limits = ServerLimits()
        limits[.deviceConnectionsPerAccount] = 1
        var census = Census(limits)
        let answers = (0..<3).map { _ in census.enter(visitor("candy.cafenet", nil)) }
        #expect(answers == [nil, nil, nil])
        #expect(census.kinds[.plain] == 3)
    }

    @Test func manyRefusedConnectionsAreALineNowAndThen() {
        var report = RefusalReport()
        let limits = ServerLimits()
        let last = (limit: ConnectionGate.Limit.pending, address: "10.0.0.9")
        let lines = [
            report.next([:], last: nil, limits, now: 0), report.next([.pending: 1], last: last, limits, now: 500),
            report.next([.pending: 900], last: last, limits, now: 1_000),
            report.next([.pending: 901], last: last, limits, now: 500 + RefusalReport.pause),
            report.next([.pending: 901], last: last, limits, now: 90_000),
        ]
        #expect(lines[0] == nil && lines[2] == nil && lines[4] == nil)
        #expect(
            lines[1] == "1 connection was not taken, the last from 10.0.0.9: limit pending_connections is 4096")
        #expect(lines[3]?.hasPrefix("900 connections were not taken") == true)
    }
}
