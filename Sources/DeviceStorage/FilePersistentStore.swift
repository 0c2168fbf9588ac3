import ByteTools
import Synchronization

/// Persistent blocks as files `persistent-<nr>.dat` in a folder of mode 0700, each of mode 0600.
///
/// A new value is written beside the old one, synced and renamed over it.
public final class FilePersistentStore: PersistentStore {
    /// Largest value when nothing else is asked for.
    public static let defaultMaximumValueSize = 256 << 20

    /// Largest value in bytes.
    public let maximumValueSize: Int
    private let folder: String
    private let writing = Mutex<Set<Int>>([])

    /// Opens the store in `folder`, which is made when missing; leftovers of writes that were cut are removed.
    public init(
        folder: String, maximumValueSize: Int = FilePersistentStore.defaultMaximumValueSize
    ) throws(PersistentStoreError) {
        self.folder = folder
        self.maximumValueSize = maximumValueSize
        do {
            try Folder.makePrivate(folder)
            for block in persistentBlockNumbers { try Folder.remove(Self.temporary(block), in: folder) }
        } catch {
            throw PersistentStoreError(error)
        }
    }

    static func name(_ block: Int) -> String { "persistent-\(block).dat" }
    static func temporary(_ block: Int) -> String { ".persistent-\(block).new" }

    private func check(_ block: Int) throws(PersistentStoreError) {
        guard persistentBlockNumbers.contains(block) else { throw .invalidBlock(block) }
    }

    /// Numbers that have a file.
    public func blocks() throws(PersistentStoreError) -> [Int] {
        var found: [Int] = []
        for block in persistentBlockNumbers where try reader(block) != nil { found.append(block) }
        return found
    }

    /// Opens the file of a block. The reader keeps the value it was opened on, whatever is written meanwhile.
    public func reader(_ block: Int) throws(PersistentStoreError) -> (any PersistentReader)? {
        try check(block)
        let file: File
        let size: Int
        do {
            file = try File(folder + "/" + Self.name(block), .read)
            size = try file.byteCount
        } catch {
            if error.isNoSuchFile { return nil }
            throw PersistentStoreError(error)
        }
        guard size <= maximumValueSize else { throw .tooLarge(limit: maximumValueSize) }
        return FileReader(file, size)
    }

    /// Starts a new value in a file of its own.
    public func writer(_ block: Int) throws(PersistentStoreError) -> any PersistentWriter {
        try check(block)
        guard writing.withLock({ $0.insert(block).inserted }) else { throw .busy(block) }
        do {
            try Folder.remove(Self.temporary(block), in: folder)
            return FileWriter(self, block, try File(folder + "/" + Self.temporary(block), .create))
        } catch {
            release(block)
            throw PersistentStoreError(error)
        }
    }

    /// Removes the file.
    public func remove(_ block: Int) throws(PersistentStoreError) {
        try check(block)
        do {
            try Folder.remove(Self.name(block), in: folder)
            try Folder.sync(folder)
        } catch {
            throw PersistentStoreError(error)
        }
    }

    /// Removes all files of blocks.
    public func eraseAll() throws(PersistentStoreError) {
        do {
            for block in persistentBlockNumbers { try Folder.remove(Self.name(block), in: folder) }
            try Folder.sync(folder)
        } catch {
            throw PersistentStoreError(error)
        }
    }

    fileprivate func publish(_ block: Int) throws(StorageFailure) {
        try Folder.replace(Self.name(block), with: Self.temporary(block), in: folder)
    }

    fileprivate func discard(_ block: Int) {
        // A leftover that can't be removed now is removed by the next write or start.
        try? Folder.remove(Self.temporary(block), in: folder)
        release(block)
    }

    fileprivate func release(_ block: Int) { writing.withLock { _ = $0.remove(block) } }
}

private final class FileReader: PersistentReader {
    let byteCount: Int
    private let file: File
    private let position = Mutex(0)

    init(_ file: File, _ byteCount: Int) {
        self.file = file
        self.byteCount = byteCount
    }

    func read(upTo count: Int) throws(PersistentStoreError) -> [UInt8] {
        try position.withLock { position throws(PersistentStoreError) in
            let count = min(max(0, count), byteCount - position)
            do throws(StorageFailure) {
                let bytes = try file.read(at: position, count: count)
                position += count
                return bytes
            } catch {
                throw PersistentStoreError(error)
            }
        }
    }
}

private final class FileWriter: PersistentWriter {
    private let store: FilePersistentStore
    private let block: Int
    private let state: Mutex<State>

    private struct State {
        var file: File?
        var size = 0
    }

    init(_ store: FilePersistentStore, _ block: Int, _ file: File) {
        self.store = store
        self.block = block
        state = Mutex(State(file: file))
    }

    deinit { abort() }

    func append(_ bytes: [UInt8]) throws(PersistentStoreError) {
        try state.withLock { state throws(PersistentStoreError) in
            guard let file = state.file else { throw .closed }
            do throws(PersistentStoreError) {
                guard bytes.count <= store.maximumValueSize - state.size else {
                    throw .tooLarge(limit: store.maximumValueSize)
                }
                do throws(StorageFailure) { try file.write(at: state.size, bytes) } catch {
                    throw PersistentStoreError(error)
                }
                state.size += bytes.count
            } catch {
                // A value with a hole must never be committed.
                state.file = nil
                store.discard(block)
                throw error
            }
        }
    }

    func commit() throws(PersistentStoreError) {
        try state.withLock { state throws(PersistentStoreError) in
            guard let file = state.file else { throw .closed }
            state.file = nil
            do throws(StorageFailure) {
                try file.sync()
                try store.publish(block)
            } catch {
                store.discard(block)
                throw PersistentStoreError(error)
            }
            store.release(block)
        }
    }

    func abort() {
        let open = state.withLock { state in
            defer { state.file = nil }
            return state.file != nil
        }
        if open { store.discard(block) }
    }
}
