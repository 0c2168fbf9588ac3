import ByteTools
import DeviceStorage
import FirmwareStorage
import Testing
import UpdateTesting

/// The store of a microcontroller's persistent blocks, on a flash of the host.
@Suite struct BlockLogStoreTests {
    private func region() throws -> FlashRegion {
        let flash = try NORFlash(size: 8 * NORFlash.sectorSize)
        return try FlashRegion(flash, offset: 0, size: flash.size)
    }

    @Test func `Values are there after the store was opened again`() throws {
        let region = try region()
        let store = try BlockLogStore(region)
        #expect(try store.blocks().isEmpty)
        let values: [Int: [UInt8]] = [0: [1], 7: [], 255: (0..<1000).map { UInt8(truncatingIfNeeded: $0) }]
        for (block, value) in values { try store.write(block, value) }
        try store.write(9, [9])
        try store.remove(9)
        try store.remove(10)
        for store in [store, try BlockLogStore(region)] {
            #expect(try store.blocks() == [0, 7, 255])
            for (block, value) in values { #expect(try store.read(block) == value) }
            #expect(try store.read(9) == nil)
        }
        try store.eraseAll()
        #expect(try store.blocks().isEmpty)
        #expect(try BlockLogStore(region).read(255) == nil)
    }

    @Test func `A reader keeps the value it began with, in pieces`() throws {
        let store = try BlockLogStore(region())
        try store.write(3, [1, 2, 3, 4, 5])
        let reader = try #require(try store.reader(3))
        #expect(try reader.read(upTo: 2) == [1, 2])
        try store.write(3, [9])
        #expect(try reader.read(upTo: 9) == [3, 4, 5])
        #expect(try reader.read(upTo: 9).isEmpty)
        #expect(try store.read(3) == [9])
    }

    @Test func `A block has one writer at a time, and what was not committed is forgotten`() throws {
        let store = try BlockLogStore(region())
        try store.write(3, [1])
        var writer: (any PersistentWriter)? = try store.writer(3)
        try writer?.append([2])
        #expect(throws: PersistentStoreError.busy(3)) { try store.writer(3) }
        writer = nil
        #expect(try store.read(3) == [1])
        let second = try store.writer(3)
        try second.append([4])
        try second.commit()
        #expect(throws: PersistentStoreError.closed) { try second.commit() }
        #expect(throws: PersistentStoreError.closed) { try second.append([1]) }
        #expect(try store.read(3) == [4])
    }

    @Test func `Wrong numbers and values that are too large are refused`() throws {
        let store = try BlockLogStore(region())
        #expect(throws: PersistentStoreError.invalidBlock(256)) { try store.reader(256) }
        #expect(throws: PersistentStoreError.invalidBlock(-1)) { try store.writer(-1) }
        let limit = store.maximumValueSize
        #expect(limit == NORFlash.sectorSize / 4)
        #expect(throws: PersistentStoreError.tooLarge(limit: limit)) {
            try store.write(1, [UInt8](repeating: 0, count: limit + 1))
        }
        let writer = try store.writer(1)
        #expect(throws: PersistentStoreError.tooLarge(limit: limit)) {
            for _ in 0...limit { try writer.append([0]) }
        }
        writer.abort()
        // Many times as much as the flash holds.
        for number in 0..<100 { try store.write(1, [UInt8](repeating: UInt8(number), count: limit)) }
        #expect(try store.read(1) == [UInt8](repeating: 99, count: limit))
    }
}
