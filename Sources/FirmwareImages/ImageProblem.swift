public import IOCOM

/// Why bytes are no program for a microcontroller, or not one for this one.
public enum ImageProblem: Error, Equatable, Sendable {
    /// The bytes end before the program does.
    case tooShort
    /// No descriptor stands where it has to.
    case notAnImage
    /// The descriptor has another form than the one known here.
    case format(UInt16)
    /// The descriptor's checksum is wrong.
    case descriptorChecksum
    /// A text of the descriptor does not end, is empty or has bytes that are not printable.
    case text
    /// The size in the descriptor is not one that an image can have.
    case size(UInt32)
    /// Larger than the place for it.
    case tooLarge(size: UInt32, limit: UInt32)
    /// Bytes follow after the end.
    case tooLong
    /// Linked for another address.
    case loadAddress(found: UInt32, expected: UInt32)
    /// The program of another application.
    case application
    /// For another operating system.
    case os
    /// For another board.
    case hardware
    /// The initial stack pointer is not in RAM (word 0 of a Cortex-M vector table).
    case stackPointer(UInt32)
    /// The reset vector is not code of this image (word 1 of a Cortex-M vector table).
    case resetVector(UInt32)
    /// The trailer is missing.
    case trailer
    /// The bytes do not match the hash in the trailer.
    case hash

    /// The status of a stream that says most about it (application-layer.md 2.8).
    public var status: StreamStatus {
        switch self {
        case .tooLarge: .discFull
        default: isDamage ? .checksumMismatch : .programmingFailed
        }
    }

    /// True for damage on the way, false for a whole image that is not for this place.
    public var isDamage: Bool {
        switch self {
        case .tooShort, .tooLong, .descriptorChecksum, .trailer, .hash: true
        default: false
        }
    }
}
