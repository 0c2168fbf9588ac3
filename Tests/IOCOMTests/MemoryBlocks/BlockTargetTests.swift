@testable import IOCOM
import IOCOMTestSupport
import Testing

/// An upper end with a block that a hand made lower peer feeds.
private struct Feed {
    let end: End
    var peer = RawPeer()
    let block: MemoryBlock

    init(size: Int, flags: BlockFlags = .up, bidirectional: Bool = false) throws {
        // A two-way block is a DOWN block: there the peer is a device too, but bidirectional.
        block = MemoryBlock(.gina("exp"), flags, size: size)
        end = End(.server(), blocks: [block])
        try end.receive(hex("13"))
        try end.receive(peer.authentication(bidirectional ? [.connectUp, .bidirectional] : .connectUp))
        try end.receive(peer.info(8, "exp", size: UInt32(size), flags))
        _ = end.produce()
    }

    mutating func send(_ flags: FrameFlags, at address: UInt32, _ payload: [UInt8]) throws {
        try end.receive(peer.frame(flags, id: 8, at: address, payload))
    }

    mutating func send(_ frames: String) throws {
        for line in frames.split(separator: "|") {
            var bytes = hex(String(line))
            bytes[0] = peer.number
            peer.number += 1
            try end.receive(bytes)
        }
    }
}

