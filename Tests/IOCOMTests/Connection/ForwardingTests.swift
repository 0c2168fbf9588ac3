import IOCOM
import IOCOMTestSupport
import Testing

@Suite struct ForwardingTests {
    @Test func `A device and two operators converge through a server, without torn snapshots`() throws {
        for seed in 0..<6 {
            var random = Seeded(UInt64(seed))
            let device = End(
                .device(frame: 464),
                blocks: [
                    MemoryBlock(.gina("exp"), [.up, .bidirectional], size: 3000),
                    MemoryBlock(.gina("imp"), [.down, .bidirectional], size: 3000),
                ])
            let toDevice = End(.server())
            toDevice.createsBlocks = true
            let first = Couple(client: device, listener: toDevice)
            try first.settle()
            var couples = [first]
            var operators: [End] = []
            for frame in [96, 16384] {
                let user = End(.operating(frame: frame))
                user.createsBlocks = true
                let couple = Couple(client: user, listener: End(.server(), blocks: toDevice.blocks))
                try couple.settle()
                operators.append(user)
                couples.append(couple)
            }
            let exp = try #require(device.block("exp"))
            let imps = try operators.map { try #require($0.block("imp")) }
            var torn = 0
            for user in operators {
                user.onChange = { block in
                    if block.path.block == "exp", block.byte(at: 0) != block.byte(at: 2999) { torn += 1 }
                }
            }
            var counters: [UInt64] = [0, 0]
            for round in 0..<200 {
                if random.oneIn(2) {
                    exp.setByte(UInt8(round), at: 0)
                    exp.write(random.bytes(1 + random.below(500)), at: 1 + random.below(2000))
                    exp.setByte(UInt8(round), at: 2999)
                    exp.publish()
                }
                for (i, imp) in imps.enumerated() where random.oneIn(3) {
                    counters[i] += 1
                    imp.setUnsigned(counters[i], at: i * 1500, width: 4)
                    imp.write(random.bytes(1 + random.below(100)), at: i * 1500 + 10 + random.below(1300))
                    imp.publish()
                }
                for couple in couples where random.oneIn(2) {
                    try couple.listener.receive(couple.client.produce(limit: 1))
                    try couple.client.receive(couple.listener.produce(limit: 1))
                }
            }
            for _ in 0..<3 { for couple in couples { try couple.settle() } }
            #expect(torn == 0)
            for user in operators { #expect(user.block("exp")?.contents == exp.contents) }
            let imp = try #require(device.block("imp"))
            #expect(imp.contents == toDevice.block("imp")?.contents)
            for (i, mine) in imps.enumerated() {
                #expect(mine.contents == imp.contents)
                #expect(imp.unsigned(at: i * 1500, width: 4) == counters[i])
            }
        }
    }
}
