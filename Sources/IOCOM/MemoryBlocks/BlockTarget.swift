/// Receives the peer's changes of one memory block on one connection (wire-protocol.md 5.2, 5.6).
///
/// Frames of a snapshot are staged until its last one came; then all ranges become visible in the block at once. A
/// snapshot of one frame goes straight into the block.
final class BlockTarget {
    /// Refers back to its owner until ``Connection/detach(_:)`` takes the two apart.
    private let attachment: BlockAttachment
    private let isBidirectional: Bool
    private let lend: (Int) -> LentMemory?
    /// Scratch for the snapshot under way, or, when `keepsBase`, what the peer's stream of frames amounts to.
    private var staging: LentMemory?
    /// Others write to the block too, so that it is not what the peer's DELTA frames add to.
    private var keepsBase: Bool
    private var isWriting = false
    private var staged = RangeSet()
    private var stagedMarks = RangeSet()

    /// `lend` gives zeroed memory of the wanted size or refuses.
    init(attachment: BlockAttachment, isBidirectional: Bool, lend: @escaping (Int) -> LentMemory?) {
        self.attachment = attachment
        self.isBidirectional = isBidirectional
        self.lend = lend
        keepsBase = isBidirectional
    }

    /// Somebody is about to write to the block: from now on the peer's own values are kept apart.
    ///
    /// When no memory is lent for that, DELTA frames add to the block as before.
    func willChange() {
        guard !keepsBase, !isWriting, let memory = try? stagingMemory(block.size) else { return }
        var at = 0
        for i in 0..<staged.count {
            copyFromBlock(ByteRange(at, staged[i].start), memory)
            at = staged[i].end
        }
        copyFromBlock(ByteRange(at, block.size), memory)
        keepsBase = true
    }

    private var block: MemoryBlock { attachment.block }

    /// Data bytes in front of the mark bytes, as the peer knows them from this end's info.
    private var dataSize: Int { isBidirectional ? attachment.announcedSize ?? block.size : block.size }

    /// Takes one data frame. True when it completed a snapshot and the block has new content.
    func receive(_ header: FrameHeader, _ payload: RawSpan) throws(ProtocolViolation) -> Bool {
        let markBytes = isBidirectional ? (dataSize + 7) >> 3 : 0
        let size = dataSize + markBytes
        guard header.address <= UInt32(size) else { throw .addressPastEnd(address: header.address, size: size) }
        let length =
            header.flags.contains(.compressed) ? try ZeroRun.decodedLength(payload) : payload.byteCount
        let address = Int(header.address)
        // An empty frame's SYNC_COMPLETE is not acted on either (5.2, step 4).
        guard length > 0, address < size else { return false }
        let range = ByteRange(address, min(address + length, size))
        if isBidirectional { return try receiveBidirectional(header, payload, range) }

        let isLast = header.flags.contains(.syncComplete)
        if isLast { publishOthers() }
        isWriting = true
        defer { isWriting = false }
        if isLast && staged.isEmpty && !keepsBase {
            block.withChange(of: range) { Self.decode(header, payload, into: $0) }
        } else {
            let memory = try stagingMemory(size)
            if header.flags.contains(.delta) && !keepsBase { fillBase(range, memory) }
            Self.decode(header, payload, into: Self.part(memory, range))
            // An original peer sends one range without gaps; bytes in a gap are not to change.
            if let gap = staged.addReportingGap(range) { copyFromBlock(gap, memory) }
            guard isLast else { return false }
            for i in 0..<staged.count {
                let part = Self.part(memory, staged[i])
                block.withChange(of: staged[i]) { $0.copyMemory(from: UnsafeRawBufferPointer(part)) }
            }
            staged.removeAll()
        }
        block.publish(from: attachment)
        return true
    }

    private func receiveBidirectional(
        _ header: FrameHeader, _ payload: RawSpan, _ range: ByteRange
    ) throws(ProtocolViolation) -> Bool {
        let size = dataSize
        let memory = try stagingMemory(size + (size + 7) >> 3)
        Self.decode(header, payload, into: Self.part(memory, range))
        if range.start < size {
            staged.add(ByteRange(range.start, min(range.end, size)))
        }
        if range.end > size {
            stagedMarks.add(ByteRange(max(range.start, size) - size, range.end - size))
        }
        guard header.flags.contains(.syncComplete) else { return false }
        publishOthers()
        // Mark bytes without data say nothing (5.6).
        let changed = !staged.isEmpty && takeMarked(memory, size: size)
        clearMarks(memory, size: size)
        if changed { block.publish(from: attachment) }
        return changed
    }

