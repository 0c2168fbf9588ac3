import IOCOM
import IOCOMTestSupport
import Testing

/// Server with two blocks of a device and a hand made peer.
private struct Victim {
    let end: End
    var peer: RawPeer

    init(
        _ flags: Authentication.Flags = .connectUp, layout: FrameLayout = .socket, through: Bool = true,
        frame: Int = 1392
    ) throws {
        peer = RawPeer(layout: layout)
        end = End(
            .server(frame: frame, layout: layout),
            blocks: [
                MemoryBlock(.gina("exp"), [.up, .bidirectional, .dynamic], size: 32),
                MemoryBlock(.gina("imp"), [.down, .bidirectional, .dynamic], size: 24),
            ])
        switch layout {
        case .socket: try end.receive(hex("13"))
        case .serial:
            try end.receive(hex("FD"))
            #expect(end.produce() == hex("FC"))
            try end.receive(hex("FB"))
        }
        guard through else { return }
        try end.receive(peer.authentication(flags))
        _ = end.produce()
        try end.receive(peer.info(8, "exp", size: 32, [.up, .bidirectional]))
        try end.receive(peer.info(9, "imp", size: 24, [.down, .bidirectional]))
        _ = end.produce()
    }
}

@Suite struct ViolationTests {
    @Test(arguments: [0x12, 0x13] as [UInt8])
    func `Both client types are accepted`(_ type: UInt8) throws {
        let end = End(.server())
        try end.receive([type])
        #expect(end.handshake?.client.rawValue == type)
        #expect(!end.produce().isEmpty)
    }

