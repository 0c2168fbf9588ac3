import Programs
import Testing
import UpdateTesting

/// A record with its checksum; made without the writer under test.
func hexRecord(_ type: UInt8, _ address: UInt16 = 0, _ data: [UInt8] = []) -> String {
    var bytes = [UInt8(data.count), UInt8(address >> 8), UInt8(address & 0xFF), type] + data
    bytes.append(0 &- bytes.reduce(0, &+))
    return ":" + bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true) }.joined()
}

@Suite struct IntelHexTests {
    static let end = hexRecord(1)

    static func problem(_ lines: [String], limits: IntelHexLimits = IntelHexLimits()) -> IntelHexError? {
        problem(lines.map { $0 + "\n" }.joined(), limits: limits)
    }

    static func problem(_ text: String, limits: IntelHexLimits = IntelHexLimits()) -> IntelHexError? {
        do throws(IntelHexError) {
            var reader = IntelHexReader(limits: limits)
            _ = try reader.feed(text.utf8)
            _ = try reader.finish()
            return nil
        } catch {
            return error
        }
    }

    static func image(_ lines: [String]) throws -> IntelHexImage {
        try IntelHexImage(parsing: lines.joined(separator: "\n").utf8)
    }

    @Test func `The example of the format's description is read`() throws {
        let image = try Self.image([
            ":10010000214601360121470136007EFE09D2190140", ":100110002146017E17C20001FF5F16002148011928",
            ":10012000194E79234623965778239EDA3F01B2CAA7", ":100130003F0156702B5E712B722B732146013421C7", ":00000001FF",
        ])
        #expect(image.areas.count == 1 && image.areas[0].address == 0x100 && image.areas[0].bytes.count == 64)
        #expect(image.areas[0].bytes.prefix(4) == [0x21, 0x46, 0x01, 0x36] && image.areas[0].bytes.last == 0x21)
    }