    /// Changes that somebody wrote and did not publish yet must reach this peer too: they are not its own.
    private func publishOthers() {
        if block.hasUnpublishedChanges { block.publish() }
    }

    /// Copies the marked bytes of the staged data into the block.
    private func takeMarked(_ memory: LentMemory, size: Int) -> Bool {
        var changed = false
        for i in 0..<stagedMarks.count {
            let end = stagedMarks[i].end
            var group = stagedMarks[i].start
            var run: ByteRange?
            while group < end {
                let marks = UnsafeRawBufferPointer(memory.buffer)
                let unmarked = marks.run(of: 0, from: size + group, to: size + end)
                let marked = marks.run(of: 0xFF, from: size + group, to: size + end)
                if unmarked > 0 {
                    changed = copyToBlock(&run, memory, size) || changed
                } else if marked > 0 {
                    changed = extend(&run, with: ByteRange(group << 3, (group + marked) << 3), memory, size) || changed
                } else {
                    for bit in 0..<8 where marks[size + group] & (1 << UInt8(bit)) != 0 {
                        let address = group << 3 + bit
                        changed = extend(&run, with: ByteRange(address, address + 1), memory, size) || changed
                    }
                }
                group += max(1, unmarked, marked)
            }
            changed = copyToBlock(&run, memory, size) || changed
        }
        return changed
    }

    /// Marks are forgotten once they were acted on; so bytes between two ranges of marks are always zero.
    private func clearMarks(_ memory: LentMemory, size: Int) {
        for i in 0..<stagedMarks.count {
            memory.buffer.clear(from: size + stagedMarks[i].start, to: size + stagedMarks[i].end)
        }
        staged.removeAll()
        stagedMarks.removeAll()
    }

    /// Makes `range` part of the run that ends where it begins; else the run is copied and `range` begins the next one.
    private func extend(_ run: inout ByteRange?, with range: ByteRange, _ memory: LentMemory, _ size: Int) -> Bool {
        if run?.end == range.start {
            run?.end = range.end
            return false
        }
        let changed = copyToBlock(&run, memory, size)
        run = range
        return changed
    }

    private func copyToBlock(_ run: inout ByteRange?, _ memory: LentMemory, _ size: Int) -> Bool {
        guard let range = run?.intersection(ByteRange(0, size)) else { return false }
        run = nil
        guard !range.isEmpty else { return false }
        let part = Self.part(memory, range)
        block.withChange(of: range) { $0.copyMemory(from: UnsafeRawBufferPointer(part)) }
        return true
    }

    private func stagingMemory(_ size: Int) throws(ProtocolViolation) -> LentMemory {
        if let staging, staging.count >= size { return staging }
        guard let memory = lend(size), memory.count >= size else { throw .tooMuchMemory }
        if let staging { memory.buffer.copyMemory(from: UnsafeRawBufferPointer(staging.buffer)) }
        staging = memory
        return memory
    }

    /// DELTA adds to what the peer sent before: staged bytes, else the block's.
    private func fillBase(_ range: ByteRange, _ memory: LentMemory) {
        guard staged.overlaps(range) else { return copyFromBlock(range, memory) }
        var at = range.start
        for i in 0..<staged.count where staged[i].overlaps(range) {
            copyFromBlock(ByteRange(at, min(staged[i].start, range.end)), memory)
            at = max(at, staged[i].end)
        }
        copyFromBlock(ByteRange(at, range.end), memory)
    }

    private func copyFromBlock(_ range: ByteRange, _ memory: LentMemory) {
        guard !range.isEmpty else { return }
        Self.part(memory, range)
            .copyMemory(from: UnsafeRawBufferPointer(rebasing: block.bytes[range.start..<range.end]))
    }

    private static func part(_ memory: LentMemory, _ range: ByteRange) -> UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(rebasing: memory.buffer[range.start..<range.end])
    }

    private static func decode(_ header: FrameHeader, _ payload: RawSpan, into out: UnsafeMutableRawBufferPointer) {
        let adding = header.flags.contains(.delta)
        if header.flags.contains(.compressed) {
            ZeroRun.decode(payload, into: out, adding: adding)
        } else {
            ZeroRun.copyPlain(payload, into: out, adding: adding)
        }
    }
}
