import IOCOM
import IOCOMTestSupport
import Testing

/// How a couple is put together.
struct CoupleCase: Sendable, CustomTestStringConvertible {
    /// Device to server, or operator to server.
    var isDevice: Bool
    var isSecure: Bool
    var clientFrame: Int
    var serverFrame: Int
    /// 0 whole, 1 byte by byte, 2 random pieces.
    var cutting: Int
    var layout = FrameLayout.socket

    var testDescription: String {
        "\(layout) \(isDevice ? "device" : "operator") \(isSecure ? "tls" : "plain") \(clientFrame)/\(serverFrame) cut \(cutting)"
    }

    static var all: [CoupleCase] {
        var cases: [CoupleCase] = []
        for isDevice in [true, false] {
            for isSecure in [true, false] {
                for (clientFrame, serverFrame) in [(96, 16384), (464, 96), (1392, 1392), (16384, 16384), (16384, 464)] {
                    for cutting in 0..<3 {
                        cases.append(
                            CoupleCase(
                                isDevice: isDevice, isSecure: isSecure, clientFrame: clientFrame,
                                serverFrame: serverFrame, cutting: cutting))
                    }
                }
            }
        }
        for cutting in 0..<3 {
            cases.append(
                CoupleCase(
                    isDevice: true, isSecure: false, clientFrame: 96, serverFrame: 96, cutting: cutting, layout: .serial
                ))
        }
        return cases
    }
}

/// A writer of a block: two counters far apart always agree, and bytes between them are written at random.
private struct Writer {
    let block: MemoryBlock
    /// The part of the block this writer owns.
    let part: Range<Int>
    var counter: UInt64 = 0

    mutating func write(_ random: inout Seeded) {
        counter += 1
        block.setUnsigned(counter, at: part.lowerBound, width: 4)
        for _ in 0..<random.below(4) {
            let at = part.lowerBound + 4 + random.below(part.count - 8)
            block.write(random.bytes(min(1 + random.below(60), part.upperBound - 4 - at)), at: at)
        }
        if random.oneIn(30) {
            block.write(random.bytes(part.count - 8), at: part.lowerBound + 4)
        }
        block.setUnsigned(counter, at: part.upperBound - 4, width: 4)
        block.publish()
    }
}

private func isTorn(_ block: MemoryBlock, _ part: Range<Int>) -> Bool {
    block.unsigned(at: part.lowerBound, width: 4) != block.unsigned(at: part.upperBound - 4, width: 4)
}

@Suite struct CoupleTests {
    private static let sizes: [(BlockName, BlockFlags, Int)] = [
        ("exp", .up, 64), ("conf_exp", .up, 5000), ("imp", .down, 64), ("conf_imp", .down, 5000), ("big", .up, 150_000),
    ]

    private func blocks() -> [MemoryBlock] {
        Self.sizes.map {
            MemoryBlock(.gina($0.0), $0.1.union([.bidirectional, .dynamic, .allowResize]), size: $0.2)
        }
    }

    @Test(arguments: CoupleCase.all)
    func `Every block converges to its writers' values and no torn snapshot is ever seen`(_ setup: CoupleCase) throws {
        var random = Seeded(UInt64(setup.clientFrame * 100 + setup.serverFrame * 10 + setup.cutting))
        let isTwoWay = !setup.isDevice
        let client = End(
            setup.isDevice
                ? .device(secure: setup.isSecure, frame: setup.clientFrame, layout: setup.layout)
                : .operating(secure: setup.isSecure, frame: setup.clientFrame),
            blocks: setup.isDevice ? blocks() : [])
        let server = End(
            .server(secure: setup.isSecure, frame: setup.serverFrame, layout: setup.layout),
            blocks: setup.isDevice ? [] : blocks())
        client.createsBlocks = !setup.isDevice
        server.createsBlocks = setup.isDevice
        let couple = Couple(client: client, listener: server)
        try couple.settle()
        let (lower, upper) = setup.isDevice ? (client, server) : (server, client)
        #expect(lower.blocks.count == 5 && upper.blocks.count == 5)

        var writers: [Writer] = []
        var readers: [(MemoryBlock, Range<Int>)] = []
        func link(_ from: End, _ to: End, _ name: BlockName, _ part: Range<Int>) throws {
            writers.append(Writer(block: try #require(from.block(name)), part: part))
            readers.append((try #require(to.block(name)), part))
        }
        for (name, flags, size) in Self.sizes {
            if flags == .up {
                try link(lower, upper, name, 0..<size)
            } else if isTwoWay {
                try link(upper, lower, name, 0..<(size / 2 - 3))
                try link(lower, upper, name, (size / 2 - 3)..<size)
            } else {
                try link(upper, lower, name, 0..<size)
            }
        }
        var torn = 0
        let check: (MemoryBlock) -> Void = { block in
            for (reader, part) in readers where reader === block && isTorn(block, part) { torn += 1 }
        }
        client.onChange = check
        server.onChange = check

        var toServer: [UInt8] = []
        var toClient: [UInt8] = []
        for _ in 0..<(setup.cutting == 1 ? 60 : 250) {
            for _ in 0..<random.below(4) {
                let writer = random.below(writers.count)
                writers[writer].write(&random)
            }
            // Output leaves in small portions and stays on the way for a while.
            if random.oneIn(2) { toServer += client.produce(room: 16384 + random.below(16384), limit: 1) }
            if random.oneIn(2) { toClient += server.produce(room: 16384 + random.below(16384), limit: 1) }
            try deliver(&toServer, couple, server, setup.cutting, &random)
            try deliver(&toClient, couple, client, setup.cutting, &random)
        }
        try couple.deliver(toServer, to: server, nil)
        try couple.deliver(toClient, to: client, nil)
        try couple.settle()
        #expect(torn == 0)
        for (name, _, _) in Self.sizes {
            let same = lower.block(name)?.contents == upper.block(name)?.contents
            #expect(same, "\(name) differs")
        }
        for writer in writers where writer.counter > 0 {
            #expect(writer.block.unsigned(at: writer.part.lowerBound, width: 4) == writer.counter)
            #expect(writer.block.isDrained)
        }
    }

    private func deliver(
        _ bytes: inout [UInt8], _ couple: Couple, _ end: End, _ cutting: Int, _ random: inout Seeded
    ) throws {
        let count = cutting == 0 ? bytes.count : random.below(min(bytes.count, 6000) + 1)
        let part = Array(bytes.prefix(count))
        bytes.removeFirst(count)
        switch cutting {
        case 0: try couple.deliver(part, to: end, nil)
        case 1: try couple.deliver(part, to: end) { 1 }
        default:
            var inner = random
            try couple.deliver(part, to: end) { 1 + inner.below(700) }
            random = inner
        }
    }
}
