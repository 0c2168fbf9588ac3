@testable import IOCOM
import IOCOMTestSupport
import Testing

/// The device `gina` of wire-protocol.md section 9: `exp` (UP, 32 bytes) and `imp` (DOWN, 24 bytes).
private func gina(_ settings: ConnectionSettings = .device()) -> End {
    End(
        settings,
        blocks: [
            MemoryBlock(.gina("exp"), [.up, .bidirectional], size: 32),
            MemoryBlock(.gina("imp"), [.down, .bidirectional], size: 24),
        ])
}

private func server(_ settings: ConnectionSettings = .server()) -> End {
    let end = End(settings)
    end.createsBlocks = true
    return end
}

@Suite struct ConversationTests {
    @Test func `The captured conversation comes out byte for byte, apart from the sender's choice of deltas`() throws {
        let device = gina()
        let server = server()
        device.block("exp")?.write(hex("03 34 12"), at: 0)
        device.block("exp")?.publish()
        let ack = hex("FF 00 00 00")
        var bytes = device.produce()
        #expect(bytes == hex("53 08 63 61 66 65 6E 65 74 00") + ack)
        try server.receive(bytes)
        #expect(server.handshake == SocketHandshake(network: "cafenet"))
        bytes = server.produce()
        #expect(
            bytes == hex("FF 04 00 00 00 28 13 00 70 05 00 02 00 06 73 65 72 76 65 72 00 07 63 61 66 65 6E 65 74 00"))
        try device.receive(bytes)
        bytes = device.produce()
        #expect(
            bytes
                == hex("00 28 11 00 70 05 00 02 10 04 67 69 6E 61 01 07 63 61 66 65 6E 65 74 00")
                + hex("01 20 16 00 08 00 01 C0 01 20 0A 04 67 69 6E 61 07 63 61 66 65 6E 65 74 03 65 78 70")
                + hex("02 20 16 00 09 00 01 C0 01 18 09 04 67 69 6E 61 07 63 61 66 65 6E 65 74 03 69 6D 70"))
        try server.receive(bytes)
        bytes = server.produce()
        // The original answers in another order and so has other ids; both are free choices (3.2, 3.3).
        #expect(
            bytes
                == hex("01 20 16 00 08 00 01 C0 01 20 3A 04 67 69 6E 61 07 63 61 66 65 6E 65 74 03 65 78 70")
                + hex("02 20 16 00 09 00 01 C0 01 18 39 04 67 69 6E 61 07 63 61 66 65 6E 65 74 03 69 6D 70")
                + hex("03 12 02 00 09 00 00 18"))
        try device.receive(bytes)
        bytes = device.produce()
        #expect(bytes == hex("03 12 05 00 08 00 03 03 34 12 1D"))
        try server.receive(bytes)
        #expect(server.block("exp")?.contents == device.block("exp")?.contents)
        device.block("exp")?.setByte(0x35, at: 1)
        device.block("exp")?.publish()
        bytes = device.produce()
        #expect(bytes == hex("04 10 01 00 08 01 35"), "absolute values instead of a delta")
        try server.receive(bytes)
        #expect(server.block("exp")?.byte(at: 1) == 0x35)
        bytes = server.produce(now: 10_000)
        #expect(bytes == hex("FF 66 00 00"), "10 s later")
    }

    @Test func `A secure client waits for the mark byte and sends its password`() throws {
        let device = gina(.device(secure: true))
        let server = server(.server(secure: true))
        #expect(device.produce().isEmpty)
        let mark = server.produce()
        #expect(mark == [0x5B])
        try device.receive(mark)
        try server.receive(device.produce())
        try device.receive(server.produce())
        let bytes = device.produce()
        #expect(
            Array(bytes.prefix(31))
                == hex("00 28 18 00 70 05 00 02 10 04 67 69 6E 61 01 07 63 61 66 65 6E 65 74 07 73 65 63 72 65 74 31"))
        try server.receive(bytes)
        #expect(server.peer?.password == "secret1")
    }

    @Test func `A plain client never sends its password`() throws {
        let couple = Couple(client: gina(), listener: server())
        try couple.settle()
        #expect(couple.listener.peer?.user == "gina")
        #expect(couple.listener.peer?.password.isEmpty == true)
        #expect(couple.client.peer?.password.isEmpty == true)
    }

    @Test func `A device with an automatic number sends its unique id, an operator never does`() throws {
        for (up, number, sends) in [(true, UInt32(9000), true), (true, 0, true), (true, 7, false), (false, 0, false)] {
            var settings: ConnectionSettings = up ? .device(number: number) : .operating()
            settings.uniqueID = Authentication.UniqueID(repeating: 9)
            let couple = Couple(client: End(settings), listener: server())
            try couple.settle()
            #expect(couple.listener.peer?.flags.contains(.uniqueID) == sends)
        }
    }

    @Test func `The operator's session of 9_9 comes out with the captured infos and data`() throws {
        let frank = End(
            .server(),
            blocks: [
                MemoryBlock(.gina("exp"), [.up, .bidirectional, .dynamic, .allowResize], size: 32),
                MemoryBlock(.gina("imp"), [.down, .bidirectional, .dynamic, .allowResize], size: 24),
            ])
        frank.block("exp")?.write(hex("03 35 12"), at: 0)
        var settings = ConnectionSettings.operating("ui", bidirectional: false)
        settings.network = "cafenet"
        let ui = End(settings)
        ui.createsBlocks = true
        ui.answers = { $0.flags.contains(.up) }
        try frank.receive(hex("13"))
        let start = frank.produce()
        #expect(start.starts(with: hex("FF 00 00 00 00 28 13 00 70 05 00 02 00")))
        let auth = hex("00 28 0F 00 70 05 00 02 00 02 75 69 00 07 63 61 66 65 6E 65 74 00")
        try frank.receive(hex("FF 00 00 00") + auth)
        #expect(frank.direction == .up, "the listener became the lower end")
        #expect(
            frank.produce()
                == hex("01 20 16 00 08 00 01 C0 01 20 3A 04 67 69 6E 61 07 63 61 66 65 6E 65 74 03 65 78 70")
                + hex("02 20 16 00 09 00 01 C0 01 18 39 04 67 69 6E 61 07 63 61 66 65 6E 65 74 03 69 6D 70"))
        try frank.receive(hex("01 20 16 00 14 00 01 C0 01 20 0A 04 67 69 6E 61 07 63 61 66 65 6E 65 74 03 65 78 70"))
        #expect(frank.produce() == hex("03 12 05 00 14 00 03 03 35 12 1D"))
        let couple = Couple(client: ui, listener: End(.server(), blocks: frank.blocks))
        try couple.settle()
        #expect(ui.infos.count == 2 && ui.blocks.count == 1)
        #expect(ui.block("exp")?.contents == frank.block("exp")?.contents)
    }

    @Test func `A listener whose peer came first authenticates with the flags of its role`() throws {
        let frank = End(.server("frank", number: 1), blocks: [])
        try frank.receive(
            hex("53 08 63 61 66 65 6E 65 74 00 FF 00 00 00")
                + hex("00 28 11 00 70 05 00 02 80 04 72 6F 6F 74 00 07 63 61 66 65 6E 65 74 00"))
        #expect(
            frank.produce()
                == hex("FF 1C 00 00 00 28 12 00 70 05 00 02 90 05 66 72 61 6E 6B 01 07 63 61 66 65 6E 65 74 00"))
    }

    @Test func `On a serial line the captured authentications, info and data come out`() throws {
        let device = gina(.device(frame: 96, layout: .serial))
        let server = server(.server(layout: .serial, bidirectional: false))
        device.block("exp")?.write(hex("03 34 12"), at: 0)
        #expect(server.produce() == hex("F9"))
        #expect(device.produce() == hex("FD"))
        try server.receive(hex("FD"))
        #expect(server.produce() == hex("FC"))
        try device.receive(hex("FC"))
        #expect(device.produce() == hex("FB"))
        try server.receive(hex("FB"))
        let start = server.produce()
        let auth = "00 3E E5 20 13 60 00 02 00 06 73 65 72 76 65 72 00 07 63 61 66 65 6E 65 74 00"
        #expect(start == hex("FA FF 00 00") + hex(auth))
        try device.receive(start)
        let answer = device.produce()
        let ginaAuth = "00 D2 23 20 11 60 00 02 10 04 67 69 6E 61 01 07 63 61 66 65 6E 65 74 00"
        let info = "01 A2 59 20 16 08 00 01 C0 01 20 0A 04 67 69 6E 61 07 63 61 66 65 6E 65 74 03 65 78 70"
        #expect(Array(answer.prefix(3)) == hex("FF 1D 00"), "bytes of the handshake do not count")
        #expect(Array(answer.dropFirst(3)).starts(with: hex(ginaAuth) + hex(info)))
        try server.receive(answer)
        try device.receive(server.produce())
        #expect(device.produce().suffix(12) == hex("03 34 7A 12 05 08 00 03 03 34 12 1D"))
    }

    @Test func `Blocks are withdrawn with the captured request`() throws {
        let device = gina()
        let server = server()
        let couple = Couple(client: device, listener: server)
        try couple.settle()
        let blocks = device.blocks
        device.remove(blocks[1])
        device.remove(blocks[0])
        #expect(device.produce() == hex("04 20 05 00 02 00 03 11 01 10 01"))
        try server.receive(hex("04 20 05 00 02 00 03 11 01 10 01"))
        #expect(server.removed == [.gina("imp"), .gina("exp")])
        #expect(server.blocks.isEmpty)
    }

    @Test func `Forty withdrawn blocks leave in three requests and go at the peer`() throws {
        let device = End(
            .device(),
            blocks: (0..<40).map { i in
                let name = BlockName("b\(i)") ?? BlockName()
                return MemoryBlock(.gina(name), .up, size: 24)
            })
        let server = server()
        let couple = Couple(client: device, listener: server)
        try couple.settle()
        #expect(server.blocks.count == 40)
        for block in device.blocks { device.remove(block) }
        try couple.settle()
        #expect(server.removed.count == 40 && server.blocks.isEmpty)
    }

    @Test func `Block ids above 255 and above 65535 work`() throws {
        let many = 300
        let device = End(
            .device(frame: 16384),
            blocks: (0..<many).map { i in
                MemoryBlock(.gina(BlockName("b\(i)") ?? BlockName()), .up, size: 24)
            })
        let server = server(.server(frame: 16384))
        let couple = Couple(client: device, listener: server)
        try couple.settle()
        for (i, block) in device.blocks.enumerated() {
            block.setUnsigned(UInt64(i + 1), at: 4, width: 2)
            block.publish()
        }
        try couple.settle()
        for (i, block) in server.blocks.enumerated() { #expect(block.unsigned(at: 4, width: 2) == UInt64(i + 1)) }
        let block = MemoryBlock(.gina("wide"), .down, size: 24)
        server.machine.bind(BlockInfo(id: 70_000, path: block.path, size: 24, flags: .down), to: block)
        #expect(server.produce().suffix(11) == hex("92 02 00 82 70 11 01 00 00 00 18"))
    }
}
