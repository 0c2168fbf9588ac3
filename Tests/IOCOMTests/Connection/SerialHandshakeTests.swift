import IOCOMTestSupport
import Testing

@testable import IOCOM

/// A handshake and what it gives out for what it is given.
private final class LineEnd {
    private(set) var handshake: SerialHandshake

    init(_ side: ConnectionSettings.Side, now: Milliseconds = 0) { handshake = SerialHandshake(side, now: now) }

    var isConnected: Bool { handshake.isConnected }

    /// What it has to send; nil for nothing.
    func said() -> UInt8? { handshake.takeOutput() }

    func tick(now: Milliseconds) -> Bool { handshake.tick(now: now) }

    /// Gives bytes at once; how many it read.
    func take(_ bytes: [UInt8], now: Milliseconds = 0) -> Int {
        var at = 0
        handshake.receive(bytes.span.bytes, at: &at, now: now)
        return at
    }

    /// Gives `bytes` at once; nil when nothing is to be sent.
    func hear(_ bytes: String, now: Milliseconds = 0) -> UInt8? {
        _ = take(hex(bytes), now: now)
        return said()
    }
}

@Suite struct SerialHandshakeTests {
    @Test func `Both ends meet with the captured bytes`() {
        let listener = LineEnd(.listener)
        let client = LineEnd(.client)
        #expect(listener.said() == 0xF9)
        #expect(client.said() == 0xFD)
        #expect(client.hear("F9") == nil)
        #expect(listener.hear("FD") == 0xFC)
        #expect(client.hear("FC") == 0xFB)
        #expect(!client.isConnected)
        #expect(listener.hear("FB") == 0xFA)
        #expect(listener.isConnected)
        #expect(client.hear("FA") == nil)
        #expect(client.isConnected)
    }

    @Test func `A client repeats CONNECT every 300 ms, to the millisecond, for ever`() {
        let client = LineEnd(.client, now: 1_000)
        #expect(client.said() == 0xFD)
        #expect(client.said() == nil)
        var now: Milliseconds = 1_000
        for _ in 0..<1_000 {
            #expect(client.handshake.deadline == now + 300)
            #expect(!client.tick(now: now + 299))
            #expect(client.tick(now: now + 300))
            now += 300
            #expect(client.said() == 0xFD)
        }
    }

    @Test func `A client whose CONFIRM is not answered in 300 ms starts over`() {
        let client = LineEnd(.client)
        _ = client.said()
        #expect(client.hear("FC", now: 250) == 0xFB)
        #expect(!client.tick(now: 549))
        #expect(client.tick(now: 550))
        #expect(client.said() == 0xFD)
        #expect(client.hear("FA", now: 560) == nil)
        #expect(!client.isConnected, "an answer to what was given up")
    }

    @Test func `An answer that comes when the time is over starts nothing`() {
        let client = LineEnd(.client)
        _ = client.said()
        #expect(client.hear("FC", now: 250) == 0xFB)
        #expect(client.hear("FA", now: 550) == 0xFD)
        #expect(!client.isConnected)
    }

    @Test func `A listener says DISCONNECT once and has no time limit`() {
        let listener = LineEnd(.listener)
        #expect(listener.said() == 0xF9)
        #expect(listener.handshake.deadline == nil)
        #expect(!listener.tick(now: 1 << 40))
        #expect(listener.hear("FD", now: 1 << 40) == 0xFC)
    }

    @Test func `Only the last of up to 31 bytes that came at once counts`() {
        let noise = Array(repeating: "00", count: 30).joined(separator: " ")
        for (bytes, answer) in [
            ("\(noise) FD", 0xFC), ("FD 00", nil), ("\(noise) 00 FD", nil), ("\(noise) 00 FD FD", 0xFC),
            ("F9 FD", 0xFC), ("FD FD", 0xFC),
        ] as [(String, UInt8?)] {
            let listener = LineEnd(.listener)
            _ = listener.said()
            #expect(listener.hear(bytes) == answer, "\(bytes)")
        }
        for (bytes, answer) in [
            ("\(noise) FC", 0xFB), ("FC 00", nil), ("\(noise) 00 FC", nil), ("F9 FC", 0xFB),
        ] as [(String, UInt8?)] {
            let client = LineEnd(.client)
            _ = client.said()
            #expect(client.hear(bytes) == answer, "\(bytes)")
        }
    }

