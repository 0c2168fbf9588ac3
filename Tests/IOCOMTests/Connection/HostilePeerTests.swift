import IOCOM
import IOCOMTestSupport
import Testing

@Suite struct HostilePeerTests {
    private static func blocks() -> [MemoryBlock] {
        let flags: BlockFlags = [.bidirectional, .dynamic, .allowResize]
        return [
            MemoryBlock(.gina("exp"), flags.union(.up), size: 64),
            MemoryBlock(.gina("imp"), flags.union(.down), size: 64),
            MemoryBlock(.gina("conf_imp"), flags.union(.down), size: 700),
        ]
    }

    /// Bytes that each end sent in a conversation with writes on both sides.
    private static func conversation(isDevice: Bool) throws -> (client: [UInt8], listener: [UInt8]) {
        var random = Seeded(isDevice ? 1 : 2)
        let client = End(isDevice ? .device(bidirectional: true) : .operating(), blocks: isDevice ? blocks() : [])
        let listener = End(.server(), blocks: isDevice ? [] : blocks())
        client.createsBlocks = !isDevice
        listener.createsBlocks = isDevice
        client.recordsSent = true
        listener.recordsSent = true
        let couple = Couple(client: client, listener: listener)
        try couple.settle()
        for round in 0..<6 {
            for block in client.blocks + listener.blocks where random.oneIn(2) {
                block.write(random.bytes(1 + random.below(round == 3 ? 600 : 9)), at: random.below(60))
                block.publish()
            }
            try couple.settle()
        }
        return (client.sent, listener.sent)
    }

    private func mutate(_ bytes: [UInt8], _ random: inout Seeded) -> [UInt8] {
        var bytes = bytes
        for _ in 0...random.below(4) where !bytes.isEmpty {
            // Most changes late enough that the conversation is under way.
            let at = random.below(bytes.count)
            switch random.below(6) {
            case 0: bytes[at] ^= 1 << UInt8(random.below(8))
            case 1: bytes[at] = UInt8(random.below(256))
            case 2: bytes[at] = [0, 1, 0x7F, 0x80, 0xFF, 0xFE][random.below(6)]
            case 3: bytes.removeSubrange(at..<min(bytes.count, at + 1 + random.below(8)))
            case 4: bytes.insert(contentsOf: random.bytes(1 + random.below(8)), at: at)
            default:
                let from = random.below(bytes.count)
                bytes.insert(contentsOf: bytes[from..<min(bytes.count, from + random.below(40))], at: at)
            }
        }
        return bytes
    }

    @Test(arguments: [0, 1, 2, 3])
    func `Mutated conversations end in a typed violation or go on, and never trap`(_ setup: Int) throws {
        let isDevice = setup & 1 == 0
        let feedsListener = setup & 2 == 0
        let (client, listener) = try Self.conversation(isDevice: isDevice)
        let original = feedsListener ? client : listener
        var random = Seeded(UInt64(100 + setup))
        var violations = 0
        var survived = 0
        for _ in 0..<25_000 {
            let settings: ConnectionSettings =
                feedsListener ? .server() : isDevice ? .device(bidirectional: true) : .operating()
            let own = feedsListener != isDevice
            let end = End(settings, blocks: own ? Self.blocks() : [])
            end.createsBlocks = !own
            let bytes = mutate(original, &random)
            let cut = random.below(bytes.count + 1)
            do throws(ProtocolViolation) {
                try end.receive(bytes[..<cut])
                // The counters of the peer speak of output that was made.
                _ = end.produce()
                for block in end.blocks {
                    block.setByte(7, at: 5)
                    block.publish()
                }
                try end.receive(bytes[cut...], now: 1)
                _ = end.produce(now: 1)
                survived += 1
            } catch {
                violations += 1
            }
        }
        #expect(violations > 5000 && violations + survived == 25_000)
    }
}
