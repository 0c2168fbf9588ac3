/// A memory block on one connection: under which ids, what is sent of it and what is received into it.
public final class BlockAttachment {
    /// The block.
    public let block: MemoryBlock
    /// This end's id of the block on this connection (wire-protocol.md 3.2).
    public let localID: UInt32
    /// Device number that the peer knows the block by (3.6).
    public let wireNumber: UInt32
    /// The peer's id; 0 until its block info came.
    public internal(set) var remoteID: UInt32 = 0
    /// Sends changes of the block to the peer.
    var source: BlockSource?
    /// Receives the peer's changes.
    var target: BlockTarget?
    /// The connection's queue; its identity tells connections apart.
    let queue: SendQueue
    var isInfoQueued = false
    /// True once this end's info was sent or queued.
    var isAnnounced = false
    /// Looks at what the peer wants to write before it is written; nil lets everything in. Set it before the first data.
    public var review: SnapshotReview?
    /// Kept from the connection before on the same line; the peer has not told of the block since.
    private(set) var isHeld = false
    /// Let go, but kept for when the peer tells of the block again: on a serial line nothing is to take memory later.
    private var spare: (source: BlockSource?, target: BlockTarget?) = (nil, nil)
    /// Size in the info that was sent; the peer puts mark bytes behind that size even when the block grew since.
    var announcedSize: Int?

    init(block: MemoryBlock, localID: UInt32, wireNumber: UInt32, queue: SendQueue) {
        self.block = block
        self.localID = localID
        self.wireNumber = wireNumber
        self.queue = queue
    }

    /// True when the peer takes changes of this block.
    public var isSource: Bool { source != nil }
    /// True when the peer's data goes into this block.
    public var isTarget: Bool { target != nil }

    /// The connection starts over: nothing is sent or received until the peer tells of the block again. Of what was sent the
    /// peer acknowledged the first `acknowledged` bytes.
    func hold(acknowledged: UInt64) {
        remoteID = 0
        isInfoQueued = false
        isAnnounced = false
        source?.hold(acknowledged: acknowledged)
        target?.startOver()
        isHeld = source != nil || target != nil
    }

    /// True when something is there that only has to go on when the peer tells of the block.
    var canGoOn: Bool { isHeld || spare.source != nil || spare.target != nil }

    /// The peer told of the block again. A source or target that does not fit any more is taken away.
    func goOn(sends: Bool, receives: Bool, remoteSize: Int, isBidirectional: Bool) {
        if !isHeld { (source, target) = spare }
        spare = (nil, nil)
        isHeld = false
        if let source, !sends || !source.goOn(remoteSize: remoteSize, isBidirectional: isBidirectional) {
            self.source = nil
        }
        if let target, !receives || target.isBidirectional != isBidirectional { self.target = nil }
    }

    /// The peer will not tell of the block again, or as if for the first time.
    func release(keepsMemory: Bool) {
        guard isHeld else { return }
        isHeld = false
        if keepsMemory {
            source?.forget()
            spare = (source, target)
        }
        source = nil
        target = nil
    }

    /// Nothing refers to this attachment any more.
    func end() {
        isHeld = false
        spare = (nil, nil)
        source = nil
        target = nil
    }

    /// This end's info for the peer.
    var info: BlockInfo {
        var path = block.path
        path.device.number = wireNumber
        return BlockInfo(id: localID, path: path, size: UInt32(truncatingIfNeeded: block.size), flags: block.flags)
    }
}

/// Collects the connections that have something to send, so that the owner need not look at all of them.
public final class WakeList {
    private var waiting: [SendQueue] = []

    /// An empty list.
    public init() {}

    /// True when no connection waits.
    public var isEmpty: Bool { waiting.isEmpty }

    /// Forgets who waited, for an owner with one connection, which is looked at anyway. Allocates nothing.
    public func clear() {
        for queue in waiting { queue.isListed = false }
        waiting.removeAll(keepingCapacity: true)
    }

    /// Takes the tags of the connections that waited.
    public func take() -> [UInt64] {
        let tags = waiting.map { $0.tag }
        for queue in waiting { queue.isListed = false }
        waiting.removeAll(keepingCapacity: true)
        return tags
    }

