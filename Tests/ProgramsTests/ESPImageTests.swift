import ByteTools
import Programs
import Testing
import UpdateTesting

@Suite struct ESPImageTests {
    static func image(_ chip: ESPChip = .esp32, dataSize: Int = 700) -> [UInt8] {
        var builder = ESPImageBuilder(chip: chip, project: "candy", version: "260101-1200")
        var random = SeededGenerator(seed: 7)
        builder.data = random.bytes(dataSize)
        builder.code = random.bytes(333)
        builder.record = Array("record".utf8)
        return builder.build()
    }

    static func error(_ bytes: [UInt8]) -> ESPImageError? {
        do throws(ESPImageError) {
            _ = try ESPImage(checking: ArraySource(bytes))
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: [ESPChip.esp32, .esp32c3])
    func `A good image says what it is`(chip: ESPChip) throws {
        for size in 0..<20 {
            let bytes = Self.image(chip, dataSize: size)
            let image = try ESPImage(checking: ArraySource(bytes), chip: chip)
            #expect(image.chip == chip)
            #expect(image.application.project == "candy")
            #expect(image.application.version == "260101-1200")
            #expect(image.segments.count == 2)
            #expect(image.size == bytes.count && image.size % 16 == 0)
            #expect(image.digest == Array(bytes.suffix(32)))
            #expect(image.record.starts(with: "record".utf8))
        }
    }

    @Test func `A slot may go on after the image, a file may not`() throws {
        let bytes = Self.image() + [UInt8](repeating: 0xFF, count: 100)
        #expect(Self.error(bytes)?.kind == .trailing(100))
        #expect(try ESPImage(checking: ArraySource(bytes), mayBeFollowed: true).size == bytes.count - 100)
    }

    @Test func `Every truncation is refused and names the place`() {
        let bytes = Self.image()
        for length in bytes.indices {
            let error = Self.error(Array(bytes[..<length]))
            #expect(error?.offset == length)
            if length == 0 { #expect(error?.kind == .empty) }
        }
    }

    @Test func `Every flipped bit is noticed`() {
        let bytes = Self.image(dataSize: 40)
        for bit in 0..<bytes.count * 8 {
            var wrong = bytes
            wrong[bit / 8] ^= 1 << (bit % 8)
            #expect(Self.error(wrong) != nil, "bit \(bit)")
        }
    }

    @Test func `What is no image is called by its name`() {
        #expect(Self.error([])?.kind == .empty)
        #expect(Self.error(Array("hello".utf8))?.kind == .notAnImage(first: 0x68))
        var bytes = Self.image()
        bytes[1] = 17
        #expect(Self.error(bytes)?.kind == .segmentCount(17))
        bytes = Self.image()
        bytes[23] = 0
        #expect(Self.error(bytes)?.kind == .noDigest)
        bytes = Self.image()
        bytes[32] ^= 1
        #expect(Self.error(bytes)?.kind == .noDescriptor)
        bytes = Self.image()
        bytes[24] ^= 4
        #expect(Self.error(bytes)?.kind == .segmentPlace(address: 0x3F40_0024))
        bytes = Self.image()
        bytes[31] = 0x7F
        #expect(Self.error(bytes)?.kind == .segmentLength(0x7F00_03DC))
        bytes = Self.image()
        bytes[bytes.count - 1] ^= 1
        #expect(Self.error(bytes)?.kind == .digest)
        bytes = Self.image()
        bytes[12] = 9
        #expect(throws: ESPImageError.self) { try ESPImage(checking: ArraySource(bytes), chip: .esp32) }
        #expect(throws: ESPImageError.self) { try ESPImage(checking: ArraySource(Self.image()), limit: 1000) }
    }

    @Test func `A scanner that gets one byte at a time sees the same`() throws {
        let bytes = Self.image()
        var scanner = ESPImageScanner()
        for byte in bytes { #expect(try scanner.feed([byte]) == 1) }
        #expect(try scanner.finish() == ESPImage(checking: ArraySource(bytes)))
        #expect(try scanner.feed([0]) == 0)
    }

    @Test func `Any bytes are an image or refused`() {
        var random = SeededGenerator(seed: 11)
        let good = Self.image(dataSize: 100)
        for _ in 0..<3000 {
            var bytes = good
            for _ in 0..<Int.random(in: 0...3, using: &random) {
                bytes[Int.random(in: 0..<40, using: &random)] = UInt8.random(in: .min ... .max, using: &random)
            }
            fuzzESPImage(Array(bytes.prefix(Int.random(in: 0...bytes.count, using: &random))))
            fuzzESPImage([0xE9, 1] + random.bytes(Int.random(in: 0...300, using: &random)))
        }
    }
}
