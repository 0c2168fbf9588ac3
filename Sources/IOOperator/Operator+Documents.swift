public import IOCOM
public import PackedJSON
import Synchronization

extension Operator {
    /// All bytes of a persistent block, at most `limit`; nil when the device has none of that number.
    public func bytes(ofBlock block: Int, of path: DevicePath, limit: Int = 1 << 20) async throws -> [UInt8]? {
        let collected = CollectedBytes(limit: limit)
        let result = try await read(
            block: block, of: path, append: { try collected.append($0) }, progress: { _ in })
        if let failure = result.failure {
            // A device of the original says the same of a block that was never written.
            if result.status == .readFailed { return nil }
            throw failure
        }
        return collected.bytes
    }

    /// The packed document in a persistent block; nil when the device has none.
    public func document(inBlock block: Int, of path: DevicePath) async throws -> JSON? {
        guard let bytes = try await bytes(ofBlock: block, of: path), !bytes.isEmpty else { return nil }
        do { return try JSON(unpacking: bytes) } catch {
            throw OperatorError(.failed, "block \(block) of \(path) is not a document: \(error)")
        }
    }
}

/// Bytes that come piece by piece, up to a limit.
private final class CollectedBytes: Sendable {
    private let limit: Int
    private let collected = Mutex<[UInt8]>([])

    init(limit: Int) { self.limit = limit }

    var bytes: [UInt8] { collected.withLock { $0 } }

    func append(_ piece: [UInt8]) throws {
        try collected.withLock { bytes in
            guard bytes.count + piece.count <= limit else {
                throw OperatorError(.failed, "the device sends more than \(limit) bytes")
            }
            bytes += piece
        }
    }
}
