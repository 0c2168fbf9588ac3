public import IOCOM

/// What a program for a microcontroller says of itself: 128 bytes at offset 0x200 of its image (docs/firmware.md).
///
/// It stands near the start so that a wrong package is known before anything is erased, and behind the longest vector
/// table of the parts that are supported.
public struct ProgramDescriptor: Equatable, Sendable {
    /// Where it lies in an image.
    public static let offset = 0x200
    /// Number of bytes.
    public static let size = 128
    /// Where the record for emulated devices lies, and its length; see `ProgramBehaviour`.
    public static let recordOffset = 0x280
    /// Bytes of that record.
    public static let recordSize = 32
    /// Smallest image: everything up to the record, and the trailer.
    public static let smallestImage = UInt32(recordOffset + recordSize + ImageTrailer.size)
    /// Largest image.
    public static let largestImage: UInt32 = 16 << 20
    private static let format: UInt16 = 1
    private static let magic: InlineArray<8, UInt8> = [0x49, 0x4F, 0x43, 0x4F, 0x4D, 0x50, 0x52, 0x47]  // IOCOMPRG

    /// Bytes of the image with its trailer, a multiple of 8.
    public var imageSize: UInt32
    /// Address that the first byte is linked for.
    public var loadAddress: UInt32
    /// The application, equal to the device name without number.
    public var application: ShortText<15>
    /// Version, `YYMMDD-HHMM`.
    public var version: ShortText<15>
    /// Operating system as `si_os` and package names have it.
    public var os: ShortText<7>
    /// Hardware as `si_hw` and package names have it.
    public var hardware: ShortText<16>
    /// Who made it.
    public var organization: ShortText<15>

    /// A descriptor of its parts.
    public init(
        imageSize: UInt32, loadAddress: UInt32, application: ShortText<15>, version: ShortText<15>, os: ShortText<7>,
        hardware: ShortText<16>, organization: ShortText<15>
    ) {
        self.imageSize = imageSize
        self.loadAddress = loadAddress
        self.application = application
        self.version = version
        self.os = os
        self.hardware = hardware
        self.organization = organization
    }

    /// Reads the 128 bytes at `offset`.
    public init(parsing bytes: RawSpan, at offset: Int) throws(ImageProblem) {
        guard offset >= 0, offset <= bytes.byteCount, bytes.byteCount - offset >= Self.size else { throw .tooShort }
        for i in 0..<8 where bytes.byte(offset + i) != Self.magic[i] { throw .notAnImage }
        var crc = ImageCRC()
        for i in 0..<(Self.size - 4) { crc.add(bytes.byte(offset + i)) }
        guard crc.value == bytes.word(offset + Self.size - 4) else { throw .descriptorChecksum }
        let format = UInt16(truncatingIfNeeded: bytes.word(offset + 8))
        guard format == Self.format else { throw .format(format) }
        imageSize = bytes.word(offset + 12)
        guard imageSize >= Self.smallestImage, imageSize <= Self.largestImage, imageSize % 8 == 0 else {
            throw .size(imageSize)
        }
        loadAddress = bytes.word(offset + 16)
        application = try bytes.text(offset + 20, field: 16)
        version = try bytes.text(offset + 36, field: 16)
        os = try bytes.text(offset + 52, field: 8)
        hardware = try bytes.text(offset + 60, field: 20)
        organization = try bytes.text(offset + 80, field: 16)
    }

    /// Writes the 128 bytes into `out`, which must have room for them.
    public func encode(into out: UnsafeMutableRawBufferPointer) {
        precondition(out.count >= Self.size, "no room for a program descriptor")
        for i in 0..<Self.size { out[i] = i < 8 ? Self.magic[i] : 0 }
        out.put(UInt32(Self.format), at: 8)
        out.put(imageSize, at: 12)
        out.put(loadAddress, at: 16)
        out.put(application, at: 20)
        out.put(version, at: 36)
        out.put(os, at: 52)
        out.put(hardware, at: 60)
        out.put(organization, at: 80)
        var crc = ImageCRC()
        crc.add(UnsafeRawBufferPointer(rebasing: out[..<(Self.size - 4)]))
        out.put(crc.value, at: Self.size - 4)
    }
}

/// The last bytes of an image: eight letters and the SHA-256 of everything before them.
public enum ImageTrailer {
    /// Number of bytes.
    public static let size = 40
    /// Letters in front of the hash.
    static let magic: InlineArray<8, UInt8> = [0x49, 0x4F, 0x43, 0x4F, 0x4D, 0x45, 0x4E, 0x44]  // IOCOMEND

    /// Writes the trailer for the hash of what stands before it.
    public static func encode(_ digest: ImageDigest, into out: UnsafeMutableRawBufferPointer) {
        precondition(out.count >= size, "no room for an image trailer")
        for i in 0..<8 { out[i] = magic[i] }
        for i in 0..<ImageDigest.size { out[8 + i] = digest[i] }
    }
}

extension RawSpan {
    /// The byte at an offset that was checked.
    func byte(_ offset: Int) -> UInt8 { unsafeLoad(fromByteOffset: offset, as: UInt8.self) }

    /// Four bytes, little endian, at an offset that was checked.
    func word(_ offset: Int) -> UInt32 {
        UInt32(byte(offset)) | UInt32(byte(offset + 1)) << 8 | UInt32(byte(offset + 2)) << 16
            | UInt32(byte(offset + 3)) << 24
    }

    /// A text that is padded with zeros in a field of `field` bytes.
    func text<let limit: Int>(_ offset: Int, field: Int) throws(ImageProblem) -> ShortText<limit> {
        var length = 0
        while length < field, byte(offset + length) != 0 {
            guard (0x21...0x7E).contains(byte(offset + length)) else { throw .text }
            length += 1
        }
        guard length > 0, let text = ShortText<limit>(self, offset: offset, length: length) else { throw .text }
        for i in length..<field where byte(offset + i) != 0 { throw .text }
        return text
    }
}

extension UnsafeMutableRawBufferPointer {
    func put(_ value: UInt32, at offset: Int) {
        for i in 0..<4 { self[offset + i] = UInt8(truncatingIfNeeded: value >> UInt32(8 * i)) }
    }

    func put<let limit: Int>(_ text: ShortText<limit>, at offset: Int) {
        for i in 0..<text.count { self[offset + i] = text[i] }
    }
}
