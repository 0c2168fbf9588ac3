public import ByteTools

/// What a valid application image of the ESP32 family says of itself.
///
/// Layout (ESP-IDF `esp_app_format.h`, esptool's firmware image format): header of 24 bytes, segments each with a header
/// of 8, filling so that the checksum byte ends a block of 16, SHA-256 of everything before it. The first segment starts
/// with the application descriptor of 256 bytes.
public struct ESPImage: Sendable, Equatable {
    /// One segment.
    public struct Segment: Sendable, Equatable {
        /// Where it goes in the chip's memory.
        public let address: UInt32
        /// Where its data is in the image.
        public let offset: Int
        /// Bytes of data.
        public let size: Int
    }

    /// The largest image: the flash these chips can address.
    public static let largestSize = 16 << 20
    /// Bytes of the header.
    public static let headerSize = 24
    /// Segments an image may have (`ESP_IMAGE_MAX_SEGMENTS`).
    public static let maximumSegments = 16
    /// Bytes after which chip and descriptor are known: header, segment header, descriptor, record after it.
    public static let leadSize = headerSize + 8 + ESPApplicationDescriptor.size + recordSize
    /// Bytes after the descriptor that are kept for whoever knows them.
    public static let recordSize = 32

    /// Chip it was made for.
    public let chip: ESPChip
    /// First instruction.
    public let entry: UInt32
    /// The segments in order.
    public let segments: [Segment]
    /// What the application says of itself.
    public let application: ESPApplicationDescriptor
    /// Up to `recordSize` bytes that follow the descriptor in its segment.
    public let record: [UInt8]
    /// Bytes of the image with its checksums.
    public let size: Int
    /// The appended SHA-256.
    public let digest: [UInt8]

    /// Checks an image that is read piece by piece. With `mayBeFollowed` the source may go on after the image, as a slot
    /// in the flash does; a file may not. With `chip` an image for another one is refused.
    public init(
        checking source: some ByteSource, chip: ESPChip? = nil, mayBeFollowed: Bool = false,
        limit: Int = ESPImage.largestSize
    ) throws(ESPImageError) {
        var scanner = ESPImageScanner(chip: chip, limit: limit)
        let total: Int
        do { total = try source.byteCount } catch { throw ESPImageError(.unreadable(error), at: 0) }
        guard mayBeFollowed || total <= limit else { throw ESPImageError(.tooLarge(limit: limit), at: limit) }
        var offset = 0
        while offset < total, !scanner.isComplete {
            let chunk: [UInt8]
            do { chunk = try source.read(at: offset, count: min(1 << 15, total - offset)) } catch {
                throw ESPImageError(.unreadable(error), at: offset)
            }
            offset += try scanner.feed(chunk)
        }
        self = try scanner.finish()
        guard mayBeFollowed || size == total else { throw ESPImageError(.trailing(total - size), at: size) }
    }

    init(
        chip: ESPChip, entry: UInt32, segments: [Segment], application: ESPApplicationDescriptor, record: [UInt8],
        size: Int, digest: [UInt8]
    ) {
        self.chip = chip
        self.entry = entry
        self.segments = segments
        self.application = application
        self.record = record
        self.size = size
        self.digest = digest
    }
}

/// The application descriptor (`esp_app_desc_t`, 256 bytes, ESP-IDF `esp_app_desc.h`).
public struct ESPApplicationDescriptor: Sendable, Equatable {
    /// Bytes.
    public static let size = 256
    /// First word.
    public static let magic: UInt32 = 0xABCD_5432

    /// Version text of the application, up to 32 bytes.
    public let version: String
    /// Name of the project: the application, up to 32 bytes.
    public let project: String
    /// Time of the build as the compiler wrote it.
    public let time: String
    /// Date of the build as the compiler wrote it.
    public let date: String
    /// Version of the framework.
    public let framework: String

    /// Reads the 256 bytes; nil when the magic is missing or a text is not printable.
    public init?(parsing bytes: [UInt8]) {
        guard bytes.count >= Self.size, bytes.number(at: 0) == Self.magic,
            let version = bytes.text(at: 16, length: 32), let project = bytes.text(at: 48, length: 32),
            let time = bytes.text(at: 80, length: 16), let date = bytes.text(at: 96, length: 16),
            let framework = bytes.text(at: 112, length: 32)
        else { return nil }
        self.version = version
        self.project = project
        self.time = time
        self.date = date
        self.framework = framework
    }
}

/// Why bytes are not an image that a chip of the ESP32 family would run, and where.
public struct ESPImageError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What is wrong.
    public enum Kind: Equatable, Sendable {
        /// There are no bytes.
        case empty
        /// The first byte is not 0xE9.
        case notAnImage(first: UInt8)
        /// The bytes end inside of something.
        case truncated(in: String)
        /// More bytes than allowed.
        case tooLarge(limit: Int)
        /// Bytes after the end of the image.
        case trailing(Int)
        /// None or too many segments.
        case segmentCount(Int)
        /// Made for another chip.
        case otherChip(found: ESPChip, expected: ESPChip)
        /// A segment's length is not a multiple of four or reaches past the limit.
        case segmentLength(Int)
        /// A segment that is mapped from flash does not lie at its place within a page.
        case segmentPlace(address: UInt32)
        /// The first segment does not hold an application descriptor where it must be.
        case noDescriptor
        /// The image has no SHA-256.
        case noDigest
        /// The checksum byte is wrong.
        case checksum(found: UInt8, computed: UInt8)
        /// The SHA-256 is wrong.
        case digest
        /// Reading failed.
        case unreadable(StorageFailure)
    }

    /// What is wrong.
    public let kind: Kind
    /// Byte of the image where it is wrong.
    public let offset: Int

    init(_ kind: Kind, at offset: Int) {
        self.kind = kind
        self.offset = offset
    }

    /// True when the bytes were an image once but got damaged or cut.
    public var isDamage: Bool {
        switch kind {
        case .truncated, .checksum, .digest, .trailing: true
        default: false
        }
    }

    /// The reason for people.
    public var description: String {
        let what =
            switch kind {
            case .empty: "the file is empty"
            case .notAnImage(let first): "not an ESP32 program: it starts with \(hexadecimal(first)), not with 0xe9"
            case .truncated(let part): "the program is cut off in \(part)"
            case .tooLarge(let limit): "the program is larger than \(limit) bytes"
            case .trailing(let count): "\(count) bytes follow after the end of the program"
            case .segmentCount(let count):
                "the header says \(count) segments; 1 to \(ESPImage.maximumSegments) are possible"
            case .otherChip(let found, let expected): "the program is for \(found), the device has \(expected)"
            case .segmentLength(let length): "a segment can't have \(length) bytes"
            case .segmentPlace(let address):
                "the segment for address \(hexadecimal(address)) does not lie where the flash can be mapped"
            case .noDescriptor: "there is no application descriptor, so this is not an application that can be updated"
            case .noDigest: "the program carries no SHA-256; build it with one"
            case .checksum(let found, let computed):
                "the program is damaged: checksum \(hexadecimal(found)), computed \(hexadecimal(computed))"
            case .digest: "the program is damaged: its SHA-256 does not match"
            case .unreadable(let failure): failure.description
            }
        return what + " (byte \(offset))"
    }
}
