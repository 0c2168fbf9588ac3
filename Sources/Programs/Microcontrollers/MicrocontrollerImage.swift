public import ByteTools
public import FirmwareImages
import IOCOM

/// The program of a microcontroller as a package holds it (docs/firmware.md): raw bytes for the flash with a descriptor at
/// offset 0x200 and a hash at the end.
public struct MicrocontrollerImage: Sendable, Equatable {
    /// What it says of itself.
    public let descriptor: ProgramDescriptor
    /// SHA-256 of everything before the trailer.
    public let digest: [UInt8]
    /// The record behind the descriptor, for emulated devices.
    public let record: [UInt8]

    /// Bytes with the trailer.
    public var size: Int { Int(descriptor.imageSize) }
    /// The application.
    public var application: String { descriptor.application.description }
    /// Its version.
    public var version: String { descriptor.version.description }
    /// Operating system it is for.
    public var os: String { descriptor.os.description }
    /// Hardware it is for.
    public var hardware: String { descriptor.hardware.description }
    /// Who made it.
    public var organization: String { descriptor.organization.description }

    /// Why bytes are no such image.
    public enum Failure: Error, Equatable, Sendable, CustomStringConvertible {
        /// What is wrong with it.
        case image(ImageProblem)
        /// It can't be read.
        case unreadable(StorageFailure)

        /// The reason for people.
        public var description: String {
            switch self {
            case .image(let problem): problem.text
            case .unreadable(let failure): failure.description
            }
        }
    }

    /// True when a file that starts with `start` (``ProgramDescriptor/offset`` + 8 bytes or more) is such an image.
    public static func isImage(_ start: [UInt8]) -> Bool {
        start.dropFirst(ProgramDescriptor.offset).starts(with: "IOCOMPRG".utf8)
    }

    /// Checks an image that fills `source`, or, when `mayBeFollowed`, that stands at its start.
    public init(
        checking source: some ByteSource, for target: ImageTarget = ImageTarget(), mayBeFollowed: Bool = false
    ) throws(Failure) {
        var scanner = ImageScanner(target)
        var record: [UInt8] = []
        let total: Int
        do { total = try source.byteCount } catch { throw .unreadable(error) }
        var offset = 0
        while offset < total {
            var wanted = min(total - offset, 4096)
            if mayBeFollowed, let size = scanner.descriptor?.imageSize { wanted = min(wanted, Int(size) - offset) }
            guard wanted > 0 else { break }
            let bytes: [UInt8]
            do { bytes = try source.read(at: offset, count: wanted) } catch { throw .unreadable(error) }
            if offset == 0 {
                record = Array(bytes.dropFirst(ProgramDescriptor.recordOffset).prefix(ProgramDescriptor.recordSize))
                // The descriptor alone, so that the rest is asked for knowing the size.
                let first = min(bytes.count, ProgramDescriptor.offset + ProgramDescriptor.size)
                do { try scanner.feed(bytes.span.bytes.extracting(0..<first)) } catch { throw .image(error) }
                offset = first
                continue
            }
            do { try scanner.feed(bytes.span.bytes) } catch { throw .image(error) }
            offset += bytes.count
        }
        let digest: ImageDigest
        do { digest = try scanner.finish() } catch { throw .image(error) }
        guard let descriptor = scanner.descriptor else { throw .image(.tooShort) }
        self.descriptor = descriptor
        self.digest = digest.bytes
        self.record = record
    }
}

extension ImageDigest {
    /// The 32 bytes.
    public var bytes: [UInt8] { (0..<Self.size).map { self[$0] } }

    /// A digest of 32 bytes; nil for another number.
    public init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.size else { return nil }
        self.init(bytes.span.bytes, at: 0)
    }
}
