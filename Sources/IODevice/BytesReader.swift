import Synchronization

/// Reads bytes that are in memory.
public final class BytesReader: BlockReader {
    private let bytes: [UInt8]
    private let position = Mutex(0)

    /// Starts at the first byte.
    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The next bytes; empty at the end.
    public func read(upTo count: Int) -> [UInt8] {
        position.withLock { position in
            let end = min(bytes.count, position + max(0, count))
            defer { position = end }
            return Array(bytes[position..<end])
        }
    }
}
