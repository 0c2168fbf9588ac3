@testable import IOCOM
import IOCOMTestSupport
import Testing

/// A lower end with a block that a hand made upper peer takes.
private struct Tap {
    let end: End
    var peer = RawPeer()
    let block: MemoryBlock
    private(set) var total = 0

    init(
        size: Int, remoteSize: Int? = nil, flags: BlockFlags = .up, frameSize: UInt32 = 1392, contents: [UInt8] = []
    ) throws {
        block = MemoryBlock(.gina("exp"), flags, size: size)
        block.write(contents, at: 0)
        block.publish()
        end = End(.server(frame: 16384), blocks: [block])
        try end.receive(hex("13"))
        try end.receive(peer.authentication(flags.contains(.bidirectional) ? .bidirectional : [], frameSize: frameSize))
        _ = take()
        try end.receive(peer.info(20, "exp", size: UInt32(remoteSize ?? size), flags))
    }

    /// Takes what the machine sends, without acknowledging it.
    mutating func take() -> [UInt8] {
        let bytes = end.produce()
        total += bytes.count
        return bytes
    }

    /// Takes and acknowledges.
    mutating func frames() throws -> [(header: FrameHeader, payload: [UInt8])] {
        var all: [(FrameHeader, [UInt8])] = []
        while true {
            let bytes = take()
            if bytes.isEmpty { return all }
            all += try IOCOMTestSupport.frames(in: bytes)
            try end.receive(peer.acknowledge(total))
        }
    }
}

private func flags(_ frames: [(header: FrameHeader, payload: [UInt8])]) -> [FrameFlags] {
    frames.map { $0.header.flags.subtracting([.address2, .id2, .extra]) }
}

@Suite struct BlockSourceTests {
    @Test func `The key frame covers the block, later snapshots only what was published`() throws {
        var tap = try Tap(size: 32, contents: hex("03 34 12"))
        var sent = try tap.frames()
        #expect(sent.map(\.payload) == [hex("03 03 34 12 1D")])
        #expect(flags(sent) == [[.compressed, .syncComplete]])
        tap.block.setByte(0x35, at: 1)
        #expect(try tap.frames().isEmpty, "not published yet")
        tap.block.publish()
        sent = try tap.frames()
        #expect(sent.map(\.payload) == [[0x35]] && sent[0].header.address == 1)
        tap.block.publish()
        tap.block.setByte(0x35, at: 1)
        tap.block.publish()
        #expect(try tap.frames().isEmpty, "nothing changed")
        #expect(tap.block.isDrained)
    }

    @Test func `Ranges far apart leave as frames with gaps and one SYNC_COMPLETE`() throws {
        var tap = try Tap(size: 5000)
        _ = try tap.frames()
        tap.block.write([1, 2, 3], at: 4000)
        tap.block.write([4], at: 10)
        tap.block.publish()
        let sent = try tap.frames()
        #expect(sent.map(\.header.address) == [10, 4000])
        #expect(flags(sent) == [[], .syncComplete])
    }

    @Test func `Forty ranges arrive although only sixteen are kept apart`() throws {
        var tap = try Tap(size: 5000)
        _ = try tap.frames()
        var model = SnapshotModel(size: 5000)
        for i in 0..<40 { tap.block.setByte(UInt8(i + 1), at: i * 120) }
        tap.block.publish()
        let sent = try tap.frames()
        #expect(sent.count <= 16)
        for frame in sent { try model.apply(frame) }
        #expect(model.bytes == tap.block.contents)
    }

    @Test(arguments: [96, 464, 1392, 16384] as [UInt32])
    func `No frame exceeds the peer's size and all together give the block`(_ size: UInt32) throws {
        var random = Seeded(UInt64(size))
        for density in [0, 3, 10] {
            var contents = random.bytes(20_000)
            if density > 0 { for i in contents.indices where random.below(10) < density { contents[i] = 0 } }
            var tap = try Tap(size: 20_000, frameSize: size, contents: contents)
            var model = SnapshotModel(size: 20_000)
            let sent = try tap.frames()
            for frame in sent {
                try model.apply(frame)
                let header = FrameHeader.length(
                    blockID: frame.header.blockID, address: frame.header.address, layout: .socket)
                #expect(header + frame.payload.count <= Int(size))
            }
            #expect(sent.dropLast().allSatisfy { !$0.header.flags.contains(.syncComplete) })
            #expect(sent.last?.header.flags.contains(.syncComplete) == true)
            #expect(model.bytes == contents)
        }
    }

