import NIOCore
import Testing

@testable import IOCOMTransport

@Suite struct ConnectionGateTests {
    private func gate(all: Int = 100, address: Int = 100, pending: Int = 100, pendingAddress: Int = 100)
        -> ConnectionGate
    {
        ConnectionGate(
            ListenerLimits(
                connections: all, perAddress: address, pending: pending, pendingPerAddress: pendingAddress))
    }

    @Test func noMoreConnectionsThanInAll() {
        let gate = gate(all: 2)
        let first = gate.enter("10.0.0.1")
        #expect(first != nil && gate.enter("10.0.0.2") != nil)
        #expect(gate.enter("10.0.0.3") == nil)
        #expect(gate.refusals[.connections] == 1 && gate.lastRefusal?.address == "10.0.0.3")
        first?.leave()
        first?.leave()
        #expect(gate.connections == 1)
        #expect(gate.enter("10.0.0.3") != nil)
    }

    @Test func noMoreConnectionsThanForOneAddress() {
        let gate = gate(address: 1)
        let first = gate.enter("10.0.0.1")
        #expect(gate.enter("10.0.0.1") == nil && gate.enter("10.0.0.2") != nil)
        #expect(gate.refusals[.perAddress] == 1)
        first?.leave()
        #expect(gate.enter("10.0.0.1") != nil)
        #expect(gate.mostOfOneAddress.connections == 1)
    }

    @Test func whoIsLoggedInMakesRoomForTheNext() {
        let gate = gate(pending: 2, pendingAddress: 1)
        let first = gate.enter("10.0.0.1")
        #expect(gate.enter("10.0.0.1") == nil && gate.refusals[.pendingPerAddress] == 1)
        #expect(gate.enter("10.0.0.2") != nil)
        #expect(gate.enter("10.0.0.3") == nil && gate.refusals[.pending] == 1)
        first?.admit()
        first?.admit()
        #expect(gate.pending == 1 && gate.connections == 2)
        #expect(gate.enter("10.0.0.1") != nil)
        first?.leave()
        #expect(gate.pending == 2 && gate.connections == 2)
    }

    @Test func anAddressIsAllThatBeginAlike() throws {
        func limited(_ text: String) throws -> String? { try SocketAddress(ipAddress: text, port: 1).limitedAddress }
        #expect(try limited("192.0.2.1") == "192.0.2.1")
        #expect(try limited("::ffff:192.0.2.1") == "192.0.2.1")
        #expect(try limited("2001:db8:0:12::1") == "2001:db8:0:12::/64")
        #expect(try limited("2001:db8:0:12:ffff::9") == "2001:db8:0:12::/64")
        #expect(try limited("2001:db8:0:13::1") == "2001:db8:0:13::/64")
        #expect(try limited("::1") == "::1")
    }

    @Test func aPlaceThatWasLeftCountsNowhere() {
        let gate = gate()
        let place = gate.enter("10.0.0.1")
        place?.leave()
        place?.admit()
        #expect(gate.connections == 0 && gate.pending == 0 && gate.mostOfOneAddress == (0, 0))
    }
}