    func add(_ queue: SendQueue) {
        guard !queue.isListed else { return }
        queue.isListed = true
        waiting.append(queue)
    }

    func remove(_ queue: SendQueue) {
        guard queue.isListed else { return }
        queue.isListed = false
        waiting.removeAll { $0 === queue }
    }
}

/// What one connection still has to send, in order: block info first, then blocks with changes in turn.
public final class SendQueue {
    /// The owner's number for the connection.
    public let tag: UInt64
    private let wakeList: WakeList
    fileprivate var isListed = false
    private var infos = Fifo<BlockAttachment>()
    private var changed = Fifo<BlockSource>()

    init(tag: UInt64, wakeList: WakeList) {
        self.tag = tag
        self.wakeList = wakeList
    }

    var isEmpty: Bool { infos.isEmpty && changed.isEmpty }

    /// Takes memory for so many blocks.
    func reserveCapacity(_ blocks: Int) {
        infos.reserveCapacity(blocks)
        changed.reserveCapacity(blocks)
    }

    func wake() { wakeList.add(self) }

    /// The connection is gone: its tag must not be given out any more, and the list must not keep the queue alive.
    func leave() { wakeList.remove(self) }

    func addInfo(_ attachment: BlockAttachment) {
        guard !attachment.isInfoQueued else { return }
        attachment.isInfoQueued = true
        infos.append(attachment)
        wake()
    }

    func add(_ source: BlockSource) {
        guard !source.isQueued else { return }
        source.isQueued = true
        changed.append(source)
        wake()
    }

    /// Forgets what was queued for a block that is detached.
    func remove(_ attachment: BlockAttachment) {
        if attachment.isInfoQueued {
            attachment.isInfoQueued = false
            infos.removeAll { $0 === attachment }
        }
        removeSource(of: attachment)
    }

    /// Forgets the changes queued for a block.
    func removeSource(of attachment: BlockAttachment) {
        if let source = attachment.source, source.isQueued {
            source.isQueued = false
            changed.removeAll { $0 === source }
        }
    }

    /// Forgets everything.
    func removeAll() {
        while let attachment = infos.removeFirst() { attachment.isInfoQueued = false }
        while let source = changed.removeFirst() { source.isQueued = false }
    }

    var nextInfo: BlockAttachment? { infos.first }
    func removeInfo() { infos.removeFirst()?.isInfoQueued = false }

    var nextSource: BlockSource? { changed.first }
    func removeSource() { changed.removeFirst()?.isQueued = false }
    /// Round robin: the block that just sent a frame goes behind the others.
    func rotateSources() {
        if changed.count > 1, let first = changed.removeFirst() { changed.append(first) }
    }
}

/// First in, first out, without moving elements at each removal.
struct Fifo<Element> {
    private var elements: [Element?] = []
    private var head = 0

    var isEmpty: Bool { head == elements.count }
    var count: Int { elements.count - head }
    var first: Element? { head < elements.count ? elements[head] : nil }

    mutating func reserveCapacity(_ count: Int) { elements.reserveCapacity(count) }

    /// So many fit in without more memory, if they come and go.
    var capacity: Int { elements.capacity }

    mutating func append(_ element: Element) {
        // Rather moves what is left than takes memory, as long as that is little or seldom.
        if head > 0 && elements.count == elements.capacity && (elements.count <= 64 || head * 2 >= elements.count) {
            compact()
        }
        elements.append(element)
    }

    mutating func removeAll() {
        elements.removeAll(keepingCapacity: true)
        head = 0
    }

    mutating func removeAll(where matches: (Element) -> Bool) {
        compact()
        elements.removeAll { $0.map(matches) ?? true }
    }

    @discardableResult
    mutating func removeFirst() -> Element? {
        guard head < elements.count else { return nil }
        let element = elements[head]
        elements[head] = nil
        head += 1
        if head == elements.count {
            elements.removeAll(keepingCapacity: true)
            head = 0
        }
        return element
    }

    private mutating func compact() {
        elements.removeFirst(head)
        head = 0
    }
}
