import DeviceStorage
@testable import Installers
import Testing
import UpdateTesting

@Suite struct OTADataTests {
    @Test func `Sequence numbers have the checksums that ESP-IDF writes`() {
        // Python: binascii.crc32(struct.pack('<I', n), 0xFFFFFFFF), as otatool.py does it.
        #expect(OTAEntry.crc(of: 1) == 0x4743_989A)
        #expect(OTAEntry.crc(of: 2) == 0x55F6_3774)
        #expect(OTAEntry.crc(of: 3) == 0xED4A_5011)
    }

    @Test func `An entry has the documented form`() {
        let bytes = OTAEntry(sequence: 2, state: .valid).encoded
        #expect(
            bytes == [2, 0, 0, 0] + [UInt8](repeating: 0xFF, count: 20) + [2, 0, 0, 0, 0x74, 0x37, 0xF6, 0x55])
        #expect(OTAEntry(parsing: bytes)?.mayBoot == true)
        #expect(OTAEntry(parsing: Array(bytes.dropLast())) == nil)
    }

    static func entry(_ sequence: UInt32, _ state: OTAState) -> OTAEntry { OTAEntry(sequence: sequence, state: state) }

    @Test func `The larger sequence decides unless its program was given up`() {
        let empty = OTAEntry(parsing: [UInt8](repeating: 0xFF, count: 32)) ?? Self.entry(.max, .undefined)
        func slot(_ a: OTAEntry, _ b: OTAEntry) -> Int? { OTAData([a, b], slotCount: 2).activeSlot }
        #expect(slot(empty, empty) == nil)
        #expect(slot(Self.entry(1, .valid), empty) == 0)
        #expect(slot(Self.entry(1, .valid), Self.entry(2, .new)) == 1)
        #expect(slot(Self.entry(3, .undefined), Self.entry(2, .valid)) == 0)
        #expect(slot(Self.entry(3, .invalid), Self.entry(2, .valid)) == 1)
        #expect(slot(Self.entry(3, .aborted), Self.entry(2, .valid)) == 1)
        #expect(slot(Self.entry(3, .aborted), Self.entry(2, .invalid)) == nil)
        var broken = Self.entry(3, .valid)
        broken.crc ^= 1
        #expect(slot(broken, Self.entry(2, .valid)) == 1)
        // Equal numbers: the first.
        #expect(OTAData([Self.entry(2, .valid), Self.entry(2, .new)], slotCount: 2).active == 0)
    }

    @Test func `The next sequence for a slot is the lowest above`() {
        let data = OTAData([Self.entry(1, .valid), Self.entry(2, .valid)], slotCount: 2)
        #expect(data.sequence(for: 0, above: 2) == 3)
        #expect(data.sequence(for: 1, above: 2) == 4)
        #expect(data.sequence(for: 1, above: 1) == 2)
        #expect(data.sequence(for: 0, above: 0xFFFF_FFFE) == nil)
    }

    @Test func `Any otadata gives a slot or none`() {
        var random = SeededGenerator(seed: 6)
        for _ in 0..<3000 {
            var bytes = Self.entry(UInt32.random(in: 0...5, using: &random), .new).encoded
            bytes += Self.entry(UInt32.random(in: .min ... .max, using: &random), .valid).encoded
            for _ in 0..<Int.random(in: 0...2, using: &random) {
                bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: .min ... .max, using: &random)
            }
            fuzzOTAData(bytes)
            fuzzOTAData(random.bytes(64))
        }
    }
}
