/// Why bytes are no brick, or a picture cannot be one.
public enum BrickError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Fewer bytes than a header has.
    case truncated(bytes: Int)
    /// The header tells of another number of bytes than there are.
    case wrongSize(announced: Int, bytes: Int)
    /// More bytes than ``BrickLimit/brick``.
    case tooLarge(bytes: Int)
    /// The checksum is not that of the bytes.
    case checksum
    /// A pixel format that does not exist.
    case unknownFormat(UInt8)
    /// A compression that does not exist, or a quality that the header cannot hold.
    case unknownCompression(UInt8)
    /// No pixels, or more than ``BrickLimit/width`` or ``BrickLimit/height``.
    case dimensions(width: Int, height: Int)
    /// The data is not as long as the pixels need, or longer than they would be without compression.
    case dataLength(Int, uncompressed: Int)

    /// For people.
    public var description: String {
        switch self {
        case .truncated(let bytes): "\(bytes) bytes are no picture: its header has \(BrickLimit.header)"
        case .wrongSize(let announced, let bytes): "the header tells of \(announced) bytes, there are \(bytes)"
        case .tooLarge(let bytes): "\(bytes) bytes are more than the \(BrickLimit.brick) that a picture may have"
        case .checksum: "the checksum is wrong"
        case .unknownFormat(let byte): "pixel format \(byte) is not known"
        case .unknownCompression(let byte): "compression \(byte) is not known"
        case .dimensions(let width, let height):
            "\(width)×\(height) pixels: a picture has 1×1 to \(BrickLimit.width)×\(BrickLimit.height)"
        case .dataLength(let bytes, let uncompressed):
            "\(bytes) bytes of data do not go with pixels that have \(uncompressed) bytes without compression"
        }
    }
}
