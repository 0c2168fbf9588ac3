import IOCOM
import Testing

@testable import Bricks

@Suite("Bricks") struct BrickTests {
    private static func brick(_ width: Int = 4, _ height: Int = 3) throws -> Brick {
        try Brick(
            width: width, height: height, timestamp: 0x0102_0304_0506_0708,
            data: (0..<width * height * 3).map { UInt8(truncatingIfNeeded: $0 &* 37) })
    }

    @Test("the header is that of the original") func header() throws {
        let bytes = try Self.brick().encoded
        #expect(bytes.count == 24 + 36)
        #expect(bytes[0] == 0x98)
        #expect(bytes[1] == 0)
        #expect(Array(bytes[4..<24]) == [4, 0, 3, 0, 60, 0, 0, 0, 60, 0, 0, 0, 8, 7, 6, 5, 4, 3, 2, 1])
        var cleared = bytes
        cleared[2] = 0
        cleared[3] = 0
        let checksum = CRC16.of(cleared)
        #expect(bytes[2] == UInt8(checksum & 0xFF))
        #expect(bytes[3] == UInt8(checksum >> 8))
    }

    @Test("what was encoded is decoded", arguments: PixelFormat.allCases) func roundTrip(format: PixelFormat) throws {
        for (compression, count) in [
            (PictureCompression.none, 12 * format.bytesPerPixel), (.jpeg(quality: 0), 1), (.jpeg(quality: 127), 12),
        ] {
            let brick = try Brick(
                format, compression, width: 4, height: 3, timestamp: .max,
                data: (0..<count).map { UInt8(truncatingIfNeeded: $0) })
            #expect(try Brick(decoding: brick.encoded) == brick)
            #expect(brick.encoded.count == brick.byteCount)
        }
    }

    @Test("every changed byte is noticed") func changes() throws {
        let bytes = try Self.brick().encoded
        for place in bytes.indices {
            for change in 1...255 {
                var changed = bytes
                changed[place] ^= UInt8(change)
                #expect(throws: BrickError.self) { try Brick(decoding: changed) }
            }
        }
    }

    @Test("every length but the right one is refused") func lengths() throws {
        let bytes = try Self.brick().encoded
        for count in 0..<bytes.count {
            #expect(throws: BrickError.self) { try Brick(decoding: Array(bytes[..<count])) }
        }
        #expect(throws: BrickError.wrongSize(announced: 60, bytes: 61)) { try Brick(decoding: bytes + [0]) }
        #expect(throws: BrickError.truncated(bytes: 0)) { try Brick(decoding: []) }
    }

    @Test("a right checksum does not make a wrong header right") func hostileHeaders() throws {
        func changed(_ places: [(Int, UInt8)]) throws -> [UInt8] {
            var bytes = try Self.brick().encoded
            for (place, byte) in places { bytes[place] = byte }
            bytes[2] = 0
            bytes[3] = 0
            let checksum = CRC16.of(bytes)
            bytes[2] = UInt8(checksum & 0xFF)
            bytes[3] = UInt8(checksum >> 8)
            return bytes
        }
        #expect(throws: BrickError.unknownFormat(7)) { try Brick(decoding: try changed([(0, 7)])) }
        #expect(throws: BrickError.unknownCompression(5)) { try Brick(decoding: try changed([(1, 5)])) }
        #expect(throws: BrickError.dimensions(width: 0, height: 3)) { try Brick(decoding: try changed([(4, 0)])) }
        #expect(throws: BrickError.dimensions(width: 4, height: 0xFF03)) {
            try Brick(decoding: try changed([(7, 0xFF)]))
        }
        #expect(throws: BrickError.dimensions(width: 0xFF04, height: 3)) {
            try Brick(decoding: try changed([(5, 0xFF)]))
        }
        #expect(throws: BrickError.dataLength(36, uncompressed: 45)) { try Brick(decoding: try changed([(4, 5)])) }
        // As a JPEG file the same bytes may be fewer than the pixels, not more.
        #expect(try Brick(decoding: try changed([(1, 0x80), (4, 5)])).compression == .jpeg(quality: 0))
        #expect(throws: BrickError.dataLength(36, uncompressed: 27)) {
            try Brick(decoding: try changed([(1, 0x80), (4, 3)]))
        }
    }

    @Test("random bytes never do harm") func randomBytes() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            let count = Int.random(in: 0..<100, using: &generator)
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            _ = try? Brick(decoding: bytes)
            _ = try? JPEGFile(bytes)
        }
    }

    @Test("a picture that cannot be sent is not made") func impossiblePictures() {
        #expect(throws: BrickError.dimensions(width: 0, height: 1)) {
            try Brick(width: 0, height: 1, timestamp: 0, data: [])
        }
        #expect(throws: BrickError.dimensions(width: 1, height: 3001)) {
            try Brick(width: 1, height: 3001, timestamp: 0, data: [])
        }
        #expect(throws: BrickError.dataLength(0, uncompressed: 3)) {
            try Brick(width: 1, height: 1, timestamp: 0, data: [])
        }
        #expect(throws: BrickError.unknownCompression(128)) {
            try Brick(.rgb24, .jpeg(quality: 128), width: 1, height: 1, timestamp: 0, data: [1])
        }
        #expect(throws: BrickError.tooLarge(bytes: 24 + 3 * 3000 * 3000)) {
            try Brick(
                width: 3000, height: 3000, timestamp: 0, data: [UInt8](repeating: 0, count: 3 * 3000 * 3000))
        }
    }
}
