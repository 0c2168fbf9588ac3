/// What the bytes of a picture mean; the raw values are those of the header.
public enum PixelFormat: UInt8, Sendable, CaseIterable {
    /// One byte a pixel.
    case grayscale8 = 0x08
    /// Two bytes a pixel.
    case grayscale16 = 0x10
    /// Red, green, blue.
    case rgb24 = 0x98
    /// Red, green, blue, opacity.
    case rgba32 = 0xE0

    /// Bytes of a pixel that is not compressed.
    public var bytesPerPixel: Int {
        switch self {
        case .grayscale8: 1
        case .grayscale16: 2
        case .rgb24: 3
        case .rgba32: 4
        }
    }
}

/// How the bytes of a picture are packed.
public enum PictureCompression: Sendable, Equatable {
    /// Rows from the top, pixels from the left, nothing between them.
    case none
    /// A JPEG file; `quality` is what its maker used, 0 when that is not known, at most ``BrickLimit/quality``.
    case jpeg(quality: UInt8)

    private static let jpegBit: UInt8 = 0x80

    init?(header byte: UInt8) {
        switch byte {
        case 0: self = .none
        case Self.jpegBit...: self = .jpeg(quality: byte & BrickLimit.quality)
        default: return nil
        }
    }

    var headerByte: UInt8 {
        switch self {
        case .none: 0
        case .jpeg(let quality): Self.jpegBit | quality
        }
    }
}
