import DeviceStorage
import Testing
import UpdateTesting

/// What every store must do.
@Suite struct PersistentStoreTests {
    /// A kind of store. Each test has a medium of its own, as tests run side by side.
    enum Subject: String, CaseIterable {
        case flash
        case files

        /// A new medium, and how to open the store on it as after each restart.
        func medium() throws -> () throws -> any PersistentStore {
            switch self {
            case .flash:
                let flash = try NORFlash(size: 512 << 10)
                return { try FlashPersistentStore(FlashRegion(flash, offset: 4096, size: 508 << 10)) }
            case .files:
                let folder = try TemporaryFolder()
                return { try FilePersistentStore(folder: folder.path + "/data", maximumValueSize: 150_000) }
            }
        }
    }

    @Test(arguments: Subject.allCases)
    func `Values are kept, replaced, removed and erased`(subject: Subject) throws {
        let open = try subject.medium()
        let store = try open()
        try store.eraseAll()
        #expect(try store.blocks() == [])
        #expect(try store.read(2) == nil)
        var random = SeededGenerator(seed: 9)
        var expected: [Int: [UInt8]] = [:]
        for size in [0, 1, 255, 256, 257, 4063, 4064, 4065, 8128, 5000, 100_000, 120_000] {
            let value = random.bytes(size)
            for block in [14, size % 256] {
                try store.write(block, value)
                expected[block] = value
            }
            #expect(try store.read(14) == value)
        }
        #expect(try store.blocks() == expected.keys.sorted())
        for opened in [store, try open()] {
            for (block, value) in expected { #expect(try opened.read(block) == value) }
        }
        try store.remove(14)
        try store.remove(14)
        #expect(try store.read(14) == nil)
        #expect(try open().read(14) == nil)
        try store.eraseAll()
        #expect(try open().blocks() == [])
    }

    @Test(arguments: Subject.allCases)
    func `An aborted or dropped write changes nothing`(subject: Subject) throws {
        let open = try subject.medium()
        let store = try open()
        try store.write(7, [1, 2, 3])
        let writer = try store.writer(7)
        try writer.append([UInt8](repeating: 5, count: 10_000))
        #expect(throws: PersistentStoreError.busy(7)) { try store.writer(7) }
        writer.abort()
        #expect(throws: PersistentStoreError.closed) { try writer.append([1]) }
        #expect(throws: PersistentStoreError.closed) { try writer.commit() }
        do {
            let dropped = try store.writer(7)
            try dropped.append([9])
        }
        #expect(try store.read(7) == [1, 2, 3])
        #expect(try open().read(7) == [1, 2, 3])
        try store.write(7, [4])
        #expect(try store.read(7) == [4])
    }

    @Test(arguments: Subject.allCases)
    func `Limits hold and a refused value leaves the old one`(subject: Subject) throws {
        let open = try subject.medium()
        let store = try open()
        try store.write(8, [1])
        #expect(throws: PersistentStoreError.tooLarge(limit: store.maximumValueSize)) {
            try store.write(8, [UInt8](repeating: 0, count: store.maximumValueSize + 1))
        }
        let writer = try store.writer(8)
        try writer.append([UInt8](repeating: 0, count: store.maximumValueSize))
        #expect(throws: PersistentStoreError.tooLarge(limit: store.maximumValueSize)) { try writer.append([0]) }
        #expect(throws: PersistentStoreError.closed) { try writer.commit() }
        #expect(try store.read(8) == [1])
        for block in [-1, 256, Int.max] {
            #expect(throws: PersistentStoreError.invalidBlock(block)) { try store.reader(block) }
            #expect(throws: PersistentStoreError.invalidBlock(block)) { try store.writer(block) }
            #expect(throws: PersistentStoreError.invalidBlock(block)) { try store.remove(block) }
        }
    }

