/// Receives the peer's changes of one memory block on one connection (wire-protocol.md 5.2, 5.6).
///
/// Frames of a snapshot are staged until its last one came; then all ranges become visible in the block at once. A
/// snapshot of one frame goes straight into the block.
final class BlockTarget {
    /// Refers back to its owner until ``Connection/detach(_:)`` takes the two apart.
    private let attachment: BlockAttachment
    let isBidirectional: Bool
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

    /// The connection starts over: what came of a snapshot is of no use, a key frame follows.
    func startOver() {
        guard isBidirectional, let staging else {
            staged.removeAll()
            stagedMarks.removeAll()
            return
        }
        clearMarks(staging, size: dataSize)
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
        // What is refused is not what the peer's DELTA frames add to.
        if attachment.review != nil { willChange() }
        isWriting = true
        defer { isWriting = false }
        guard isLast && staged.isEmpty && !keepsBase else {
            let memory = try stagingMemory(size)
            if header.flags.contains(.delta) && !keepsBase { fillBase(range, memory) }
            Self.decode(header, payload, into: Self.part(memory, range))
            // An original peer sends one range without gaps; bytes in a gap are not to change.
            if let gap = staged.addReportingGap(range) { copyFromBlock(gap, memory) }
            guard isLast else { return false }
            var runs = ByteRunList()
            for i in 0..<staged.count { _ = runs.add(staged[i]) }
            staged.removeAll()
            let changed = write(runs, from: memory)
            if changed { block.publish(from: attachment) }
            return changed
        }
        block.withChange(of: range) { Self.decode(header, payload, into: $0) }
        block.publish(from: attachment)
        return true
    }

    /// Writes what the review lets through; false when that is nothing.
    private func write(_ runs: ByteRunList, from memory: LentMemory) -> Bool {
        guard runs.count > 0 else { return false }
        var refused = RangeSet()
        if let review = attachment.review {
            refused = review(SnapshotProposal(block: block, memory: UnsafeRawBufferPointer(memory.buffer), runs: runs))
        }
        var changed = false
        for i in 0..<runs.count {
            runs[i].forEachPart(outside: refused) { part in
                let bytes = UnsafeRawBufferPointer(Self.part(memory, part))
                block.withChange(of: part) { $0.copyMemory(from: bytes) }
                changed = true
            }
        }
        if !refused.isEmpty { takeBack(runs, refused) }
        return changed
    }

    /// Gives the peer back what it wrote in vain.
    private func takeBack(_ runs: ByteRunList, _ refused: RangeSet) {
        var back = RangeSet()
        for i in 0..<runs.count {
            for k in 0..<refused.count where refused[k].overlaps(runs[i]) {
                back.add(refused[k].intersection(runs[i]))
            }
        }
        if !back.isEmpty { attachment.source?.add(back) }
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
        let changed = !staged.isEmpty && writeMarked(memory, size: size)
        clearMarks(memory, size: size)
        if changed { block.publish(from: attachment) }
        return changed
    }

    /// Changes that somebody wrote and did not publish yet must reach this peer too: they are not its own.
    private func publishOthers() {
        if block.hasUnpublishedChanges { block.publish() }
    }

    /// Writes the marked bytes of the staged data into the block.
    private func writeMarked(_ memory: LentMemory, size: Int) -> Bool {
        var changed = false
        var runs = ByteRunList()
        func add(_ run: ByteRange) {
            let run = run.intersection(ByteRange(0, size))
            guard !run.isEmpty, !runs.add(run) else { return }
            // A peer may mark every other byte: what fits into the list goes first.
            changed = write(runs, from: memory) || changed
            runs = ByteRunList()
            _ = runs.add(run)
        }
        for i in 0..<stagedMarks.count {
            let end = stagedMarks[i].end
            var group = stagedMarks[i].start
            while group < end {
                let marks = UnsafeRawBufferPointer(memory.buffer)
                let unmarked = marks.run(of: 0, from: size + group, to: size + end)
                let marked = marks.run(of: 0xFF, from: size + group, to: size + end)
                if marked > 0 {
                    add(ByteRange(group << 3, (group + marked) << 3))
                } else if unmarked == 0 {
                    for bit in 0..<8 where marks[size + group] & (1 << UInt8(bit)) != 0 {
                        add(ByteRange(group << 3 + bit, group << 3 + bit + 1))
                    }
                }
                group += max(1, unmarked, marked)
            }
        }
        return write(runs, from: memory) || changed
    }

    /// Marks are forgotten once they were acted on; so bytes between two ranges of marks are always zero.
    private func clearMarks(_ memory: LentMemory, size: Int) {
        for i in 0..<stagedMarks.count {
            memory.buffer.clear(from: size + stagedMarks[i].start, to: size + stagedMarks[i].end)
        }
        staged.removeAll()
        stagedMarks.removeAll()
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
