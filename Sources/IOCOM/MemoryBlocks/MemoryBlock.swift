/// Bytes that somebody lends to the protocol core: static storage in firmware, zeroed heap pages on a host.
public final class LentMemory {
    /// Base address and length.
    let buffer: UnsafeMutableRawBufferPointer
    private let release: ((UnsafeMutableRawBufferPointer) -> Void)?

    /// Lends `buffer`, which must hold zeros and stay valid until `release` is called (for ever when that is nil).
    public init(_ buffer: UnsafeMutableRawBufferPointer, release: ((UnsafeMutableRawBufferPointer) -> Void)? = nil) {
        self.buffer = buffer
        self.release = release
    }

    deinit { release?(buffer) }

    /// Number of bytes.
    public var count: Int { buffer.count }
}

/// A memory block: a flat byte array of signals that is synchronised as a whole between nodes.
///
/// Writers change bytes and then ``publish()``: the changes made since the last publish leave as one snapshot, so that
/// readers elsewhere see all of them or none. The block tracks which ranges changed; nothing else is copied or looked
/// at when it is sent. A block belongs to one node and is used on that node's event loop only. Write and publish in one
/// turn: a frame that is made between the two may carry what was written but not published.
public final class MemoryBlock {
    /// Name on the wire.
    public let path: BlockPath
    /// Flags as announced by this node.
    public let flags: BlockFlags
    /// Number of bytes.
    public private(set) var size: Int

    private var memory: LentMemory
    private var changes = RangeSet()
    /// Where this block is attached to connections; few entries, in no particular order.
    private(set) var attachments: [BlockAttachment] = []

    /// Tags of the connections that it is attached to.
    public var connectionTags: [UInt64] { attachments.map { $0.queue.tag } }

    /// A block over lent memory; the size of the block is the size of the memory.
    public init(path: BlockPath, flags: BlockFlags, memory: LentMemory) {
        self.path = path
        self.flags = flags
        self.memory = memory
        size = memory.count
    }

    // MARK: Reading

    /// Lends all bytes for reading.
    @inline(__always)
    public func withBytes<Result>(_ body: (RawSpan) -> Result) -> Result {
        body(RawSpan(_unsafeBytes: UnsafeRawBufferPointer(memory.buffer)))
    }

    /// The byte at `address`; 0 past the end.
    public func byte(at address: Int) -> UInt8 {
        address >= 0 && address < size ? memory.buffer[address] : 0
    }

    /// A little endian unsigned integer of `width` bytes (1…8) at `address`; 0 when it does not lie inside the block.
    public func unsigned(at address: Int, width: Int) -> UInt64 {
        guard address >= 0, width >= 1, width <= 8, address <= size - width else { return 0 }
        var value: UInt64 = 0
        for i in 0..<width { value |= UInt64(memory.buffer[address + i]) << UInt64(8 * i) }
        return value
    }

    /// Raw bytes for the frame encoder.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(memory.buffer) }

    // MARK: Writing

    /// Copies `span` to `address` and notes the range as changed. Bytes past the end of the block are cut.
    public func write(_ span: RawSpan, at address: Int) {
        span.withUnsafeBytes { source in
            withChange(of: ByteRange(address, address + source.count)) { target in
                target.copyMemory(from: UnsafeRawBufferPointer(rebasing: source.prefix(target.count)))
            }
        }
    }

    /// Writes one byte, noting a change when the value differs or others may have written another one elsewhere.
    public func setByte(_ value: UInt8, at address: Int) {
        guard address >= 0, address < size, memory.buffer[address] != value || hasOtherWriters else { return }
        withChange(of: ByteRange(address, address + 1)) { $0[0] = value }
    }

    /// Writes a little endian integer of `width` bytes (1…8), noting a change as ``setByte(_:at:)`` does.
    public func setUnsigned(_ value: UInt64, at address: Int, width: Int) {
        guard address >= 0, width >= 1, width <= 8, address <= size - width,
            hasOtherWriters
                || unsigned(at: address, width: width) != value & (width == 8 ? .max : (1 << UInt64(8 * width)) - 1)
        else { return }
        withChange(of: ByteRange(address, address + width)) { target in
            for i in 0..<width { target[i] = UInt8(truncatingIfNeeded: value >> UInt64(8 * i)) }
        }
    }

    /// Lends the bytes of `range` (cut to the block) for writing and notes all of them as changed.
    public func withChange(of range: ByteRange, _ body: (UnsafeMutableRawBufferPointer) -> Void) {
        let range = range.intersection(ByteRange(0, size))
        guard !range.isEmpty else { return }
        for attachment in attachments {
            attachment.source?.willChange(range)
            attachment.target?.willChange()
        }
        body(UnsafeMutableRawBufferPointer(rebasing: memory.buffer[range.start..<range.end]))
        changes.add(range)
    }

    /// Makes everything written since the last call one snapshot for every connection that takes this block.
    ///
    /// `origin` is the attachment the changes came from; it does not get them back.
    public func publish(from origin: BlockAttachment? = nil) {
        guard !changes.isEmpty else { return }
        for attachment in attachments where attachment !== origin { attachment.source?.add(changes) }
        changes.removeAll()
    }

    /// True when bytes were written that nobody published yet.
    public var hasUnpublishedChanges: Bool { !changes.isEmpty }

    /// True while a connection feeds this block.
    public var isFed: Bool { attachments.contains { $0.target != nil } }

    /// True when no connection still has to send something of this block.
    public var isDrained: Bool {
        for attachment in attachments where attachment.source?.isIdle == false { return false }
        return true
    }

    /// Replaces the memory by a larger one, keeping the content (flag `allowResize`).
    public func grow(into larger: LentMemory) {
        guard larger.count > size else { return }
        for attachment in attachments { attachment.source?.willChange(ByteRange(0, size)) }
        larger.buffer.copyMemory(from: UnsafeRawBufferPointer(memory.buffer))
        memory = larger
        size = larger.count
    }

    // MARK: Attachments

    /// The peers of a bidirectional block take only the bytes that are marked, and keep what another controller wrote: this
    /// memory does not tell what they have (wire-protocol.md 5.6).
    var hasOtherWriters: Bool { attachments.contains { $0.source?.isBidirectional == true } }

    func attach(_ attachment: BlockAttachment) { attachments.append(attachment) }

    func detach(_ attachment: BlockAttachment) { attachments.removeAll { $0 === attachment } }
}
