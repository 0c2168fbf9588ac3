@testable import IOCOM
import IOCOMTestSupport
import Testing

private func acknowledge(_ flow: inout FlowControl) -> [UInt8] {
    var copy = flow
    let bytes = encoded(8) { copy.writeAcknowledge(into: $0) }
    flow = copy
    return bytes
}

@Suite struct FlowControlTests {
    @Test func `The first acknowledge is due at once and counts zero`() {
        var flow = FlowControl(layout: .socket, own: 1392)
        #expect(flow.mustAcknowledge)
        #expect(acknowledge(&flow) == hex("FF 00 00 00"))
        #expect(!flow.mustAcknowledge)
        #expect(flow.inAir == 4)
        var serial = FlowControl(layout: .serial, own: 96)
        #expect(serial.mustAcknowledge)
        #expect(acknowledge(&serial) == hex("FF 00 00"))
        #expect(serial.inAir == 3)
    }

    @Test func `Acknowledges have the captured bytes`() {
        var flow = FlowControl(layout: .socket, own: 1392)
        var total = 0
        for (count, bytes) in [(4, "FF 04 00 00"), (122, "FF 7A 00 00"), (3165, "FF 5D 0C 00")] {
            flow.didReceive(count - total)
            total = count
            #expect(acknowledge(&flow) == hex(bytes))
        }
        var serial = FlowControl(layout: .serial, own: 96)
        serial.didReceive(85)
        #expect(acknowledge(&serial) == hex("FF 55 00"))
    }

    @Test(arguments: [(FrameLayout.socket, 500), (.serial, 40)])
    func `An acknowledge is due from the threshold on`(_ layout: FrameLayout, _ threshold: Int) {
        var flow = FlowControl(layout: layout, own: 1392)
        _ = acknowledge(&flow)
        for _ in 0..<3 {
            flow.didReceive(threshold - 1)
            #expect(!flow.mustAcknowledge)
            flow.didReceive(1)
            #expect(flow.mustAcknowledge)
            _ = acknowledge(&flow)
            #expect(!flow.mustAcknowledge)
        }
    }

    @Test func `The window is 44 frames on sockets and 200 bytes on serial lines`() throws {
        var flow = FlowControl(layout: .socket, own: 16384)
        #expect(flow.room == 61248)
        flow.peerReceives(frameSize: 464, own: 16384)
        #expect(flow.room == 20416)
        flow.didSend(20416 - 1)
        #expect(flow.room == 1)
        flow.didSend(1)
        #expect(flow.room == 0 && flow.hasAcknowledgeRoom)
        flow.didSend(516)
        #expect(flow.hasAcknowledgeRoom)
        flow.didSend(1)
        #expect(flow.room == 0 && !flow.hasAcknowledgeRoom)
        try flow.peerAcknowledged(20000)
        #expect(flow.room == 20000 - 517)
        var serial = FlowControl(layout: .serial, own: 96)
        #expect(serial.room == 200)
        serial.didSend(252)
        #expect(serial.room == 0 && serial.hasAcknowledgeRoom)
        serial.didSend(1)
        #expect(!serial.hasAcknowledgeRoom)
    }

    @Test(arguments: [(0, 1392), (95, 1392), (96, 96), (464, 464), (1392, 1392), (16384, 16384), (16385, 1392)])
    func `An announced size in 96 to 16384 becomes the limit, others are ignored`(_ announced: Int, _ limit: Int) {
        var flow = FlowControl(layout: .socket, own: 16384)
        flow.peerReceives(frameSize: UInt32(announced), own: 16384)
        #expect(flow.frameLimit == limit)
    }

    @Test func `This end's own limit holds before and after the peer announced a larger one`() {
        var flow = FlowControl(layout: .socket, own: 464)
        #expect(flow.frameLimit == 464)
        flow.peerReceives(frameSize: 0, own: 464)
        #expect(flow.frameLimit == 464)
        flow.peerReceives(frameSize: 1392, own: 464)
        #expect(flow.frameLimit == 464)
    }

    @Test(arguments: [(FrameLayout.socket, 1 << 24), (.serial, 1 << 16)])
    func `Counters wrap without a jump of what is in the air`(_ layout: FrameLayout, _ modulus: Int) throws {
        var flow = FlowControl(layout: layout, own: 1392)
        let step = layout == .socket ? 40_000 : 150
        var sent = 0
        var received = 0
        while sent < 2 * modulus {
            flow.didSend(step)
            sent += step
            #expect(flow.inAir == step)
            try flow.peerAcknowledged(UInt32(sent % modulus))
            #expect(flow.inAir == 0)
            flow.didReceive(step)
            received += step
            let bytes = acknowledge(&flow)
            sent += bytes.count
            let counter = UInt32(received % modulus)
            let expected = (0..<(bytes.count - 1)).map { UInt8(truncatingIfNeeded: counter >> UInt32(8 * $0)) }
            #expect(Array(bytes.dropFirst()) == expected)
            try flow.peerAcknowledged(UInt32(sent % modulus))
        }
    }

    @Test func `More acknowledged than sent, or less than before, is a violation`() throws {
        var flow = FlowControl(layout: .socket, own: 1392)
        flow.didSend(1000)
        try flow.peerAcknowledged(1000)
        try flow.peerAcknowledged(1000)
        for counter in [UInt32(1001), 999, 0, 0xFF_FFFF] {
            #expect(throws: ProtocolViolation.acknowledgedTooMuch) {
                var copy = flow
                try copy.peerAcknowledged(counter)
            }
        }
    }
}