    @Test(arguments: Subject.allCases)
    func `A reader gives its value in pieces or says that it is gone`(subject: Subject) throws {
        let open = try subject.medium()
        let store = try open()
        let value = (0..<10_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        try store.write(9, value)
        let reader = try #require(try store.reader(9))
        #expect(reader.byteCount == value.count)
        var read: [UInt8] = []
        while true {
            let piece = try reader.read(upTo: 999)
            if piece.isEmpty { break }
            read += piece
        }
        #expect(read == value)
        let late = try #require(try store.reader(9))
        _ = try late.read(upTo: 10)
        try store.write(9, [1])
        do throws(PersistentStoreError) {
            #expect(try late.read(upTo: 5000) == Array(value[10..<5010]))
        } catch {
            #expect(error == .changed(9))
        }
    }
}

@Suite struct FilePersistentStoreTests {
    @Test func `Files have the names of the original and no rights for others`() throws {
        let folder = try TemporaryFolder()
        let store = try FilePersistentStore(folder: folder.path + "/a/b")
        try store.write(4, [1, 2])
        #expect(folder.mode("a/b") == 0o700)
        #expect(folder.mode("a/b/persistent-4.dat") == 0o600)
    }

    @Test func `A link in place of a block is not followed`() throws {
        let folder = try TemporaryFolder()
        let store = try FilePersistentStore(folder: folder.path + "/a")
        try folder.write("secret", [1])
        folder.link("a/persistent-14.dat", to: folder.path + "/secret")
        #expect(throws: PersistentStoreError.self) { try store.read(14) }
        try store.write(14, [2])
        #expect(try store.read(14) == [2])
    }
}

@Suite struct FlashPersistentStoreTests {
    static func store(_ flash: any FlashDevice) throws -> FlashPersistentStore {
        try FlashPersistentStore(FlashRegion(flash, offset: 0, size: flash.size))
    }

    @Test func `Sectors wear evenly`() throws {
        let store = try Self.store(try NORFlash(size: 32 * 4096))
        try store.write(2, [UInt8](repeating: 1, count: 20_000))
        for round in 0..<600 { try store.write(14, [UInt8(truncatingIfNeeded: round)]) }
        // Six sectors hold the value that never changes, the others share the writes.
        #expect(store.wear.most <= 600 / 26 + 2)
        #expect(try store.read(2)?.count == 20_000)
    }

