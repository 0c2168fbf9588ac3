import FirmwareStorage
import Testing

@Suite("Persistent blocks of microcontrollers") struct BlockLogTests {
    static func read(_ log: BlockLog<TestArea>, _ block: UInt8) throws -> [UInt8]? {
        guard var value = try log.value(block) else { return nil }
        var result: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 37)
        while true {
            let count = try piece.withUnsafeMutableBytes { try log.read(&value, into: $0) }
            guard count > 0 else { break }
            result += piece[..<count]
        }
        #expect(result.count == value.size)
        return result
    }

    static func write(_ log: inout BlockLog<TestArea>, _ block: UInt8, _ bytes: [UInt8]) throws {
        try log.begin(block)
        var at = 0
        while at < bytes.count {
            let part = min(100, bytes.count - at)
            try log.append(bytes.span.bytes.extracting(at..<(at + part)))
            at += part
        }
        try log.commit()
    }

    static func bytes(_ count: Int, _ seed: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 13 &+ seed) }
    }

    @Test("values of any size come back, also after a restart, and the newest counts")
    func values() throws {
        let chip = Chip(units: 3, of: 4096)
        var log = try BlockLog(TestArea(chip: chip))
        #expect(try Self.read(log, 2) == nil)
        for (index, size) in [0, 1, 15, 16, 17, 239, 240, 241, 480, 900].enumerated() {
            try Self.write(&log, 2, Self.bytes(size, index))
            try Self.write(&log, 200, Self.bytes(5, index))
            #expect(try Self.read(log, 2) == Self.bytes(size, index))
            let again = try BlockLog(TestArea(chip: chip))
            #expect(try Self.read(again, 2) == Self.bytes(size, index))
            #expect(try Self.read(again, 200) == Self.bytes(5, index))
        }
        try log.remove(2)
        #expect(try Self.read(log, 2) == nil)
        #expect(try Self.read(BlockLog(TestArea(chip: chip)), 2) == nil)
        try log.eraseAll()
        #expect(try Self.read(log, 200) == nil)
        #expect(chip.memory.filter { $0 != 0xFF }.count <= 16)
    }

    @Test("thousands of writes wear all units alike")
    func wear() throws {
        let chip = Chip(units: 4, of: 4096)
        var log = try BlockLog(TestArea(chip: chip))
        for round in 0..<3000 {
            try Self.write(&log, UInt8(round % 5), Self.bytes(60 + round % 90, round))
        }
        for block in 0..<5 {
            let round = 2995 + block
            #expect(try Self.read(log, UInt8(block)) == Self.bytes(60 + round % 90, round))
        }
        #expect((chip.erases.max() ?? 0) - (chip.erases.min() ?? 0) <= 1)
        #expect(chip.erases.reduce(0, +) > 50)
    }

    @Test("a log that is full says so and keeps what it has")
    func full() throws {
        let chip = Chip(units: 2, of: 4096)
        var log = try BlockLog(TestArea(chip: chip))
        try Self.write(&log, 1, Self.bytes(1000, 1))
        try Self.write(&log, 2, Self.bytes(1000, 2))
        try Self.write(&log, 3, Self.bytes(1000, 3))
        #expect(throws: BlockLogProblem.full) { try Self.write(&log, 4, Self.bytes(1000, 4)) }
        log.abort()
        for block in 1...3 { #expect(try Self.read(log, UInt8(block)) == Self.bytes(1000, block)) }
        try Self.write(&log, 5, Self.bytes(100, 5))
        let again = try BlockLog(TestArea(chip: chip))
        for block in 1...3 { #expect(try Self.read(again, UInt8(block)) == Self.bytes(1000, block)) }
        #expect(try Self.read(again, 5) == Self.bytes(100, 5))
    }

    @Test("a cut at any operation leaves the old or the new value and everything else", arguments: [0, 1, 2])
    func cuts(cut: Int) throws {
        var cutCount = 0
        for start in 0..<18 {
            var operation = 0
            while true {
                let chip = Chip(units: 3, of: 2048)
                var log = try BlockLog(TestArea(chip: chip))
                try Self.write(&log, 4, Self.bytes(44, 9))
                // So that cleaning up happens at different places.
                for round in 0..<start { try Self.write(&log, 2, Self.bytes(90, round)) }
                try Self.write(&log, 2, Self.bytes(300, 100))
                chip.cut = cut
                chip.left = operation
                let isDone = (try? Self.write(&log, 2, Self.bytes(350, 200))) != nil
                chip.left = -1
                var again = try BlockLog(TestArea(chip: chip))
                let value = try Self.read(again, 2)
                #expect(value == Self.bytes(300, 100) || value == Self.bytes(350, 200))
                #expect(!isDone || value == Self.bytes(350, 200))
                #expect(try Self.read(again, 4) == Self.bytes(44, 9))
                try Self.write(&again, 2, Self.bytes(310, 50))
                #expect(try Self.read(BlockLog(TestArea(chip: chip)), 2) == Self.bytes(310, 50))
                cutCount += 1
                operation += 1
                if isDone { break }
            }
        }
        #expect(cutCount > 100)
    }

    @Test("a value may end as erased flash looks")
    func lastBytes() throws {
        for size in [1, 15, 16, 17, 32, 33, 240, 300] {
            for rest in [0, 1, 16, 20] where rest < size {
                let chip = Chip(units: 2, of: 4096)
                var log = try BlockLog(TestArea(chip: chip))
                try Self.write(&log, 2, [7])
                let value = Self.bytes(rest, 1) + [UInt8](repeating: 0xFF, count: size - rest)
                try Self.write(&log, 2, value)
                var again = try BlockLog(TestArea(chip: chip))
                #expect(try Self.read(again, 2) == value)
                try Self.write(&again, 3, [8])
                let last = try BlockLog(TestArea(chip: chip))
                #expect(try Self.read(last, 2) == value)
                #expect(try Self.read(last, 3) == [8])
            }
        }
    }

    /// The bytes that a log writes for a value.
    static func chunk(_ block: UInt8, _ bytes: [UInt8]) throws -> [UInt8] {
        let chip = Chip(units: 2, of: 4096)
        var log = try BlockLog(TestArea(chip: chip))
        try write(&log, block, bytes)
        return Array(chip.memory[32..<(48 + (bytes.count + 15) & ~15)])
    }

    @Test("what is stored is never taken for a value of another block, wherever a write of it is cut")
    func forged() throws {
        let forged = try Self.chunk(210, Self.bytes(40, 3))
        for value in [
            forged, forged + [UInt8](repeating: 0xFF, count: 32), forged + forged + Self.bytes(20, 1),
            [UInt8](repeating: 0, count: 16) + forged + [UInt8](repeating: 0xFF, count: 240),
        ] {
            for torn in stride(from: 0, through: 256, by: 8) {
                for operation in 0..<5 {
                    let chip = Chip(units: 2, of: 4096)
                    var log = try BlockLog(TestArea(chip: chip))
                    try Self.write(&log, 210, [1, 2, 3])
                    chip.cut = 1
                    chip.tornBytes = torn
                    chip.left = operation
                    _ = try? Self.write(&log, 14, value)
                    chip.left = -1
                    var again = try BlockLog(TestArea(chip: chip))
                    #expect(try Self.read(again, 210) == [1, 2, 3])
                    try Self.write(&again, 15, Self.bytes(30, 30))
                    let last = try BlockLog(TestArea(chip: chip))
                    #expect(try Self.read(last, 210) == [1, 2, 3])
                    #expect(try Self.read(last, 15) == Self.bytes(30, 30))
                }
            }
        }
    }

    @Test("a value that is too large is refused, and a log that is full can be emptied")
    func emptying() throws {
        let chip = Chip(units: 2, of: 4096)
        var log = try BlockLog(TestArea(chip: chip))
        #expect(throws: BlockLogProblem.full) { try Self.write(&log, 4, Self.bytes(log.largestValue + 1, 4)) }
        log.abort()
        var count: UInt8 = 0
        // Sizes that leave as little as possible.
        while (try? Self.write(&log, count, Self.bytes(240, 1))) != nil { count += 1 }
        log.abort()
        while (try? Self.write(&log, count, [1])) != nil { count += 1 }
        log.abort()
        #expect(count > 14)
        for block in 0..<count {
            var again = try BlockLog(TestArea(chip: chip))
            try Self.write(&again, block, [])
        }
        var empty = try BlockLog(TestArea(chip: chip))
        try Self.write(&empty, 13, Self.bytes(1000, 5))
        #expect(try Self.read(BlockLog(TestArea(chip: chip)), 13) == Self.bytes(1000, 5))
    }
}
