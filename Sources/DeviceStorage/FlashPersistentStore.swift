import Synchronization

/// Persistent blocks in a flash area: log-structured, protected by checksums, wear aware.
///
/// A loss of power at any flash operation leaves each block with its old or its new value. A value takes whole sectors
/// (4064 bytes of data each). Give the area at least three times the largest value.
public final class FlashPersistentStore: PersistentStore {
    /// Largest value in bytes: a third of the area.
    public let maximumValueSize: Int
    fileprivate let log: Mutex<FlashLog>

    /// Opens the store in a region of at least four sectors; whatever is there and makes no sense counts as free.
    public init(_ region: FlashRegion) throws(PersistentStoreError) {
        guard region.sectorCount >= 4 else { throw .device("a persistent store needs at least four flash sectors") }
        do {
            let log = try FlashLog(region)
            maximumValueSize = log.maximumValueSize
            self.log = Mutex(log)
        } catch {
            throw PersistentStoreError(error)
        }
    }

    /// How often the least and the most worn sector were erased.
    public var wear: (least: UInt32, most: UInt32) {
        log.withLock { ($0.eraseCounts.min() ?? 0, $0.eraseCounts.max() ?? 0) }
    }

    /// Numbers that have a value.
    public func blocks() throws(PersistentStoreError) -> [Int] { log.withLock { $0.values.keys.sorted() } }

    /// A reader that notices when the value is replaced meanwhile.
    public func reader(_ block: Int) throws(PersistentStoreError) -> (any PersistentReader)? {
        guard persistentBlockNumbers.contains(block) else { throw .invalidBlock(block) }
        guard let value = log.withLock({ $0.values[block] }) else { return nil }
        return FlashReader(self, block, value)
    }

    /// Starts a new value in free sectors.
    public func writer(_ block: Int) throws(PersistentStoreError) -> any PersistentWriter {
        let draft = try log.withLock { log throws(PersistentStoreError) in try log.begin(block) }
        return FlashWriter(self, draft)
    }

    /// Removes a value and erases its sectors.
    public func remove(_ block: Int) throws(PersistentStoreError) {
        try log.withLock { log throws(PersistentStoreError) in try log.remove(block) }
    }

    /// Removes all values and erases all sectors that hold anything.
    public func eraseAll() throws(PersistentStoreError) {
        try log.withLock { log throws(PersistentStoreError) in try log.eraseAll() }
    }
}

private final class FlashReader: PersistentReader {
    let byteCount: Int
    private let store: FlashPersistentStore
    private let block: Int
    private let sequence: UInt32
    private let position = Mutex(0)

    init(_ store: FlashPersistentStore, _ block: Int, _ value: FlashLog.Value) {
        self.store = store
        self.block = block
        sequence = value.sequence
        byteCount = value.size
    }

    func read(upTo count: Int) throws(PersistentStoreError) -> [UInt8] {
        try position.withLock { position throws(PersistentStoreError) in
            let end = position + min(max(0, count), byteCount - position)
            var bytes: [UInt8] = []
            while position < end {
                let index = position / LogSector.dataSize
                let part = try store.log.withLock { log throws(PersistentStoreError) in
                    try log.part(index, of: block, sequence: sequence)
                }
                let start = position - index * LogSector.dataSize
                let wanted = part.dropFirst(start).prefix(end - position)
                guard !wanted.isEmpty else { throw .damaged(block) }
                bytes += wanted
                position += wanted.count
            }
            return bytes
        }
    }
}

private final class FlashWriter: PersistentWriter {
    private let store: FlashPersistentStore
    private let draft: Mutex<FlashLog.Draft?>

    init(_ store: FlashPersistentStore, _ draft: FlashLog.Draft) {
        self.store = store
        self.draft = Mutex(draft)
    }

    deinit { abort() }

    func append(_ bytes: [UInt8]) throws(PersistentStoreError) {
        try draft.withLock { draft throws(PersistentStoreError) in
            guard var open = draft else { throw .closed }
            try store.log.withLock { log throws(PersistentStoreError) in
                do throws(PersistentStoreError) {
                    try log.append(bytes, to: &open)
                    draft = open
                } catch {
                    // A value with a hole must never be committed.
                    log.abort(open)
                    draft = nil
                    throw error
                }
            }
        }
    }

    func commit() throws(PersistentStoreError) {
        try draft.withLock { draft throws(PersistentStoreError) in
            guard let open = draft else { throw .closed }
            draft = nil
            try store.log.withLock { log throws(PersistentStoreError) in try log.commit(open) }
        }
    }

    func abort() {
        draft.withLock { draft in
            guard let open = draft else { return }
            draft = nil
            store.log.withLock { $0.abort(open) }
        }
    }
}