    @Test func `A full store refuses, keeps what it has, and can be emptied`() throws {
        let flash = try NORFlash(size: 8 * 4096)
        let store = try Self.store(flash)
        var block = 0
        while (try? store.write(block, [UInt8(block)])) != nil { block += 1 }
        #expect(block == 7)
        #expect(throws: PersistentStoreError.full) { try store.write(0, [99]) }
        let again = try Self.store(flash)
        for number in 0..<block { #expect(try again.read(number) == [UInt8(number)]) }
        try again.remove(3)
        try again.write(0, [99])
        #expect(try again.read(0) == [99])
    }

    @Test func `Removed values leave no trace on the flash`() throws {
        let flash = try NORFlash(size: 16 * 4096)
        let store = try Self.store(flash)
        let secret = Array("the secret of this device".utf8)
        try store.write(4, secret)
        try store.write(4, secret + secret)
        try store.remove(4)
        #expect(try flash.read(at: 0, count: flash.size).allSatisfy { $0 == 0xFF })
        try store.write(4, secret)
        try store.eraseAll()
        #expect(try flash.read(at: 0, count: flash.size).allSatisfy { $0 == 0xFF })
    }

    @Test(arguments: [0, 5, 15])
    func `A sector that keeps no bits is passed over`(worn: Int) throws {
        let flash = try NORFlash(size: 16 * 4096)
        let bad = ObservedFlash(flash, pageSize: 4096)
        bad.observe { operation, flash throws(FlashError) in
            // The data of one sector has bits that are stuck at zero; its header is good.
            if case .program(let offset, _) = operation, offset == worn * 4096 {
                try flash.write(at: offset + 40, [0])
            }
        }
        let store = try Self.store(bad)
        let value = [UInt8](repeating: 0xA5, count: 5000)
        for round in 0..<4 {
            for block in 0..<4 { try store.write(block, [UInt8(round)] + value) }
            for block in 0..<4 { #expect(try Self.store(flash).read(block) == [UInt8(round)] + value) }
        }
    }

    @Test func `A damaged value is not given out, the one before comes back`() throws {
        let flash = try NORFlash(size: 16 * 4096)
        let store = try Self.store(flash)
        try store.write(2, [1, 1, 1])
        try store.write(2, [0xF0, 2, 2])
        try flash.write(at: 4096 + 32, [0])
        #expect(throws: PersistentStoreError.damaged(2)) { try store.read(2) }
        #expect(try Self.store(flash).read(2) == [1, 1, 1])
    }

    /// Old or new after a cut at every operation of every change.
    @Test func `A cut at any flash operation leaves each block with its old or its new value`() throws {
        let flash = try NORFlash(size: 12 * 4096)
        let observed = ObservedFlash(flash)
        let store = try Self.store(observed)
        let cuts = Cuts()
        var random = SeededGenerator(seed: 2026)
        var values: [Int: [UInt8]] = [:]
        for step in 0..<40 {
            let block = Int.random(in: 1...3, using: &random)
            let before = values
            if step % 20 == 19 {
                values = [:]
            } else if step % 7 == 6 {
                values[block] = nil
            } else {
                values[block] = random.bytes(Int.random(in: 0...9000, using: &random))
            }
            let after = values
            observed.observe { operation, flash throws(FlashError) in
                try cuts.check(operation, flash, before: before, after: after)
            }
            if step % 20 == 19 {
                try store.eraseAll()
            } else if let value = after[block] {
                try store.write(block, value)
            } else {
                try store.remove(block)
            }
            observed.observe(nil)
            for block in 1...3 { #expect(try store.read(block) == after[block]) }
        }
        print("persistent store: \(cuts.count) power cuts, \(cuts.failures.count) failures")
        #expect(cuts.count > 3000)
        #expect(cuts.failures.isEmpty, "\(cuts.failures.prefix(5))")
    }

    /// Also the clean-up after a cut may be cut.
    private final class Cuts: @unchecked Sendable {
        var count = 0
        var failures: [String] = []
        private var random = SeededGenerator(seed: 4)

        func check(
            _ operation: FlashOperation, _ flash: NORFlash, before: [Int: [UInt8]], after: [Int: [UInt8]],
            depth: Int = 0
        ) throws(FlashError) {
            for moment in PowerCut.allCases {
                count += 1
                let left = try moment.remains(of: operation, on: flash, random: &random)
                do {
                    let observed = ObservedFlash(left)
                    if depth == 0 {
                        observed.observe { [self] operation, flash throws(FlashError) in
                            try check(operation, flash, before: before, after: after, depth: 1)
                        }
                    }
                    let store = try FlashPersistentStoreTests.store(observed)
                    observed.observe(nil)
                    var found: [Int: [UInt8]] = [:]
                    for block in try store.blocks() { found[block] = try store.read(block) }
                    if found != before, found != after { failures.append("\(moment) of \(operation.offset): neither") }
                    try store.write(2, [1, 2, 3])
                    guard try FlashPersistentStoreTests.store(left).read(2) == [1, 2, 3] else {
                        failures.append("\(moment) of \(operation.offset): the next write is lost")
                        continue
                    }
                } catch {
                    failures.append("\(moment) of \(operation.offset): \(error)")
                }
            }
        }
    }

    /// Found by fuzzing: what a free sector still says must not become a value when its neighbour is used again.
    @Test func `Contents in which a last and a middle part stand at the same place are read the same later`() {
        var bytes: [UInt8] = [0x5F, 0x21, 0x88, 0x38, 0, 0x29] + [UInt8](repeating: 0x38, count: 19)
        bytes += [0x37, 1, 0] + [UInt8](repeating: 0x38, count: 9)
        fuzzFlashPersistentStore(bytes)
    }

    @Test func `Any flash contents can be mounted`() {
        var random = SeededGenerator(seed: 77)
        for round in 0..<600 {
            let size = round % 10 == 0 ? 32_769 : 97
            var bytes = random.bytes(size)
            if round % 3 != 0 { bytes[0] |= 1 }
            fuzzFlashPersistentStore(bytes)
        }
    }
}
