import ByteTools
import Programs
import Testing
import UpdateTesting

/// Our reader and writer beside `srec_cat` (srecord) and the Python package `intelhex`.
@Suite struct IntelHexToolsTests {
    static let python =
        #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }
        + "/.build-tools/venv/bin/python"

    /// Both are there after scripts/setup.
    static let toolsAreThere: Bool = {
        let found = try? Subprocess.run(
            "/bin/sh", ["-c", "srec_cat --version >/dev/null && \"$0\" -c 'import intelhex'", python],
            outputLimit: 10_000, milliseconds: 30_000)
        return found?.status == 0
    }()

    /// Reads every `*.hex` and `*.srec.hex` of the folder with intelhex and says what is in it, a line for each file; what it
    /// can read it also writes, as `*.ih`.
    static let script = """
        import glob, os, sys
        from intelhex import IntelHex
        os.chdir(sys.argv[1])
        for name in sorted(glob.glob('*.hex')):
            try:
                image = IntelHex(name)
                start = image.start_addr
                areas = ' '.join('%x:%s' % (first, bytes(image.tobinarray(first, end - 1)).hex())
                                 for first, end in image.segments())
                start = '-' if not start else '%x' % (start['EIP'] if 'EIP' in start else start['CS'] << 16 | start['IP'])
                print(name, start, areas)
                if '.srec.' not in name:
                    image.write_hex_file(name[:-4] + '.ih')
            except Exception as error:
                print(name, 'refused', type(error).__name__)
        """

    /// A hex file made without the writer under test, and what others make of it.
    struct Sample {
        var text: [UInt8]
        /// intelhex does not wrap addresses and refuses whatever comes twice.
        var isForIntelHex = true
        var isGood = true

        /// Areas of random bytes in records of random sizes and order, with all that the format offers.
        init(_ random: inout SeededGenerator) {
            var records: [(base: UInt32, isSegment: Bool, offset: UInt16, data: [UInt8])] = []
            let isSegmented = Int.random(in: 0..<4, using: &random) == 0
            var place = UInt32.random(in: 0..<(isSegmented ? 0x8_0000 : 0xF000_0000), using: &random)
            if Int.random(in: 0..<4, using: &random) == 0 { place %= 0x8000 }
            let size = Int.random(in: 1...255, using: &random)
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                for _ in 0..<Int.random(in: 1...12, using: &random) {
                    let count =
                        Int.random(in: 0..<3, using: &random) > 0 ? size : Int.random(in: 0...255, using: &random)
                    let data = random.bytes(count)
                    if isSegmented {
                        // Any of the segments that reach the place.
                        let segment = place / 16 - UInt32.random(in: 0...min(place / 16, 0xF00), using: &random)
                        let offset = place - segment * 16
                        // Sometimes up to the segment's end and around it.
                        if offset + UInt32(count) > 0x10000 { isForIntelHex = false }
                        records.append((segment, true, UInt16(offset), data))
                    } else {
                        records.append((place >> 16, false, UInt16(place & 0xFFFF), data))
                    }
                    place += UInt32(count)
                }
                place += UInt32.random(in: 1...(Bool.random(using: &random) ? 40 : 40_000), using: &random)
            }
            if isSegmented, Int.random(in: 0..<3, using: &random) == 0 {
                // In a segment far from the others, its last bytes and its first ones.
                let data = random.bytes(Int.random(in: 2...100, using: &random))
                let offset = 0x10000 - Int.random(in: 1..<data.count, using: &random)
                records.append((0xC000, true, UInt16(offset), data))
                isForIntelHex = false
            }
            if Int.random(in: 0..<8, using: &random) == 0, let record = records.randomElement(using: &random),
                record.data.count > 2, Int(record.offset) + record.data.count < 0x10000
            {
                // The same bytes once more.
                records.append((record.base, record.isSegment, record.offset + 1, Array(record.data.dropFirst())))
                isForIntelHex = false
            }
            if Bool.random(using: &random) { records.shuffle(using: &random) }
            var lines: [String] = []
            var base: UInt32?
            for record in records {
                if base != record.base, base != nil || record.base != 0 || Bool.random(using: &random) {
                    let bytes = [UInt8(record.base >> 8 & 0xFF), UInt8(record.base & 0xFF)]
                    lines.append(hexRecord(record.isSegment ? 2 : 4, 0, bytes))
                }
                base = record.base
                lines.append(hexRecord(0, record.offset, record.data))
            }
            if Bool.random(using: &random) {
                // The kind that belongs to the bases: srec_cat takes a start address as if it were a base of its kind.
                let start = hexRecord(isSegmented ? 3 : 5, 0, random.bytes(4))
                lines.insert(start, at: Int.random(in: 0...lines.count, using: &random))
            }
            lines.append(hexRecord(1))
            if Bool.random(using: &random) { lines = lines.map { $0.lowercased() } }
            let ends = ["\n", "\r\n"]
            text = Array(lines.joined(separator: ends.randomElement(using: &random) ?? "\n").utf8)
            if Bool.random(using: &random) { text += Array("\n".utf8) }
        }

