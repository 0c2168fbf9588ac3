import Synchronization

/// Bytes that come piece by piece, up to a limit.
final class Collected: Sendable {
    private let limit: Int
    private let collected = Mutex<[UInt8]>([])

    init(limit: Int) { self.limit = limit }

    var bytes: [UInt8] { collected.withLock { $0 } }

    func append(_ piece: [UInt8]) throws {
        try collected.withLock { bytes in
            guard bytes.count + piece.count <= limit else {
                throw WebError(.tooLarge, "the device sends more than \(limit) bytes")
            }
            bytes += piece
        }
    }
}
