import Crypto
import Foundation
import Testing
import UpdateTesting

extension EndToEnd {
    @Suite(.serialized) struct Flash {
        @Test(arguments: ["esp32", "esp32c3"])
        func `esptool accepts what lies in the slot, and it is byte for byte what was written`(chip: String)
            async throws
        {
            let world = try await World.start()
            let first = try await Images.make(Images.Wish(version: "261101-0800", chip: chip))
            let package = try await Images.make(Images.Wish(version: "261124-1200", chip: chip, size: 200_001))
            let candy = try await world.candy(image: first, hardware: chip)
            #expect(try await world.ispy("program", "write", "candy3.cafenet", package).status == 0)

            let copy = world.folder.path + "/copy.bin"
            #expect(try await world.candyFlash(3, ["read", "--slot", "1", copy]).status == 0)
            #expect(try Images.bytes(copy) == Images.bytes(package))
            let info = try await RunningProgram(
                Place.python, ["-m", "esptool", "image-info", copy], folder: world.folder.path
            ).end()
            #expect(info.status == 0)
            #expect(info.output.contains("261124-1200"), "\(info)")
            #expect(info.output.contains("Project name: candy"))
            #expect(info.output.split(separator: "\n").filter { $0.hasSuffix("(valid)") }.count == 2, "\(info)")

            #expect(try await world.candyFlash(3, ["read", "--slot", "0", copy]).status == 0)
            #expect(try Images.bytes(copy) == Images.bytes(first))
            let slots = try await world.candyFlash(3, ["status", "--json"]).array()
            #expect(slots.map { $0["boots"] as? Bool } == [false, true])
            try await candy.stop()
            try await world.stop()
        }

        @Test func `The partition table on the flash is one by the documented format`() async throws {
            let world = try await World.start()
            let candy = try await world.candy()
            let file = world.folder.path + "/table.bin"
            #expect(try await world.candyFlash(3, ["table", "--output", file]).status == 0)
            let table = try Table(try Images.bytes(file))
            // The image is the whole flash: the table lies where every ESP-IDF boot loader looks for it.
            let flash = try Images.bytes(world.candyFolder(3) + "/flash.img")
            #expect(flash.count == 4 << 20)
            #expect(try Table(Array(flash[0x8000..<0x8C00])) == table)

            let slots = table.entries.filter { $0.type == 0 }
            #expect(slots.map(\.subtype) == [0x10, 0x11])
            #expect(slots.allSatisfy { $0.offset % 0x10000 == 0 && $0.size == slots[0].size })
            let otaData = try #require(table.entries.first { $0.type == 1 && $0.subtype == 0 })
            #expect(otaData.size == 0x2000 && otaData.offset % 0x1000 == 0)
            let sorted = table.entries.sorted { $0.offset < $1.offset }
            for (entry, next) in zip(sorted, sorted.dropFirst()) { #expect(entry.offset + entry.size <= next.offset) }
            #expect(sorted[0].offset >= 0x9000)
            #expect(sorted.last.map { $0.offset + $0.size <= flash.count } == true)
            try await candy.stop()
            try await world.stop()
        }
    }
}

/// Reads a partition table by the format that ESP-IDF documents; written for this test only.
private struct Table: Equatable {
    struct Entry: Equatable {
        let type: UInt8
        let subtype: UInt8
        let offset: Int
        let size: Int
        let label: String
    }

    private(set) var entries: [Entry] = []

    init(_ bytes: [UInt8]) throws {
        func number(_ at: Int) -> Int {
            bytes[at..<at + 4].enumerated().reduce(0) { $0 | Int($1.element) << (8 * $1.offset) }
        }
        for at in stride(from: 0, to: bytes.count, by: 32) {
            switch (bytes[at], bytes[at + 1]) {
            case (0xAA, 0x50):
                let label = bytes[at + 12..<at + 28].prefix { $0 != 0 }
                entries.append(
                    Entry(
                        type: bytes[at + 2], subtype: bytes[at + 3], offset: number(at + 4), size: number(at + 8),
                        label: String(decoding: label, as: UTF8.self)))
            case (0xEB, 0xEB):
                guard bytes[at + 2..<at + 16].allSatisfy({ $0 == 0xFF }) else { throw Unexpected("odd MD5 entry") }
                guard Array(Insecure.MD5.hash(data: bytes[..<at])) == Array(bytes[at + 16..<at + 32]) else {
                    throw Unexpected("wrong MD5")
                }
                guard bytes[(at + 32)...].allSatisfy({ $0 == 0xFF }) else { throw Unexpected("something behind") }
                return
            default: throw Unexpected("no entry at \(at)")
            }
        }
        throw Unexpected("no MD5 entry")
    }
}
