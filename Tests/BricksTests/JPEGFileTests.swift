import Testing

@testable import Bricks

@Suite("JPEG files") struct JPEGFileTests {
    /// The segments of a file: what a reader of headers looks at, no picture.
    static func file(
        width: Int = 64, height: Int = 48, components: UInt8 = 3, frame: UInt8 = 0xC0, data: [UInt8] = [1, 2, 3]
    ) -> [UInt8] {
        [0xFF, 0xD8, 0xFF, 0xE0, 0, 4, 0x4A, 0x46, 0xFF, 0xFF, 0xC4, 0, 3, 9, 0xFF, frame, 0, 8, 8]
            + [UInt8(height >> 8), UInt8(height & 255), UInt8(width >> 8), UInt8(width & 255), components]
            + [0xFF, 0xDA, 0, 3, 0] + data + [0xFF, 0xD9]
    }

    @Test("the size is read", arguments: [0xC0, 0xC1, 0xC2, 0xCF]) func size(frame: UInt8) throws {
        let found = try JPEGFile(Self.file(width: 640, height: 481, frame: frame))
        #expect(found.width == 640)
        #expect(found.height == 481)
        #expect(found.components == 3)
        #expect(try JPEGFile(Self.file(components: 1)).components == 1)
        // Some cameras put something behind the end.
        #expect(try JPEGFile(Self.file() + [0, 0]).width == 64)
    }

    @Test("what is no whole file is refused") func damage() {
        #expect(throws: JPEGFileError.noStart) { try JPEGFile([]) }
        #expect(throws: JPEGFileError.noStart) { try JPEGFile(Array("GIF89a".utf8)) }
        #expect(throws: JPEGFileError.noFrame) { try JPEGFile([0xFF, 0xD8, 0xFF, 0xD9]) }
        #expect(throws: JPEGFileError.noFrame) { try JPEGFile(Self.file(frame: 0xC4)) }
        #expect(throws: JPEGFileError.noPixels) { try JPEGFile(Self.file(height: 0)) }
        #expect(throws: JPEGFileError.components(4)) { try JPEGFile(Self.file(components: 4)) }
        let file = Self.file()
        for count in 0..<file.count {
            #expect(throws: JPEGFileError.self) { try JPEGFile(Array(file[..<count])) }
        }
    }

    @Test("a file becomes a brick with its bytes as they are") func brick() throws {
        let file = Self.file()
        let brick = try Brick(jpeg: file, timestamp: 5)
        #expect(brick.data == file)
        #expect(brick.compression == .jpeg(quality: 0))
        #expect(brick.format == .rgb24)
        #expect(brick.encoded[1] == 0x80)
        #expect(try Brick(jpeg: Self.file(components: 1), timestamp: 5).format == .grayscale8)
        #expect(throws: BrickError.self) { try Brick(jpeg: Self.file(width: 2, height: 2), timestamp: 5) }
    }
}
