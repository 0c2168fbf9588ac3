import ByteTools
import DeviceStorage
import Testing
import UpdateTesting

@Suite struct FlashTests {
    @Test func `A write clears bits only, an erase sets a sector`() throws {
        let folder = try TemporaryFolder()
        let flashes = [
            try NORFlash(size: 8192), try NORFlash(file: folder.path + "/flash.img", size: 8192),
        ]
        for flash in flashes {
            #expect(try flash.read(at: 4090, count: 12) == [UInt8](repeating: 0xFF, count: 12))
            try flash.write(at: 4090, [0xF0, 0x55, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
            try flash.write(at: 4090, [0x3C, 0xFF, 0xFF])
            #expect(try flash.read(at: 4089, count: 5) == [0xFF, 0x30, 0x55, 0, 1])
            try flash.eraseSector(at: 4096)
            #expect(try flash.read(at: 4094, count: 4) == [2, 3, 0xFF, 0xFF])
            #expect(flash.counts.erases == 1 && flash.counts.writes == 2 && flash.counts.bytesWritten == 15)
        }
    }

    @Test func `Places outside of the flash are errors`() throws {
        let flash = try NORFlash(size: 8192)
        #expect(throws: FlashError.self) { try flash.read(at: 8190, count: 3) }
        #expect(throws: FlashError.self) { try flash.read(at: -1, count: 1) }
        #expect(throws: FlashError.self) { try flash.write(at: .max, [1]) }
        #expect(throws: FlashError.unaligned(offset: 5)) { try flash.eraseSector(at: 5) }
        #expect(throws: FlashError.self) { try flash.eraseSector(at: 8192) }
        #expect(throws: FlashError.self) { try NORFlash(size: 100) }
        let region = try FlashRegion(flash, offset: 4096, size: 4096)
        #expect(throws: FlashError.self) { try region.bytes(at: 4095, count: 2) }
        #expect(throws: FlashError.self) { try region.write(at: -1, [0]) }
        #expect(throws: FlashError.self) { try FlashRegion(flash, offset: 4096, size: 8192) }
    }

    @Test func `A file keeps its contents, has one user, and the right size`() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/flash.img"
        do {
            let flash = try NORFlash(file: path, size: 8192)
            try flash.write(at: 100, [1, 2, 3])
            try flash.sync()
            #expect(throws: FlashError.self) { try NORFlash(file: path, size: 8192) }
        }
        #expect(throws: FlashError.self) { try NORFlash(file: path, size: 4096) }
        #expect(try NORFlash(file: path, size: 8192).read(at: 99, count: 3) == [0xFF, 1, 2])
    }
}

@Suite struct PartitionTableTests {
    @Test func `The table has the documented form`() throws {
        let bytes = try PartitionTable.standard4MB().encoded()
        #expect(bytes.count == 0xC00)
        #expect(
            Array(bytes[0..<32])
                == [0xAA, 0x50, 1, 0, 0, 0xE0, 0, 0, 0, 0x20, 0, 0] + Array("otadata".utf8)
                + [UInt8](repeating: 0, count: 13))
        #expect(Array(bytes[32..<44]) == [0xAA, 0x50, 0, 0x10, 0, 0, 1, 0, 0, 0, 0x14, 0])
        #expect(Array(bytes[128..<144]) == [0xEB, 0xEB] + [UInt8](repeating: 0xFF, count: 14))
        // MD5 of the four entries, computed with Python's hashlib over the same fields.
        #expect(hexadecimal(bytes[144..<160]) == "ddcf63d4dd9ef087e45dee12266bd2a0")
        #expect(bytes[160...].allSatisfy { $0 == 0xFF })
        #expect(try PartitionTable(parsing: bytes, flashSize: 4 << 20) == PartitionTable.standard4MB())
    }

    @Test func `Every flipped bit of entries and MD5 is noticed`() throws {
        let bytes = try PartitionTable.standard4MB().encoded()
        for bit in 0..<160 * 8 where !(130 * 8..<144 * 8).contains(bit) {
            var wrong = bytes
            wrong[bit / 8] ^= 1 << (bit % 8)
            #expect(throws: PartitionTableError.self, "bit \(bit)") {
                try PartitionTable(parsing: wrong, flashSize: 4 << 20)
            }
        }
    }

    @Test func `Impossible partitions are refused`() {
        func error(_ partitions: Partition...) -> PartitionTableError? {
            do throws(PartitionTableError) {
                _ = try PartitionTable(partitions, flashSize: 1 << 20)
                return nil
            } catch {
                return error
            }
        }
        let good = Partition(label: "a", kind: .ota(0), offset: 0x10000, size: 0x10000)
        #expect(error(good) == nil)
        #expect(error() == .empty)
        #expect(error(Partition(label: "a", kind: .ota(0), offset: 0x11000, size: 0x1000)) != nil)
        #expect(error(Partition(label: "a", kind: .undefinedData, offset: 0x8000, size: 0x1000)) != nil)
        #expect(error(Partition(label: "a", kind: .undefinedData, offset: 0xF0000, size: 0x11000)) != nil)
        #expect(error(Partition(label: "a", kind: .undefinedData, offset: 0xF0000, size: 0)) != nil)
        #expect(error(good, Partition(label: "b", kind: .undefinedData, offset: 0x1F000, size: 0x2000)) != nil)
        #expect(error(good, Partition(label: "a", kind: .ota(1), offset: 0x20000, size: 0x1000)) != nil)
    }

    @Test func `Any bytes are a table or refused`() throws {
        var random = SeededGenerator(seed: 1)
        let good = try Array(PartitionTable.standard4MB().encoded().prefix(192))
        for _ in 0..<20_000 {
            var bytes = good
            for _ in 0..<Int.random(in: 0...3, using: &random) {
                bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: .min ... .max, using: &random)
            }
            fuzzPartitionTable(Array(bytes.prefix(Int.random(in: 0...192, using: &random))))
        }
    }
}