    @Test func `A wrong handshake is a violation at any cut`() throws {
        for (bytes, violation) in [
            (hex("14"), ProtocolViolation.clientType(0x14)), (hex("47 45"), .clientType(0x47)),
            (hex("16 03 01"), .clientType(0x16)), (hex("53 00"), .handshakeNameLength(0)),
            (hex("53 19"), .handshakeNameLength(25)), (hex("53 80"), .handshakeNameLength(128)),
        ] {
            #expect(throws: violation) { try End(.server()).receive(bytes) }
            #expect(throws: violation) {
                let end = End(.server())
                for byte in bytes { try end.receive([byte]) }
            }
        }
    }

    @Test func `Another first byte than the mark is a violation for a TLS client`() {
        #expect(throws: ProtocolViolation.tlsMark(0xFF)) { try End(.device(secure: true)).receive(hex("FF 00 00 00")) }
    }

    @Test(arguments: [0, 2, 5, 200, 201, 249, 253, 254] as [UInt8])
    func `A wrong frame number or a serial control byte is a violation`(_ number: UInt8) throws {
        for layout in [FrameLayout.socket, .serial] {
            var victim = try Victim(layout: layout, through: false)
            try victim.end.receive(victim.peer.authentication(.connectUp))
            #expect(throws: ProtocolViolation.frameNumber(expected: 1, found: number)) {
                try victim.end.receive([number])
            }
        }
    }

    @Test func `Numbers go from 200 to 1, and 201 or 0 are violations there`() throws {
        for next in [UInt8(1), 201, 0] {
            var victim = try Victim()
            for _ in 0..<198 { try victim.end.receive(victim.peer.frame([], id: 7, [1])) }
            #expect(victim.peer.number == 1)
            victim.peer.number = next
            let frame = victim.peer.frame([], id: 7, [1])
            if next == 1 {
                try victim.end.receive(frame)
            } else {
                #expect(throws: ProtocolViolation.frameNumber(expected: 1, found: next)) {
                    try victim.end.receive(frame)
                }
            }
        }
    }

    @Test func `Our own numbers go from 200 to 1 as well`() throws {
        let block = MemoryBlock(.gina("exp"), .up, size: 32)
        let couple = Couple(client: End(.device(), blocks: [block]), listener: End(.server()))
        couple.listener.createsBlocks = true
        couple.client.recordsSent = true
        try couple.settle()
        for i in 0..<500 {
            block.setUnsigned(UInt64(i), at: 0, width: 4)
            block.publish()
            try couple.settle()
        }
        let sent = Array(couple.client.sent.dropFirst(10))
        let numbers = try frames(in: sent).map { Int($0.header.number) }
        #expect(numbers.count > 450)
        #expect(numbers == numbers.indices.map { $0 == 0 ? 0 : ($0 - 1) % 200 + 1 })
    }

    @Test func `A frame of this end's size is accepted and one byte more is a violation`() throws {
        for frame in [96, 464, 1392, 16384] {
            var victim = try Victim(frame: frame)
            try victim.end.receive(victim.peer.frame([], id: 7, [UInt8](repeating: 1, count: frame - 6)))
            let long = victim.peer.frame([], id: 7, [UInt8](repeating: 1, count: frame - 5))
            #expect(throws: ProtocolViolation.frameTooLong(length: frame + 1, limit: frame)) {
                try victim.end.receive(long.prefix(4))
            }
        }
    }

    @Test func `A wrong checksum is a violation`() throws {
        var victim = try Victim(layout: .serial)
        var frame = victim.peer.frame([], id: 7, [1, 2, 3])
        frame[9] ^= 1
        #expect(throws: ProtocolViolation.checksum) { try victim.end.receive(frame) }
    }

    @Test func `An extra flags byte of zero is a violation`() throws {
        let victim = try Victim()
        #expect(throws: ProtocolViolation.emptyExtraFlags) { try victim.end.receive(hex("03 80 01 00 00")) }
    }

    @Test func `Data at the wrong place or damaged is a violation`() throws {
        var victim = try Victim()
        #expect(throws: ProtocolViolation.addressPastEnd(address: 33, size: 32)) {
            try victim.end.receive(victim.peer.frame([], id: 8, at: 33, [1]))
        }
        victim = try Victim()
        #expect(throws: ProtocolViolation.compression) {
            try victim.end.receive(victim.peer.frame(.compressed, id: 8, hex("05 01")))
        }
        victim = try Victim([.connectUp, .bidirectional])
        #expect(throws: ProtocolViolation.addressPastEnd(address: 28, size: 27)) {
            try victim.end.receive(victim.peer.frame([], id: 9, at: 28, [1]))
        }
    }

    @Test func `Names too long and messages cut are violations`() throws {
        for (payload, violation) in [
            ("01 C0 01 20 0A 10", ProtocolViolation.nameTooLong), ("01 C0 01", .truncatedMessage),
            ("", .truncatedMessage),
            ("01", .truncatedMessage), ("03 11", .truncatedMessage), ("03", .truncatedMessage),
        ] {
            var victim = try Victim()
            let bytes = hex(payload)
            #expect(throws: violation) {
                try victim.end.receive(victim.peer.frame(.system, id: 8, bytes))
            }
        }
        for (payload, violation) in [
            ("02 00 1A", ProtocolViolation.nameTooLong), ("02", .truncatedMessage), ("02 00", .truncatedMessage),
        ] {
            var victim = try Victim(through: false)
            let bytes = hex(payload)
            #expect(throws: violation) {
                try victim.end.receive(victim.peer.frame(.system, id: 1392, bytes))
            }
        }
    }

    @Test(arguments: [0, 17, 200] as [UInt32])
    func `A remove request for 0 or more than 16 blocks is a violation`(_ count: UInt32) throws {
        var victim = try Victim()
        #expect(throws: ProtocolViolation.removeCount(count)) {
            try victim.end.receive(
                victim.peer.frame(.system, id: count, [3] + [UInt8](repeating: 7, count: Int(count))))
        }
    }

    @Test func `Anything but acknowledges and an authentication is refused before it`() throws {
        for kind in 0..<4 {
            var victim = try Victim(through: false)
            try victim.end.receive(hex("FF 00 00 00"))
            let frame =
                switch kind {
                case 0: victim.peer.frame([], id: 8, [1])
                case 1: victim.peer.info(8, "evil", size: 0x7FFF_FFFF, .up)
                case 2: victim.peer.remove([8, 9])
                default: victim.peer.frame(.system, id: 0, [99])
                }
            #expect(throws: ProtocolViolation.beforeAuthentication) { try victim.end.receive(frame) }
        }
    }

    @Test func `Nothing is read before the owner decided`() throws {
        var victim = try Victim(through: false)
        victim.end.accepts = false
        let bytes = victim.peer.authentication(.connectUp) + victim.peer.info(8, "exp", size: 32, .up)
        try victim.end.receive(bytes)
        #expect(victim.end.peer != nil && victim.end.infos.isEmpty && !victim.end.isRunning)
        victim.end.start()
        try victim.end.receive([])
        #expect(victim.end.infos.count == 1)
    }

    @Test func `A second authentication is a violation`() throws {
        var victim = try Victim()
        #expect(throws: ProtocolViolation.repeatedAuthentication) {
            try victim.end.receive(victim.peer.authentication(.connectUp))
        }
    }

    @Test func `More acknowledged than sent is a violation`() throws {
        let victim = try Victim()
        #expect(throws: ProtocolViolation.acknowledgedTooMuch) { try victim.end.receive(hex("FF FF FF 00")) }
    }

    @Test func `What is to be ignored is ignored`() throws {
        var victim = try Victim()
        try victim.end.receive(victim.peer.frame(.system, id: 0, [99, 1, 2]))
        try victim.end.receive(victim.peer.frame(.syncComplete, id: 5000, at: 70_000, [1]))
        try victim.end.receive(victim.peer.frame([], id: 0, at: 0, [1]))
        try victim.end.receive(victim.peer.frame([], id: UInt32.max, at: UInt32.max, [1]))
        try victim.end.receive(victim.peer.frame(FrameFlags(rawValue: 64 | 16), id: 8, [5]))
        #expect(victim.end.block("exp")?.byte(at: 0) == 5)
        try victim.end.receive(victim.peer.info(8, "exp", size: 32, [.up, .bidirectional]))
        try victim.end.receive(victim.peer.info(77, "unknown", size: 32, .up))
        try victim.end.receive(victim.peer.info(78, "exp", size: .max, .up))
        try victim.end.receive(victim.peer.frame([.compressed, .syncComplete], id: 8, at: 4, hex("01 09")))
        #expect(victim.end.block("exp")?.byte(at: 4) == 9)
        try victim.end.receive(victim.peer.remove([0, 7, 500, UInt32.max]))
        #expect(victim.end.removed.isEmpty && victim.end.isRunning)
    }

    @Test func `An operator cannot remove the blocks it was shown`() throws {
        var victim = try Victim(.bidirectional)
        #expect(victim.end.direction == .up)
        try victim.end.receive(victim.peer.remove([8, 9]))
        #expect(victim.end.removed.isEmpty && victim.end.blocks.count == 2)
    }

    @Test func `A device can remove only dynamic blocks`() throws {
        var victim = try Victim()
        let fixed = MemoryBlock(.gina("fixed"), .up, size: 32)
        victim.end.add(fixed)
        try victim.end.receive(victim.peer.info(10, "fixed", size: 32, .up))
        try victim.end.receive(victim.peer.remove([8, 10, 9, 8]))
        #expect(victim.end.removed == [.gina("exp"), .gina("imp")])
        #expect(victim.end.blocks.count == 1)
    }

    @Test func `Data for a block in the wrong direction is ignored`() throws {
        var victim = try Victim()
        try victim.end.receive(victim.peer.frame(.syncComplete, id: 9, [1]))
        #expect(victim.end.block("imp")?.byte(at: 0) == 0)
    }

    @Test func `Every violation has a sentence`() {
        let all: [ProtocolViolation] = [
            .tlsMark(1), .clientType(2), .handshakeNameLength(3), .handshakeTimeout,
            .frameNumber(expected: 1, found: 2), .frameTooLong(length: 5, limit: 4), .emptyExtraFlags, .checksum,
            .acknowledgedTooMuch, .silence, .authenticationTimeout, .beforeAuthentication, .repeatedAuthentication,
            .truncatedMessage, .nameTooLong, .addressPastEnd(address: 9, size: 8), .compression, .removeCount(17),
            .tooMuchMemory,
        ]
        #expect(Set(all.map(\.description)).count == all.count)
        #expect(all.allSatisfy { $0.description.count > 15 })
    }
}
