/// A picture as it travels through the network: a header of ``BrickLimit/header`` bytes and the pixels
/// (application-layer.md 6.2).
///
///     let brick = try Brick(width: 160, height: 120, timestamp: 0, data: pixels)
///     let bytes = brick.encoded
///     let same = try Brick(decoding: bytes)
public struct Brick: Sendable, Equatable {
    /// What the bytes mean once they are not compressed.
    public let format: PixelFormat
    /// How they are packed.
    public let compression: PictureCompression
    /// Pixels in a row, 1…``BrickLimit/width``.
    public let width: Int
    /// Rows, 1…``BrickLimit/height``.
    public let height: Int
    /// When it was taken: microseconds since the device started.
    public let timestamp: UInt64
    /// Pixels, or a whole JPEG file.
    public let data: [UInt8]

    /// Makes a picture. Data that is compressed must not be longer than it would be without: the original refuses that.
    public init(
        _ format: PixelFormat = .rgb24, _ compression: PictureCompression = .none, width: Int, height: Int,
        timestamp: UInt64, data: [UInt8]
    ) throws(BrickError) {
        guard (1...BrickLimit.width).contains(width), (1...BrickLimit.height).contains(height) else {
            throw .dimensions(width: width, height: height)
        }
        let uncompressed = width * height * format.bytesPerPixel
        switch compression {
        case .none:
            guard data.count == uncompressed else { throw .dataLength(data.count, uncompressed: uncompressed) }
        case .jpeg(let quality):
            guard quality <= BrickLimit.quality else { throw .unknownCompression(quality) }
            guard !data.isEmpty, data.count <= uncompressed else {
                throw .dataLength(data.count, uncompressed: uncompressed)
            }
        }
        guard data.count <= BrickLimit.brick - BrickLimit.header else {
            throw .tooLarge(bytes: data.count + BrickLimit.header)
        }
        self.format = format
        self.compression = compression
        self.width = width
        self.height = height
        self.timestamp = timestamp
        self.data = data
    }

    /// Bytes of header and data.
    public var byteCount: Int { BrickLimit.header + data.count }
    /// Bytes of the data without compression.
    public var uncompressedDataCount: Int { width * height * format.bytesPerPixel }
}
