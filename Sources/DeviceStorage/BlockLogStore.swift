public import FirmwareStorage
import Synchronization

/// The persistent blocks of a microcontroller on the host: the log that firmware uses, behind the interface of the other
/// stores. Values are small here, so a reader or writer holds a whole one.
public final class BlockLogStore<Area: FlashArea & Sendable>: PersistentStore {
    /// Largest value in bytes.
    public let maximumValueSize: Int
    private let state: Mutex<State>

    private struct State {
        var log: BlockLog<Area>
        /// Numbers with a value; nil before somebody asked.
        var known: Set<Int>?
        var open: Set<Int> = []
    }

    /// Opens the log in an area; an area without one is made ready.
    public init(_ area: Area) throws(PersistentStoreError) {
        do {
            let log = try BlockLog(area)
            maximumValueSize = log.largestValue
            state = Mutex(State(log: log))
        } catch { throw PersistentStoreError(error) }
    }

    /// Numbers that have a value.
    public func blocks() throws(PersistentStoreError) -> [Int] {
        try state.withLock { state throws(PersistentStoreError) in
            if let known = state.known { return known.sorted() }
            let blocks: BlockNumbers
            do throws(BlockLogProblem) { blocks = try state.log.blocks() } catch { throw PersistentStoreError(error) }
            let known = Set((UInt8.min...UInt8.max).filter { blocks.contains($0) }.map(Int.init))
            state.known = known
            return known.sorted()
        }
    }

    /// A reader of the value as it is now.
    public func reader(_ block: Int) throws(PersistentStoreError) -> (any PersistentReader)? {
        guard let number = UInt8(exactly: block) else { throw .invalidBlock(block) }
        let bytes = try state.withLock { state throws(PersistentStoreError) -> [UInt8]? in
            do throws(BlockLogProblem) {
                guard var value = try state.log.value(number) else { return nil }
                var bytes = [UInt8](repeating: 0, count: value.size)
                var span = bytes.mutableSpan
                let count = try span.withUnsafeMutableBytes { out throws(BlockLogProblem) in
                    try state.log.read(&value, into: out)
                }
                guard count == bytes.count else { throw .changed }
                return bytes
            } catch { throw PersistentStoreError(error) }
        }
        return bytes.map { WholeValueReader($0) }
    }

    /// Starts a new value.
    public func writer(_ block: Int) throws(PersistentStoreError) -> any PersistentWriter {
        guard UInt8(exactly: block) != nil else { throw .invalidBlock(block) }
        let isFree = state.withLock { $0.open.insert(block).inserted }
        guard isFree else { throw .busy(block) }
        return WholeValueWriter(limit: maximumValueSize) { [self] bytes throws(PersistentStoreError) in
            guard let bytes else {
                state.withLock { _ = $0.open.remove(block) }
                return
            }
            try store(block, bytes)
        }
    }

    private func store(_ block: Int, _ bytes: [UInt8]) throws(PersistentStoreError) {
        guard let number = UInt8(exactly: block) else { throw .invalidBlock(block) }
        try state.withLock { state throws(PersistentStoreError) in
            do throws(BlockLogProblem) {
                try state.log.begin(number)
                do throws(BlockLogProblem) { try state.log.append(bytes.span.bytes) } catch {
                    state.log.abort()
                    throw error
                }
                try state.log.commit()
            } catch { throw PersistentStoreError(error) }
            state.known?.insert(block)
        }
    }

    /// Removes a value.
    public func remove(_ block: Int) throws(PersistentStoreError) {
        guard let number = UInt8(exactly: block) else { throw .invalidBlock(block) }
        try state.withLock { state throws(PersistentStoreError) in
            do throws(BlockLogProblem) { try state.log.remove(number) } catch { throw PersistentStoreError(error) }
            state.known?.remove(block)
        }
    }

    /// Removes all values.
    public func eraseAll() throws(PersistentStoreError) {
        try state.withLock { state throws(PersistentStoreError) in
            do throws(BlockLogProblem) { try state.log.eraseAll() } catch { throw PersistentStoreError(error) }
            state.known = []
        }
    }
}

extension PersistentStoreError {
    init(_ problem: BlockLogProblem) {
        switch problem {
        case .full: self = .full
        case .changed, .busy, .notStarted: self = .device("the persistent blocks changed while they were used")
        case .flash(let fault): self = .device("the flash of the persistent blocks failed: \(fault)")
        }
    }
}

private final class WholeValueReader: PersistentReader {
    private let bytes: [UInt8]
    private let position = Mutex(0)
    var byteCount: Int { bytes.count }

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    func read(upTo count: Int) -> [UInt8] {
        position.withLock { position in
            let end = position + min(max(0, count), bytes.count - position)
            defer { position = end }
            return Array(bytes[position..<end])
        }
    }
}

private final class WholeValueWriter: PersistentWriter {
    /// Stores a value; nil ends without one.
    typealias End = @Sendable ([UInt8]?) throws(PersistentStoreError) -> Void

    private let limit: Int
    private let end: End
    /// Nil after the end.
    private let bytes = Mutex<[UInt8]?>([])

    init(limit: Int, end: @escaping End) {
        self.limit = limit
        self.end = end
    }

    deinit { abort() }

    func append(_ more: [UInt8]) throws(PersistentStoreError) {
        try bytes.withLock { bytes throws(PersistentStoreError) in
            guard let count = bytes?.count else { throw .closed }
            guard more.count <= limit - count else { throw .tooLarge(limit: limit) }
            bytes?.append(contentsOf: more)
        }
    }

    func commit() throws(PersistentStoreError) {
        guard let value = take() else { throw .closed }
        defer { try? end(nil) }
        try end(value)
    }

    func abort() {
        guard take() != nil else { return }
        try? end(nil)
    }

    private func take() -> [UInt8]? {
        bytes.withLock { bytes in
            defer { bytes = nil }
            return bytes
        }
    }
}
