/// Why bytes could not be read or written, in words for people.
public struct StorageFailure: Error, Equatable, Sendable, CustomStringConvertible {
    /// What happened and to what.
    public let description: String
    /// The system's error number, 0 when the failure has none.
    public let systemError: Int32

    /// A failure with its text.
    public init(_ description: String, systemError: Int32 = 0) {
        self.description = description
        self.systemError = systemError
    }
}

/// Bytes that can be read at any place without holding all of them: a file, a region of a flash, an array.
public protocol ByteSource {
    /// Number of bytes.
    var byteCount: Int { get throws(StorageFailure) }
    /// `count` bytes from `offset`; fails when they are not all there.
    func read(at offset: Int, count: Int) throws(StorageFailure) -> [UInt8]
}

extension ByteSource {
    /// Hands out the first `size` bytes piece by piece, in order: nothing is held whole.
    public func forEachPiece(
        of size: Int, _ body: ([UInt8]) throws(StorageFailure) -> Void
    ) throws(StorageFailure) {
        let pieceSize = 1 << 18
        var offset = 0
        while offset < size {
            let piece = try read(at: offset, count: min(pieceSize, size - offset))
            try body(piece)
            offset += piece.count
        }
    }
}

/// An array as a source.
public struct ArraySource: ByteSource, Sendable {
    private let bytes: [UInt8]

    /// Reads from `bytes`.
    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Number of bytes.
    public var byteCount: Int { bytes.count }

    /// Copies a part.
    public func read(at offset: Int, count: Int) throws(StorageFailure) -> [UInt8] {
        guard offset >= 0, count >= 0, count <= bytes.count, offset <= bytes.count - count else {
            throw StorageFailure("\(count) bytes at \(offset) are outside of the \(bytes.count) bytes there are")
        }
        return Array(bytes[offset..<offset + count])
    }
}
