import Synchronization

/// Bytes of an upload that is looked at as a whole.
public final class UploadBytes: Sendable {
    private let all = Mutex<[UInt8]>([])

    /// No bytes yet.
    public init() {}

    /// What came so far.
    public var bytes: [UInt8] { all.withLock { $0 } }

    /// False, and everything is dropped, when it would be more than `limit`.
    public func add(_ piece: [UInt8], limit: Int) -> Bool {
        all.withLock { all in
            guard piece.count <= limit - all.count else {
                all = []
                return false
            }
            all += piece
            return true
        }
    }

    /// Drops everything.
    public func clear() { all.withLock { $0 = [] } }
}