    @Test func `A listener takes CONFIRM only alone, and after anything else waits for CONNECT`() {
        for bytes in ["00 FB", "FB FB", "FB FF", "FD", "FC", "00"] {
            let listener = LineEnd(.listener)
            _ = listener.hear("FD")
            #expect(listener.hear(bytes) == nil, "\(bytes)")
            #expect(listener.hear("FB") == nil, "\(bytes)")
            #expect(!listener.isConnected)
            #expect(listener.hear("FD") == 0xFC)
            #expect(listener.hear("FB") == 0xFA)
        }
    }

    @Test func `A client that confirmed ignores everything but CONFIRM_REPLY, and frames may follow it at once`() {
        let client = LineEnd(.client)
        _ = client.hear("FC")
        #expect(client.hear("F9 00 FC 55") == nil)
        #expect(!client.isConnected)
        #expect(client.take(hex("00 FA FF 00 00")) == 2)
        #expect(client.isConnected)
    }

    @Test func `Noise of any length and kind never traps and never hides a later handshake`() {
        var random = Seeded(14)
        for _ in 0..<5_000 {
            let listener = LineEnd(.listener)
            let client = LineEnd(.client)
            var now: Milliseconds = 0
            for _ in 0..<random.below(20) {
                now += Int64(random.below(200))
                let noise = random.bytes(1 + random.below(80)).map { random.oneIn(4) ? 0xF9 + $0 % 5 : $0 }
                let count = listener.take(noise, now: now)
                #expect(listener.isConnected || count == noise.count)
                _ = client.take(noise, now: now)
            }
            guard !listener.isConnected else { continue }
            _ = listener.hear("00 00")
            #expect(listener.hear("FD") == 0xFC)
            #expect(listener.hear("FB") == 0xFA)
        }
    }
}

@Suite struct SerialConnectionTests {
    private func couple() -> Couple {
        let exp = MemoryBlock(.gina("exp"), .up, size: 32)
        let imp = MemoryBlock(.gina("imp"), .down, size: 24)
        let device = End(.device(frame: 96, layout: .serial), blocks: [exp, imp])
        let server = End(.server(layout: .serial))
        server.createsBlocks = true
        return Couple(client: device, listener: server)
    }

    @Test(arguments: [1, 2, 7, 1_000])
    func `Both ends meet whatever the pieces, and data flows both ways`(_ piece: Int) throws {
        let couple = couple()
        try couple.settle { piece }
        #expect(couple.client.isRunning && couple.listener.isRunning)
        couple.client.block("exp")?.setByte(7, at: 3)
        couple.client.block("exp")?.publish()
        couple.listener.block("imp")?.setByte(9, at: 5)
        couple.listener.block("imp")?.publish()
        try couple.settle { piece }
        #expect(couple.listener.block("exp")?.byte(at: 3) == 7)
        #expect(couple.client.block("imp")?.byte(at: 5) == 9)
    }

    @Test func `Deadlines follow the timing of a serial line to the millisecond`() throws {
        let couple = couple()
        #expect(couple.client.machine.deadline == 300)
        #expect(couple.listener.machine.deadline == .max)
        couple.now = 40
        try couple.settle()
        #expect(couple.client.machine.deadline == 190)
        #expect(try !couple.client.tick(now: 189))
        #expect(try couple.client.tick(now: 190))
        #expect(couple.client.produce(now: 190).count == 3)
        #expect(couple.client.machine.deadline == 290, "the peer's silence ends first")
        #expect(throws: ProtocolViolation.silence) { _ = try couple.client.tick(now: 290) }
    }