@Suite struct BlockTargetTests {
    @Test func `The original's frames of 9_5 are applied`() throws {
        var feed = try Feed(size: 32)
        try feed.send("03 12 05 00 08 00 03 03 34 12 1D | 04 11 01 00 08 01 01")
        #expect(Array(feed.block.contents.prefix(4)) == hex("03 35 12 00"))
        try feed.send("05 13 0E 00 08 00 03 FE CD F1 05 03 09 0A 0B 05 03 11 12 13")
        #expect(
            Array(feed.block.contents.prefix(19)) == hex("01 02 03 00 00 00 00 00 09 0A 0B 00 00 00 00 00 11 12 13"))
    }

    @Test func `A snapshot of several frames becomes visible with its last frame only`() throws {
        var feed = try Feed(size: 3000)
        var seen = 0
        feed.end.onChange = { _ in seen += 1 }
        try feed.send([], at: 0, [UInt8](repeating: 1, count: 1386))
        try feed.send([], at: 1386, [UInt8](repeating: 1, count: 1000))
        #expect(seen == 0 && feed.block.contents.allSatisfy { $0 == 0 })
        try feed.send(.syncComplete, at: 2386, [UInt8](repeating: 1, count: 614))
        #expect(seen == 1 && feed.block.contents.allSatisfy { $0 == 1 })
        try feed.send(.delta, at: 0, [UInt8](repeating: 2, count: 1386))
        try feed.send(.delta, at: 1386, [UInt8](repeating: 2, count: 1384))
        #expect(feed.block.contents.allSatisfy { $0 == 1 })
        try feed.send([.delta, .syncComplete], at: 2770, [UInt8](repeating: 2, count: 230))
        #expect(seen == 2 && feed.block.contents.allSatisfy { $0 == 3 })
    }

    @Test func `Deltas add to what was staged, also where ranges overlap or lie apart`() throws {
        var random = Seeded(8)
        for _ in 0..<200 {
            var feed = try Feed(size: 600)
            var reader = SimpleTarget(size: 600)
            for _ in 0..<40 {
                let start = random.below(590)
                let payload = random.bytes(1 + random.below(random.oneIn(5) ? 100 : 6))
                var flags: FrameFlags = random.oneIn(2) ? .delta : []
                if random.oneIn(15) { flags.insert(.syncComplete) }
                try feed.send(flags, at: UInt32(start), payload)
                let visible = reader.apply(flags, start, payload)
                #expect(feed.block.contents == visible)
            }
        }
    }

    @Test func `Deltas add to the peer's own values when others write to the block`() throws {
        var random = Seeded(9)
        for _ in 0..<100 {
            var feed = try Feed(size: 100)
            var own = [UInt8](repeating: 0, count: 100)
            var block = own
            var touched: Set<Int> = []
            for _ in 0..<30 {
                let at = random.below(90)
                if random.oneIn(3) {
                    let value = UInt8(random.below(256))
                    feed.block.setByte(value, at: at)
                    feed.block.publish()
                    block[at] = value
                }
                let payload = random.bytes(3)
                let isLast = random.oneIn(2)
                try feed.send(isLast ? [.delta, .syncComplete] : .delta, at: UInt32(at), payload)
                for i in 0..<3 {
                    own[at + i] &+= payload[i]
                    touched.insert(at + i)
                }
                guard isLast else { continue }
                for i in touched {
                    block[i] = own[i]
                    #expect(feed.block.byte(at: i) == own[i])
                }
                touched = []
                #expect(feed.block.contents == block)
            }
        }
    }

    @Test func `Frames of several blocks may interleave`() throws {
        var peer = RawPeer()
        let blocks = (0..<3).map { MemoryBlock(.gina(BlockName("b\($0)") ?? ""), .up, size: 500) }
        let end = End(.server(), blocks: blocks)
        try end.receive(hex("13") + peer.authentication(.connectUp))
        for i in 0..<3 { try end.receive(peer.info(UInt32(20 + i), blocks[i].path.block, size: 500, .up)) }
        for part in 0..<5 {
            for i in 0..<3 {
                let flags: FrameFlags = part == 4 ? .syncComplete : []
                try end.receive(
                    peer.frame(
                        flags, id: UInt32(8 + i), at: UInt32(part * 100), [UInt8](repeating: UInt8(i + 1), count: 100)))
            }
        }
        for i in 0..<3 { #expect(blocks[i].contents.allSatisfy { $0 == UInt8(i + 1) }) }
    }

    @Test func `Data past the end is cut and data at the end is nothing`() throws {
        var feed = try Feed(size: 32)
        try feed.send(.syncComplete, at: 30, [1, 2, 3, 4])
        #expect(feed.block.contents.suffix(2) == [1, 2])
        try feed.send(.syncComplete, at: 32, [9])
        #expect(feed.block.contents.suffix(2) == [1, 2])
        try feed.send([.compressed, .syncComplete], at: 31, hex("01 07 FF 00 FF"))
        #expect(feed.block.byte(at: 31) == 7)
        #expect(throws: ProtocolViolation.addressPastEnd(address: 33, size: 32)) {
            try feed.send(.syncComplete, at: 33, [1])
        }
    }

    @Test(arguments: [0x8000_0000, 0xFFFF_FFF0, 0xFFFF_FFFF] as [UInt32])
    func `An address that the original took for negative is a violation`(_ address: UInt32) throws {
        var feed = try Feed(size: 32)
        #expect(throws: ProtocolViolation.addressPastEnd(address: address, size: 32)) {
            try feed.send(.syncComplete, at: address, [1])
        }
    }

    @Test func `SYNC_COMPLETE of an empty frame is not acted on`() throws {
        var feed = try Feed(size: 32)
        try feed.send([], at: 0, [1, 2, 3])
        try feed.send(.syncComplete, at: 3, [])
        try feed.send([.syncComplete, .compressed], at: 3, [0])
        #expect(feed.block.byte(at: 0) == 0)
        try feed.send(.syncComplete, at: 3, [4])
        #expect(feed.block.contents.prefix(4) == [1, 2, 3, 4])
    }

    @Test func `More ranges than are kept apart arrive all the same`() throws {
        var feed = try Feed(size: 5000)
        feed.block.write([UInt8](repeating: 9, count: 5000), at: 0)
        feed.block.publish()
        var expected = feed.block.contents
        for i in 0..<40 {
            let at = (i * 37 % 40) * 120
            expected[at] = UInt8(i)
            try feed.send(i == 39 ? .syncComplete : [], at: UInt32(at), [UInt8(i)])
        }
        #expect(feed.block.contents == expected)
    }

    @Test func `Memory that is refused ends the connection only when it is needed`() throws {
        var peer = RawPeer()
        var settings = ConnectionSettings.server()
        settings.lend = { _ in nil }
        let block = MemoryBlock(.gina("exp"), .up, size: 100)
        let end = End(settings, blocks: [block])
        try end.receive(hex("13") + peer.authentication(.connectUp) + peer.info(8, "exp", size: 100, .up))
        try end.receive(peer.frame(.syncComplete, id: 8, [7]))
        #expect(block.byte(at: 0) == 7)
        block.setByte(8, at: 1)
        block.publish()
        #expect(throws: ProtocolViolation.tooMuchMemory) { try end.receive(peer.frame([], id: 8, [7])) }
    }

    // MARK: Two ways

    private func twoWay(_ size: Int = 24) throws -> Feed {
        let feed = try Feed(size: size, flags: [.down, .bidirectional], bidirectional: true)
        return feed
    }

    @Test func `Only marked bytes of a two-way snapshot are taken over`() throws {
        var feed = try twoWay()
        feed.block.write([7, 7, 7, 7, 7, 7, 7, 7], at: 0)
        feed.block.publish()
        try feed.send("04 02 02 00 08 00 00 18 | 05 10 03 00 08 18 00 00 00")
        #expect(feed.block.contents.prefix(8).allSatisfy { $0 == 7 }, "the key frame changes nothing")
        try feed.send("06 01 02 00 08 04 03 07")
        #expect(feed.block.byte(at: 4) == 7)
        try feed.send("07 10 01 00 08 18 30")
        #expect(feed.block.contents.prefix(8) == [7, 7, 7, 7, 3, 7, 7, 7])
        try feed.send("0A 01 01 00 08 0A 55 | 0B 10 01 00 08 19 04")
        #expect(feed.block.byte(at: 10) == 0x55)
        feed.block.setByte(1, at: 10)
        feed.block.publish()
        try feed.send("06 01 01 00 08 0A 01 | 07 10 01 00 08 19 04")
        #expect(feed.block.byte(at: 10) == 0x56, "DELTA adds to what the peer sent before, not to the block")
    }

    @Test func `Marks without data and data without marks change nothing`() throws {
        var feed = try twoWay()
        try feed.send("06 10 03 00 08 18 FF FF FF")
        try feed.send("06 10 02 00 08 04 03 07")
        #expect(feed.block.contents.allSatisfy { $0 == 0 })
        #expect(throws: ProtocolViolation.addressPastEnd(address: 28, size: 27)) {
            try feed.send(.syncComplete, at: 28, [1])
        }
    }

    @Test func `Full mark bytes, single bits and long runs take over exactly the marked bytes`() throws {
        var random = Seeded(10)
        for _ in 0..<300 {
            let size = 20 + random.below(200)
            var feed = try twoWay(size)
            var expected = [UInt8](repeating: 0, count: size)
            for _ in 0..<5 {
                let start = random.below(size)
                let data = random.bytes(1 + random.below(size - start))
                let groups = (start >> 3)..<((start + data.count - 1) >> 3 + 1)
                let marks = groups.map { _ in random.oneIn(2) ? 0xFF : random.oneIn(2) ? 0 : UInt8(random.below(256)) }
                try feed.send([], at: UInt32(start), data)
                try feed.send(.syncComplete, at: UInt32(size + groups.lowerBound), marks)
                for (i, byte) in data.enumerated() {
                    let address = start + i
                    if marks[address >> 3 - groups.lowerBound] & (1 << UInt8(address & 7)) != 0 {
                        expected[address] = byte
                    }
                }
                // Marked bytes outside the data keep what the peer sent for them before; so does the model.
                for i in 0..<size where feed.block.byte(at: i) != expected[i] {
                    let inData = i >= start && i < start + data.count
                    #expect(!inData, "byte \(i)")
                    expected[i] = feed.block.byte(at: i)
                }
            }
        }
    }

    @Test func `Old marks are not acted on again when ranges of marks are joined`() throws {
        var feed = try twoWay(480)
        try feed.send([], at: 8, [5])
        try feed.send(.syncComplete, at: 481, [1])
        #expect(feed.block.byte(at: 8) == 5)
        feed.block.setByte(9, at: 8)
        feed.block.publish()
        try feed.send([], at: 0, [1])
        // More ranges than are kept apart: groups 0, 2, 4, … with the first gap at group 1.
        for i in 0..<20 { try feed.send(i == 19 ? .syncComplete : [], at: UInt32(480 + 2 * i), [1]) }
        #expect(feed.block.byte(at: 0) == 1)
        #expect(feed.block.byte(at: 8) == 9)
    }

    @Test func `A received change is not sent back to its sender but to others`() throws {
        var feed = try twoWay()
        var other = RawPeer()
        let second = End(.server(), blocks: [feed.block])
        try second.receive(hex("13") + other.authentication([.connectUp, .bidirectional]))
        try second.receive(other.info(8, "exp", size: 24, [.down, .bidirectional]))
        _ = second.produce()
        try feed.send(
            "04 02 02 00 08 00 00 18 | 05 10 03 00 08 18 00 00 00 | 06 01 02 00 08 04 03 07 | 07 10 01 00 08 18 30")
        #expect(try frames(in: feed.end.produce()).isEmpty)
        let sent = try frames(in: second.produce())
        #expect(sent.map(\.payload) == [[3, 7], [0x30]])
        #expect(sent.map(\.header.address) == [4, 24])
    }

    @Test func `A local write that was not published yet still reaches the sender of a snapshot`() throws {
        var feed = try twoWay()
        try feed.send("04 02 02 00 08 00 00 18 | 05 10 03 00 08 18 00 00 00")
        feed.block.setByte(9, at: 20)
        try feed.send("06 01 02 00 08 04 03 07 | 07 10 01 00 08 18 30")
        let sent = try frames(in: feed.end.produce())
        #expect(sent.first?.payload == [9] && sent.first?.header.address == 20)
    }

    @Test func `Marks stay where the peer puts them after the block grew`() throws {
        var peer = RawPeer()
        let block = MemoryBlock(.gina("imp"), [.down, .bidirectional, .allowResize], size: 24)
        let end = End(.server(), blocks: [block])
        try end.receive(hex("13") + peer.authentication([.connectUp, .bidirectional]))
        try end.receive(peer.info(8, "imp", size: 24, [.down, .bidirectional]))
        _ = end.produce()
        block.grow(into: heapMemory(100))
        try end.receive(peer.frame([], id: 8, at: 4, [3, 7]))
        try end.receive(peer.frame(.syncComplete, id: 8, at: 24, [0x30]))
        #expect(block.byte(at: 4) == 3 && block.byte(at: 5) == 7 && block.size == 100)
        #expect(block.byte(at: 24) == 0)
    }
}

/// The rules of 5.2 on arrays.
private struct SimpleTarget {
    var working: [UInt8]
    var visible: [UInt8]
    private var touched: Set<Int> = []

    init(size: Int) {
        working = [UInt8](repeating: 0, count: size)
        visible = working
    }

    mutating func apply(_ flags: FrameFlags, _ start: Int, _ payload: [UInt8]) -> [UInt8] {
        for (i, byte) in payload.enumerated() where start + i < working.count {
            working[start + i] = flags.contains(.delta) ? working[start + i] &+ byte : byte
            touched.insert(start + i)
        }
        if flags.contains(.syncComplete) {
            for i in touched { visible[i] = working[i] }
            touched = []
        }
        return visible
    }
}
