import IOCOM
import IOCOMTestSupport
import Testing

@Suite struct TimingTests {
    private func couple(_ layout: FrameLayout = .socket) throws -> Couple {
        let couple = Couple(
            client: End(.device(frame: 1392, layout: layout)), listener: End(.server(layout: layout)))
        try couple.settle()
        return couple
    }

    @Test(arguments: [(FrameLayout.socket, 10_000, 20_000), (.serial, 150, 250)] as [(FrameLayout, Int64, Int64)])
    func `A keep-alive leaves after silence of this end, and silence of the peer ends the connection`(
        _ layout: FrameLayout, _ keepAlive: Milliseconds, _ silence: Milliseconds
    ) throws {
        let couple = try couple(layout)
        let client = couple.client
        #expect(try !client.tick(now: keepAlive - 1))
        #expect(client.produce(now: keepAlive - 1).isEmpty)
        #expect(try client.tick(now: keepAlive))
        #expect(client.produce(now: keepAlive).first == 0xFF)
        #expect(client.produce(now: keepAlive).isEmpty)
        #expect(try !client.tick(now: keepAlive + 1))
        _ = try client.tick(now: silence - 1)
        #expect(throws: ProtocolViolation.silence) { _ = try client.tick(now: silence) }
    }

    @Test func `Any received byte restarts the silence limit`() throws {
        let couple = try couple()
        couple.now = 15_000
        try couple.listener.receive(couple.client.produce(now: 15_000), now: 15_000)
        _ = try couple.listener.tick(now: 34_999)
        #expect(throws: ProtocolViolation.silence) { _ = try couple.listener.tick(now: 35_000) }
    }

    @Test func `Keep-alives hold two idle ends together for a day`() throws {
        let couple = try couple()
        while couple.now < 86_400_000 {
            couple.now += 1000
            _ = try couple.client.tick(now: couple.now)
            _ = try couple.listener.tick(now: couple.now)
            try couple.settle()
        }
    }

    @Test(arguments: [true, false])
    func `A handshake that does not come in ten seconds ends the connection`(_ isSecure: Bool) throws {
        let listener = End(.server(secure: isSecure))
        _ = listener.produce()
        try listener.receive([0x53, 8, 0x61], now: 9_000)
        _ = try listener.tick(now: 9_999)
        #expect(throws: ProtocolViolation.handshakeTimeout) { _ = try listener.tick(now: 10_000) }
        let client = End(.device(secure: true))
        #expect(throws: ProtocolViolation.handshakeTimeout) { _ = try client.tick(now: 10_000) }
    }

    @Test func `A peer that only acknowledges and never authenticates is dropped`() throws {
        let listener = End(.server())
        try listener.receive(hex("13"), now: 0)
        for second in 1..<10 { try listener.receive(hex("FF 00 00 00"), now: Int64(second) * 1000) }
        #expect(throws: ProtocolViolation.authenticationTimeout) { _ = try listener.tick(now: 10_000) }
    }

    @Test func `An owner that takes long to decide does not make the peer silent`() throws {
        var peer = RawPeer()
        let listener = End(.server())
        listener.accepts = false
        try listener.receive(hex("13") + peer.authentication(.connectUp))
        for second in 0..<60 {
            _ = try listener.tick(now: Int64(second) * 1000)
            let bytes = listener.produce(now: Int64(second) * 1000)
            #expect(second == 0 || bytes.isEmpty || bytes.count == 4, "keep-alives only")
        }
        listener.start()
        #expect(listener.isRunning)
    }

    @Test func `A keep-alive leaves although the window is full, frames do not`() throws {
        var peer = RawPeer()
        let block = MemoryBlock(.gina("exp"), .up, size: 100_000)
        block.write(Array(repeating: 1, count: 100_000), at: 0)
        block.publish()
        let server = End(.server(), blocks: [block])
        try server.receive(hex("13") + peer.authentication(frameSize: 464))
        var total = server.produce().count
        try server.receive(peer.info(9, "exp", size: 100_000, .up))
        total += server.produce().count
        #expect(total <= 44 * 464 && total > 44 * 464 - 464)
        #expect(server.produce(now: 9_999).isEmpty)
        #expect(server.produce(now: 10_000).count == 4)
        try server.receive(peer.acknowledge(total))
        #expect(server.produce(now: 10_001).count > 19_000)
    }
}