    @Test func `A control byte in the middle of frames ends the connection, and both start over`() throws {
        let couple = couple()
        try couple.settle()
        for byte in [UInt8(0xF9), 0xFA, 0xFB, 0xFC, 0xFD] {
            let expected = #expect(throws: ProtocolViolation.self) { try couple.client.receive([byte]) }
            guard case .frameNumber? = expected else { throw try #require(expected) }
            couple.client.machine.restart(holdingBlocks: false, now: couple.now)
            #expect(couple.client.produce(now: couple.now) == hex("FD"))
            #expect(throws: ProtocolViolation.self) { try couple.listener.receive(hex("FD"), now: couple.now) }
            couple.listener.machine.restart(holdingBlocks: false, now: couple.now)
            #expect(couple.listener.produce(now: couple.now) == hex("F9"))
            try couple.client.receive(hex("F9"), now: couple.now)
            couple.now += 300
            #expect(try couple.client.tick(now: couple.now))
            try couple.settle()
            #expect(couple.client.isRunning && couple.listener.isRunning)
        }
    }

    @Test func `Held blocks stay fed, and what was lost on the line comes with their key frames`() throws {
        let couple = couple()
        try couple.settle()
        let exp = try #require(couple.client.block("exp"))
        let imp = try #require(couple.client.block("imp"))
        let seen = try #require(couple.listener.block("exp"))
        let written = try #require(couple.listener.block("imp"))
        exp.setByte(1, at: 0)
        exp.publish()
        written.setByte(2, at: 1)
        written.publish()
        _ = couple.client.produce()  // Lost on the way.
        _ = couple.listener.produce()
        #expect(exp.isDrained)
        couple.client.machine.restart(holdingBlocks: true, now: 0)
        couple.listener.machine.restart(holdingBlocks: true, now: 0)
        #expect(imp.isFed && seen.isFed)
        #expect(!exp.isDrained && !written.isDrained)
        exp.setByte(3, at: 2)
        exp.publish()
        #expect(couple.client.produce() == hex("FD"), "no data before the peer told of its blocks again")
        try couple.listener.receive(hex("FD"))
        try couple.settle()
        #expect(couple.listener.isRunning)
        #expect(couple.listener.peer?.flags == [.connectUp, .continues])
        #expect(seen.byte(at: 0) == 1 && seen.byte(at: 2) == 3)
        #expect(imp.byte(at: 1) == 2)
        #expect(exp.isDrained && written.isDrained)
        let holds = couple.client.machine.hasHeldBlocks() || couple.listener.machine.hasHeldBlocks()
        #expect(!holds)
    }

    @Test func `Held blocks that the peer does not tell of again are let go`() throws {
        let couple = couple()
        try couple.settle()
        let imp = try #require(couple.client.block("imp"))
        couple.client.machine.restart(holdingBlocks: true, now: 0)
        couple.listener.machine.restart(holdingBlocks: false, now: 0)
        couple.listener.createsBlocks = false
        couple.listener.answers = { $0.path.block == "exp" }
        try couple.settle()
        #expect(couple.client.isRunning)
        let holds = couple.client.machine.hasHeldBlocks()
        #expect(holds)
        #expect(imp.isFed)
        couple.client.machine.releaseHeldBlocks()
        #expect(!imp.isFed)
        let exp = try #require(couple.client.block("exp"))
        exp.setByte(1, at: 0)
        exp.publish()
        try couple.settle()
        #expect(couple.listener.block("exp")?.byte(at: 0) == 1)
    }

    @Test func `What was let go goes on in the same memory when the peer tells of it late`() throws {
        let couple = couple()
        try couple.settle()
        let exp = try #require(couple.client.block("exp"))
        let imp = try #require(couple.client.block("imp"))
        let sent = try #require(couple.client.attachment(of: exp))
        let taken = try #require(couple.client.attachment(of: imp))
        let source = try #require(sent.source)
        let target = try #require(taken.target)
        // Three lines that break for longer than blocks are held, and between them attempts that come to nothing.
        for round in 1...3 {
            for _ in 0..<round {
                couple.client.machine.restart(holdingBlocks: true, now: 0)
                couple.client.machine.releaseHeldBlocks()
                #expect(!imp.isFed && exp.isDrained)
                exp.setByte(UInt8(10 + round), at: 2)
                exp.publish()
            }
            couple.listener.machine.restart(holdingBlocks: false, now: 0)
            try couple.settle()
            #expect(couple.client.attachment(of: exp) === sent && sent.source === source)
            #expect(couple.client.attachment(of: imp) === taken && taken.target === target)
            #expect(imp.isFed && exp.isDrained)
            #expect(couple.listener.block("exp")?.byte(at: 2) == UInt8(10 + round))
            let written = try #require(couple.listener.block("imp"))
            written.setByte(UInt8(round), at: 1)
            written.publish()
            try couple.settle()
            #expect(imp.byte(at: 1) == UInt8(round))
        }
    }
}