    @Test func `Addresses wrap in a segment and go on behind a linear base`() throws {
        let data = hexRecord(0, 0xFFFE, [1, 2, 3, 4])
        typealias Area = IntelHexImage.Area
        #expect(
            try Self.image([hexRecord(2, 0, [0x10, 0]), data, Self.end]).areas == [
                Area(address: 0x10000, bytes: [3, 4]), Area(address: 0x1FFFE, bytes: [1, 2]),
            ])
        #expect(
            try Self.image([hexRecord(4, 0, [0, 1]), data, Self.end]).areas
                == [Area(address: 0x1FFFE, bytes: [1, 2, 3, 4])])
        #expect(
            try Self.image([hexRecord(4, 0, [0xFF, 0xFF]), data, Self.end]).areas == [
                Area(address: 0, bytes: [3, 4]), Area(address: 0xFFFF_FFFE, bytes: [1, 2]),
            ])
        #expect(
            try Self.image([hexRecord(2, 0, [0xFF, 0xFF]), data, Self.end]).areas == [
                Area(address: 0xFFFF0, bytes: [3, 4]), Area(address: 0x10FFEE, bytes: [1, 2]),
            ])
    }

    @Test func `Start addresses are read, once`() throws {
        let linear = hexRecord(5, 0, [0x60, 0, 0x10, 1])
        let segmented = hexRecord(3, 0, [0x12, 0x34, 0, 7])
        #expect(try Self.image([linear, Self.end]).start == .linear(0x6000_1001))
        #expect(try Self.image([segmented, Self.end]).start == .segmented(segment: 0x1234, pointer: 7))
        #expect(Self.problem([linear, segmented, Self.end]) == IntelHexError(2, .secondStart))
    }

    @Test func `Line ends of all kinds, either case, blanks and blank lines are taken`() throws {
        let wanted = try Self.image([hexRecord(0, 0xABC, [0xAB, 0xCD]), hexRecord(0, 0xAC0, [0xEF]), Self.end])
        for end in ["\n", "\r\n", "\r", "\n\n", " \t\r\n\r\n  \r\n"] {
            let text = [hexRecord(0, 0xABC, [0xAB, 0xCD]).lowercased(), hexRecord(0, 0xAC0, [0xEF]), Self.end]
                .joined(separator: end)
            for tail in ["", end] {
                #expect(try IntelHexImage(parsing: (text + tail).utf8) == wanted)
                #expect(Self.problem(text + tail) == nil)
            }
        }
        #expect(Self.problem(":0000zz01FF\r\n")?.line == 1)
        #expect(Self.problem("\r\n\r\n\n\rx") == IntelHexError(5, .notARecord(UInt8(ascii: "x"))))
    }

    @Test func `What is wrong is said with its line`() {
        let data = hexRecord(0, 0x100, [1, 2, 3])
        let cases: [([String], Int, IntelHexError.Problem)] = [
            ([data], 2, .noEnd), ([], 1, .noEnd), ([data, "03"], 2, .notARecord(0x30)),
            ([":0x"], 1, .notADigit(0x78)), ([data, ":0301000001020"], 2, .cutOff), ([":00000001"], 1, .cutOff),
            ([":"], 1, .cutOff),
            ([":03010000010203F60A"], 1, .length(says: 3, has: 4)),
            ([":0401000001020306"], 1, .length(says: 4, has: 3)),
            ([":03010000010203F7"], 1, .checksum(found: 0xF7, expected: 0xF6)),
            ([hexRecord(6)], 1, .type(6)), ([hexRecord(0xFF)], 1, .type(0xFF)),
            ([hexRecord(1, 0, [0])], 1, .sizeOfType(1, 1)), ([hexRecord(2, 0, [1])], 1, .sizeOfType(2, 1)),
            ([hexRecord(4)], 1, .sizeOfType(4, 0)), ([hexRecord(3, 0, [1, 2, 3])], 1, .sizeOfType(3, 3)),
            ([hexRecord(5, 0, [1, 2, 3, 4, 5])], 1, .sizeOfType(5, 5)),
            ([data, hexRecord(0, 0x102, [3]), Self.end], 2, .overlap(0x102)),
            ([data, hexRecord(0, 0xFF, [3, 3]), Self.end], 2, .overlap(0x100)),
            ([data, Self.end, data], 3, .afterEnd), ([Self.end, Self.end], 2, .afterEnd),
            ([data + " 0"], 1, .notADigit(0x30)),
        ]
        for (lines, line, problem) in cases {
            #expect(Self.problem(lines) == IntelHexError(line, problem), "\(lines)")
        }
        #expect(Self.problem([hexRecord(0), Self.end]) == nil)
    }

    @Test func `Bytes that come twice are taken by an image when they are the same`() throws {
        let data = hexRecord(0, 0x100, [1, 2, 3])
        let image = try Self.image([data, hexRecord(0, 0xFF, [9, 1, 2, 3, 4]), Self.end])
        #expect(image.areas == [IntelHexImage.Area(address: 0xFF, bytes: [9, 1, 2, 3, 4])])
        #expect(image.repeatedCount == 3)
        #expect(throws: IntelHexError(2, .contradiction(0x101, was: 2, is: 7))) {
            try Self.image([data, hexRecord(0, 0x101, [7]), Self.end])
        }
    }

    @Test func `Limits hold`() {
        let two = [hexRecord(0, 0, [1, 2]), hexRecord(0, 9, [1, 2]), Self.end]
        #expect(Self.problem(two, limits: IntelHexLimits(data: 4, areas: 2)) == nil)
        #expect(
            Self.problem(two, limits: IntelHexLimits(data: 3)) == IntelHexError(2, .tooMuchData(limit: 3)))
        #expect(
            Self.problem(two, limits: IntelHexLimits(areas: 1)) == IntelHexError(2, .tooManyAreas(limit: 1)))
        #expect(
            Self.problem(two, limits: IntelHexLimits(text: 20)) == IntelHexError(2, .tooMuchText(limit: 20)))
        // A line never grows beyond one record.
        #expect(
            Self.problem(":" + String(repeating: "00", count: 10_000)) == IntelHexError(1, .length(says: 0, has: 1)))
    }

    @Test func `Pieces of any size give the same bytes`() throws {
        var random = SeededGenerator(seed: 3)
        var writer = IntelHexWriter(lineEnd: "\r\n")
        try writer.add(random.bytes(3000), at: 0xF000)
        try writer.add(random.bytes(500), at: 0x6000_0000)
        let text = writer.finish()
        let wanted = try IntelHexImage(parsing: text).areas
        for size in [1, 2, 3, 43, 44, 1000, text.count] {
            var reader = IntelHexReader()
            var bytes: [UInt32: UInt8] = [:]
            func keep(_ runs: [IntelHexRun]) {
                for run in runs { for (i, byte) in run.bytes.enumerated() { bytes[run.address + UInt32(i)] = byte } }
            }
            for start in stride(from: 0, to: text.count, by: size) {
                keep(try reader.feed(text[start..<min(text.count, start + size)]))
            }
            keep(try reader.finish())
            #expect(bytes.count == 3500 && reader.dataCount == 3500 && reader.textCount == text.count)
            for area in wanted {
                #expect(area.bytes.indices.allSatisfy { bytes[area.address + UInt32($0)] == area.bytes[$0] })
            }
            #expect(reader.span == 0xF000...0x6000_01F3)
        }
    }

    @Test func `A writer does not write what its records can't say`() throws {
        var writer = IntelHexWriter(addressing: .segmented)
        try writer.add([1], at: 0xFFFFF)
        let reach = #expect(throws: IntelHexWriter.OutOfReach.self) { try writer.add([1, 2], at: 0xFFFFF) }
        #expect(reach?.address == 0xFFFFF)
        var linear = IntelHexWriter()
        try linear.add([1], at: .max)
        #expect(throws: IntelHexWriter.OutOfReach.self) { try linear.add([1, 2], at: .max) }
        let image = try IntelHexImage(parsing: linear.finish())
        #expect(image.bytes(from: 0xFFFF_FFF0, limit: 16)?.count == 16)
        #expect(image.bytes(from: 0xFFFF_FFF0, limit: 15) == nil)
    }
}