    @Test func `The addresses of 9_5 and 5_5 come out`() throws {
        var random = Seeded(3)
        var tap = try Tap(size: 3000, contents: (0..<3000).map { _ in UInt8(1 + random.below(255)) })
        let sent = try tap.frames()
        #expect(sent.map(\.header.address) == [0, 1386, 1386 + 1385])
        #expect(sent.map(\.header.flags) == [[], .address2, [.address2, .syncComplete]])
        tap.block.write(hex("32 27 12"), at: 2990)
        tap.block.publish()
        let bytes = tap.take()
        #expect(Array(bytes.dropFirst(1)) == hex("14 03 00 14 AE 0B 32 27 12"))
    }

    @Test func `What is written while a snapshot waits for the window is not mixed into it`() throws {
        for writes in [1, 3] {
            var tap = try Tap(size: 30_000, frameSize: 96, contents: [UInt8](repeating: 1, count: 30_000))
            var model = SnapshotModel(size: 30_000)
            var bytes = tap.take()
            #expect(!tap.block.isDrained, "the window is full")
            for i in 0..<writes {
                tap.block.write([UInt8](repeating: UInt8(2 + i), count: 30_000), at: 0)
                tap.block.publish()
            }
            var snapshots: [[UInt8]] = []
            while !bytes.isEmpty {
                for frame in try frames(in: bytes) {
                    try model.apply(frame)
                    if frame.header.flags.contains(.syncComplete) { snapshots.append(model.bytes) }
                }
                try tap.end.receive(tap.peer.acknowledge(tap.total))
                bytes = tap.take()
            }
            #expect(snapshots.count == 2)
            #expect(snapshots.allSatisfy { Set($0).count == 1 })
            #expect(snapshots.last?.first == UInt8(1 + writes))
        }
    }

    @Test func `Nothing is sent beyond the size the peer announced`() throws {
        var tap = try Tap(size: 100, remoteSize: 60, contents: [UInt8](repeating: 5, count: 100))
        var model = SnapshotModel(size: 60)
        for frame in try tap.frames() { try model.apply(frame) }
        #expect(model.bytes.allSatisfy { $0 == 5 })
        tap.block.write([1, 2, 3, 4], at: 58)
        tap.block.publish()
        let sent = try tap.frames()
        #expect(sent.map(\.payload) == [[1, 2]])
        tap.block.setByte(9, at: 70)
        tap.block.publish()
        #expect(try tap.frames().isEmpty)
        #expect(tap.block.isDrained)
    }

