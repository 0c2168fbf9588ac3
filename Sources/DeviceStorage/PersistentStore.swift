import ByteTools

/// Why a persistent block could not be read or written.
public enum PersistentStoreError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Block numbers are 0…255.
    case invalidBlock(Int)
    /// The value is larger than this store takes.
    case tooLarge(limit: Int)
    /// No room beside what is stored.
    case full
    /// Somebody else is writing this block.
    case busy(Int)
    /// The writer was committed or aborted before.
    case closed
    /// The block was replaced or removed while it was read.
    case changed(Int)
    /// What is stored does not match its checksum.
    case damaged(Int)
    /// The medium failed.
    case device(String)

    /// The reason for people.
    public var description: String {
        switch self {
        case .invalidBlock(let block): "there is no persistent block \(block): numbers are 0 to 255"
        case .tooLarge(let limit): "the value is larger than the \(limit) bytes a persistent block may have here"
        case .full: "the persistent store is full"
        case .busy(let block): "persistent block \(block) is being written already"
        case .closed: "this write has ended already"
        case .changed(let block): "persistent block \(block) was replaced while it was read"
        case .damaged(let block): "persistent block \(block) is damaged"
        case .device(let text): text
        }
    }

    init(_ failure: StorageFailure) { self = failure.isFull ? .full : .device(failure.description) }
    init(_ error: FlashError) { self = .device(error.description) }
}

/// Values by number that survive a restart (application-layer.md, section 3).
///
/// A write is atomic: after a loss of power at any moment a block has its old or its new value. Who may read or write
/// which number is decided above (section 3.3).
public protocol PersistentStore: Sendable {
    /// Largest value in bytes.
    var maximumValueSize: Int { get }
    /// Numbers that have a value, ascending.
    func blocks() throws(PersistentStoreError) -> [Int]
    /// A reader for the value of a block; nil when it has none.
    func reader(_ block: Int) throws(PersistentStoreError) -> (any PersistentReader)?
    /// Starts a new value of a block. The old one stays until the commit.
    func writer(_ block: Int) throws(PersistentStoreError) -> any PersistentWriter
    /// Removes a value; no error when there is none.
    func remove(_ block: Int) throws(PersistentStoreError)
    /// Removes all values and what is left of older ones.
    func eraseAll() throws(PersistentStoreError)
}

/// Reads one value from its beginning.
public protocol PersistentReader: AnyObject, Sendable {
    /// Bytes of the value.
    var byteCount: Int { get }
    /// The next bytes, at most `count`; empty at the end. Fails with `changed` when the value is gone meanwhile.
    func read(upTo count: Int) throws(PersistentStoreError) -> [UInt8]
}

/// Writes one value. A writer that is dropped without a commit has aborted.
public protocol PersistentWriter: AnyObject, Sendable {
    /// Adds bytes to the new value.
    func append(_ bytes: [UInt8]) throws(PersistentStoreError)
    /// Makes the new value the value of the block; it is safe from loss of power when this returns.
    func commit() throws(PersistentStoreError)
    /// Forgets the new value; the old one stays.
    func abort()
}

extension PersistentStore {
    /// The whole value of a block; nil when it has none.
    public func read(_ block: Int) throws(PersistentStoreError) -> [UInt8]? {
        guard let reader = try reader(block) else { return nil }
        return try reader.read(upTo: reader.byteCount)
    }

    /// Replaces the value of a block.
    public func write(_ block: Int, _ bytes: [UInt8]) throws(PersistentStoreError) {
        guard bytes.count <= maximumValueSize else { throw .tooLarge(limit: maximumValueSize) }
        let writer = try writer(block)
        try writer.append(bytes)
        try writer.commit()
    }
}

/// Numbers that blocks may have: what the protocol's one-byte selector can name.
let persistentBlockNumbers = 0...255