        /// One digit is another one: the checksum of its record is wrong for everybody.
        mutating func damage(_ random: inout SeededGenerator) {
            let digits = text.indices.filter { text[$0] != 0x0A && text[$0] != 0x0D && text[$0] != UInt8(ascii: ":") }
            guard let place = digits.randomElement(using: &random) else { return }
            text[place] = text[place] == UInt8(ascii: "0") ? UInt8(ascii: "1") : UInt8(ascii: "0")
            isGood = false
        }
    }

    /// As the script says it.
    static func line(_ name: String, _ image: IntelHexImage) -> String {
        let start =
            switch image.start {
            case nil: "-"
            case .linear(let address): String(address, radix: 16)
            case .segmented(let segment, let pointer): String(UInt32(segment) << 16 | UInt32(pointer), radix: 16)
            }
        let areas = image.areas.map { String($0.address, radix: 16) + ":" + hexadecimal($0.bytes) }
        return "\(name) \(start) \(areas.joined(separator: " "))"
    }

    @Test(.enabled(if: toolsAreThere, "scripts/setup installs srecord and intelhex"))
    func `1,000 generated files are the same bytes for us, for srec_cat and for intelhex`() throws {
        let folder = try TemporaryFolder()
        var random = SeededGenerator(seed: 7)
        var samples: [String: Sample] = [:]
        for number in 0..<1100 {
            var sample = Sample(&random)
            if number >= 1000 {
                sample.damage(&random)
            } else if number % 2 == 1 {
                // The same bytes by our writer.
                let image = try IntelHexImage(parsing: sample.text)
                let reaches = image.areas.allSatisfy { UInt64($0.address) + UInt64($0.bytes.count) <= 1 << 20 }
                var writer = IntelHexWriter(
                    addressing: reaches && number % 4 == 1 ? .segmented : .linear,
                    recordSize: Int.random(in: 1...255, using: &random), isUppercase: number % 3 > 0,
                    lineEnd: number % 5 == 0 ? "\r\n" : "\n")
                if let start = image.start { writer.add(start) }
                for area in image.areas { try writer.add(area.bytes, at: area.address) }
                sample.text = writer.finish()
                #expect(try IntelHexImage(parsing: sample.text).areas == image.areas)
                sample.isForIntelHex = true
            }
            let name = "\(10_000 + number)"
            samples[name] = sample
            try folder.write(name + ".hex", sample.text)
        }
        let converted = try Subprocess.run(
            "/bin/sh",
            [
                "-c",
                "cd \"$0\" && ls *.hex | sed 's/[.]hex$//' | xargs -P 2 -I {} sh -c "
                    + "'srec_cat {}.hex -intel -o {}.srec.hex -intel 2>/dev/null || rm -f {}.srec.hex'",
                folder.path,
            ], outputLimit: 1 << 20, milliseconds: 300_000)
        #expect(converted.status == 0)
        let read = try Subprocess.run(
            Self.python, ["-c", Self.script, folder.path], outputLimit: 64 << 20, milliseconds: 300_000)
        #expect(read.status == 0, "\(String(decoding: read.errors.suffix(500), as: UTF8.self))")
        var others: [String: String] = [:]
        for line in String(decoding: read.output, as: UTF8.self).split(separator: "\n") {
            others[line.split(separator: " ").first.map(String.init) ?? ""] = String(line)
        }

        func content(_ name: String) throws -> [UInt8]? {
            guard let file = try? File(folder.path + "/" + name, .read) else { return nil }
            return try file.read(at: 0, count: file.byteCount)
        }
        var compared = (srecCat: 0, intelHex: 0, refused: 0)
        for (name, sample) in samples {
            let srec = try content(name + ".srec.hex")
            guard sample.isGood else {
                #expect(throws: IntelHexError.self) { try IntelHexImage(parsing: sample.text) }
                #expect(srec == nil && others[name + ".hex"]?.contains(" refused ") == true, "\(name)")
                compared.refused += 1
                continue
            }
            let ours = try IntelHexImage(parsing: sample.text)
            // What srec_cat made of it, read by both.
            let theirs = try IntelHexImage(parsing: #require(srec, "srec_cat refused \(name)"))
            let isSame = theirs.areas == ours.areas
            #expect(isSame, "\(name), srec_cat")
            let isReadSame = others[name + ".srec.hex"] == Self.line(name + ".srec.hex", theirs)
            #expect(isReadSame, "\(name), intelhex and srec_cat")
            compared.srecCat += 1
            guard sample.isForIntelHex else { continue }
            let isRead = others[name + ".hex"] == Self.line(name + ".hex", ours)
            #expect(isRead, "\(name), intelhex")
            let isWritten = try IntelHexImage(parsing: content(name + ".ih") ?? []) == ours
            #expect(isWritten, "\(name), written by intelhex")
            compared.intelHex += 1
        }
        print(
            "hex files: \(compared.srecCat) as srec_cat, \(compared.intelHex) as intelhex, \(compared.refused) refused")
        #expect(compared.srecCat == 1000 && compared.intelHex > 700 && compared.refused == 100)
    }
}