    @Test func `A block that grows keeps its content and what is under way`() throws {
        var tap = try Tap(size: 20_000, frameSize: 96, contents: [UInt8](repeating: 1, count: 20_000))
        var model = SnapshotModel(size: 20_000)
        for frame in try frames(in: tap.take()) { try model.apply(frame) }
        tap.block.grow(into: heapMemory(40_000))
        tap.block.write([UInt8](repeating: 2, count: 40_000), at: 0)
        tap.block.publish()
        try tap.end.receive(tap.peer.acknowledge(tap.total))
        for frame in try tap.frames() {
            try model.apply(frame)
            if frame.header.flags.contains(.syncComplete) { #expect(Set(model.bytes).count == 1) }
        }
        #expect(model.bytes == [UInt8](repeating: 2, count: 20_000))
        #expect(tap.block.size == 40_000)
    }

    @Test func `Static blocks are sent raw`() throws {
        var tap = try Tap(size: 400, flags: [.up, .static])
        let sent = try tap.frames()
        #expect(sent.map(\.payload) == [[UInt8](repeating: 0, count: 400)])
        #expect(flags(sent) == [.syncComplete])
    }

    @Test func `A second info with another id gets a key frame of its own`() throws {
        var tap = try Tap(size: 32, contents: [1])
        try tap.end.receive(tap.peer.info(21, "exp", size: 32, .up))
        let sent = try tap.frames()
        #expect(sent.map(\.header.blockID) == [21])
        try tap.end.receive(tap.peer.info(21, "exp", size: 32, .up))
        #expect(try tap.frames().isEmpty, "the same info again changes nothing")
        try tap.end.receive(tap.peer.info(22, "exp", size: 32, .up))
        let attachment = try #require(tap.end.attachment(of: tap.block))
        tap.end.machine.detach(attachment)
        tap.end.machine.detach(attachment)
        #expect(try tap.frames().isEmpty)
    }

    @Test func `A peer's size near the end of 32 bits is refused`() throws {
        var tap = try Tap(size: 32, remoteSize: Int(UInt32.max), flags: [.down, .bidirectional], contents: [1])
        #expect(try tap.frames().isEmpty)
        tap.block.setByte(2, at: 31)
        tap.block.publish()
        #expect(try tap.frames().isEmpty)
    }

    // MARK: Two ways

    @Test func `Two-way snapshots are those of 9_6`() throws {
        var tap = try Tap(size: 24, flags: [.down, .bidirectional])
        var sent = try tap.frames()
        #expect(sent.map(\.payload) == [[0, 0x18], [0, 0, 0]])
        #expect(flags(sent) == [.compressed, .syncComplete])
        #expect(sent.map(\.header.address) == [0, 24])
        tap.block.write([3, 7], at: 4)
        tap.block.publish()
        sent = try tap.frames()
        #expect(sent.map(\.payload) == [[3, 7], [0x30]])
        #expect(flags(sent) == [[], .syncComplete])
        #expect(sent.map(\.header.address) == [4, 24])
        tap.block.setByte(0x55, at: 10)
        tap.block.publish()
        sent = try tap.frames()
        #expect(sent.map(\.payload) == [[0x55], [0x04]])
        #expect(sent.map(\.header.address) == [10, 25])
    }

    @Test func `What is published between binding and key frame follows with marks`() throws {
        var tap = try Tap(size: 24, flags: [.down, .bidirectional])
        tap.block.setByte(7, at: 3)
        tap.block.publish()
        let sent = try tap.frames()
        #expect(sent.map(\.payload) == [hex("00 03 01 07 14"), [0, 0, 0], [7], [8]])
    }

    @Test func `A value that this end holds already is written again, since others may have written another`() throws {
        var tap = try Tap(size: 24, flags: [.down, .bidirectional])
        _ = try tap.frames()
        tap.block.setByte(0, at: 3)
        tap.block.setUnsigned(0, at: 8, width: 2)
        tap.block.publish()
        #expect(try tap.frames().map(\.payload) == [[0], [0, 0], [8, 3]])
        #expect(try #require(Signal(.str, at: 15, count: 8)).setText("", in: tap.block))
        tap.block.publish()
        #expect(try tap.frames().map(\.payload) == [[2, 0], [0x80, 1]])
    }

    @Test func `Marks of a large block are those of the old recordings and cover gaps`() throws {
        var tap = try Tap(size: 1047, flags: [.down, .bidirectional])
        var sent = try tap.frames()
        #expect(sent.map(\.payload) == [hex("00 FF 00 FF 00 FF 00 FF 00 1B"), hex("00 83")])
        for (at, count) in [(7, 1), (320, 9), (1040, 7)] {
            tap.block.write([UInt8](repeating: 1, count: count), at: at)
        }
        tap.block.publish()
        sent = try tap.frames()
        #expect(sent.map(\.header.address) == [7, 320, 1040, 1047])
        var marks = [UInt8](repeating: 0, count: 131)
        (marks[0], marks[40], marks[41], marks[130]) = (0x80, 0xFF, 1, 0x7F)
        let last = try #require(sent.last)
        #expect(last.header.flags.contains([.compressed, .syncComplete]))
        #expect(try ZeroRun.decoded(last.payload) == marks)
    }

    /// Ranges that begin and end at every place of an octet, alone and with another one in the same or the next octet.
    @Test func `Marks say exactly which bytes were published`() throws {
        for start in 0..<9 {
            for end in (start + 1)...40 {
                for gap in [1, 3, 8, 17] {
                    var tap = try Tap(size: 80, flags: [.down, .bidirectional])
                    _ = try tap.frames()
                    tap.block.write([UInt8](repeating: 9, count: end - start), at: start)
                    tap.block.write([7], at: end + gap)
                    tap.block.publish()
                    let last = try #require(try tap.frames().last)
                    let isCoded = last.header.flags.contains(.compressed)
                    let marks = isCoded ? try ZeroRun.decoded(last.payload) : last.payload
                    let first = (Int(last.header.address) - 80) << 3
                    let marked = (0..<(marks.count << 3)).filter { marks[$0 >> 3] & (1 << UInt8($0 & 7)) != 0 }
                    #expect(marked.map { $0 + first } == Array(start..<end) + [end + gap])
                }
            }
        }
    }
}

/// An array that absolute frames are written into.
private struct SnapshotModel {
    var bytes: [UInt8]

    init(size: Int) { bytes = [UInt8](repeating: 0, count: size) }

    mutating func apply(_ frame: (header: FrameHeader, payload: [UInt8])) throws {
        let data = frame.header.flags.contains(.compressed) ? try ZeroRun.decoded(frame.payload) : frame.payload
        let start = Int(frame.header.address)
        bytes.replaceSubrange(start..<(start + data.count), with: data)
    }
}
