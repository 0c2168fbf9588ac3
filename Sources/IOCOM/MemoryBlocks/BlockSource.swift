/// Sends the changes of one memory block over one connection (wire-protocol.md 5.1, 5.6).
///
/// A snapshot is the set of ranges that were published since the one before; its frames carry absolute values straight
/// from the block's memory, with gaps where nothing changed. When the block is written again while a part of a snapshot
/// still waits for the window, that part is copied first, so that the peer never sees a mixture.
final class BlockSource {
    private enum Phase { case idle, data, marks }

    /// Refers back to its owner until ``Connection/detach(_:)`` takes the two apart.
    private let attachment: BlockAttachment
    let isBidirectional: Bool
    private let keepsMemory: Bool
    private let remoteSize: Int
    /// The peer has not told of the block yet on a connection that started over.
    private var isHeld = false
    private var phase = Phase.idle
    private var keyFrameDue = true
    private var sendsKeyFrame = false
    private var pending = RangeSet()
    private var sending = RangeSet()
    private var rangeIndex = 0
    private var cursor = 0
    private var marks = ByteRange(0, 0)
    /// Covers all bytes that the snapshot under way still has to send and that were written since; mostly a few.
    private var frozenRange = ByteRange(0, 0)
    /// What they were before.
    private var frozen: [UInt8] = []
    var isQueued = false
    /// Only for a bidirectional block on a serial line: ranges take room.
    private var unconfirmed: Unconfirmed?

    /// What was sent of late, until the peer has acknowledged it. After a failure of the line it has to be marked again,
    /// because a key frame of a bidirectional block changes nothing at the peer (5.6).
    private final class Unconfirmed {
        /// Ranges, and how many bytes the connection had sent with the last of them.
        var recent = (ranges: RangeSet(), until: UInt64(0))
        var older = (ranges: RangeSet(), until: UInt64(0))

        /// Takes what is sent from now on, and forgets what the peer has.
        func add(_ ranges: RangeSet, acknowledged: UInt64) {
            if older.until <= acknowledged {
                older = recent
                recent = (RangeSet(), 0)
            }
            recent.ranges.add(ranges)
        }
    }

    /// `remoteSize` is the size the peer announced: nothing is sent beyond it. With `keepsMemory` all that it may ever need
    /// is taken at once.
    init(attachment: BlockAttachment, remoteSize: Int, isBidirectional: Bool, keepsMemory: Bool) {
        self.attachment = attachment
        self.remoteSize = remoteSize
        self.isBidirectional = isBidirectional
        self.keepsMemory = keepsMemory
        if keepsMemory, !attachment.block.flags.contains(.static) {
            frozen.reserveCapacity(min(attachment.block.size, remoteSize))
        }
        attachment.queue.add(self)
    }

    private var limit: Int { min(attachment.block.size, remoteSize) }

    /// True when the peer has, or is about to be sent by frames already made, everything that was published.
    var isIdle: Bool { phase == .idle && pending.isEmpty && !keyFrameDue }

    /// Published changes become part of the next snapshot.
    func add(_ changes: RangeSet) {
        // The key frame holds all of it.
        if isHeld && !isBidirectional { return }
        pending.add(changes)
        if !isHeld { attachment.queue.add(self) }
    }

    /// The connection starts over: the peer is to get a key frame, later. Not to be called while it is queued.
    func hold(acknowledged: UInt64) {
        if isBidirectional {
            if phase != .idle && !sendsKeyFrame { pending.add(sending) }
            if let unconfirmed {
                if unconfirmed.older.until > acknowledged { pending.add(unconfirmed.older.ranges) }
                if unconfirmed.recent.until > acknowledged { pending.add(unconfirmed.recent.ranges) }
            }
        } else {
            pending.removeAll()
        }
        unconfirmed = nil
        isHeld = true
        isQueued = false
        phase = .idle
        keyFrameDue = true
        thaw()
    }

    /// What was held for the peer is let go: it gets a key frame, as if it were told of the block for the first time.
    func forget() { pending.removeAll() }

    /// The peer told of its block; false when it is another one than before.
    func goOn(remoteSize: Int, isBidirectional: Bool) -> Bool {
        guard remoteSize == self.remoteSize, isBidirectional == self.isBidirectional else { return false }
        isHeld = false
        attachment.queue.add(self)
        return true
    }

    /// The block is about to be written: keeps what a snapshot under way still has to send of `range`.
    func willChange(_ range: ByteRange) {
        guard phase == .data else { return }
        var hull = frozenRange
        for i in rangeIndex..<sending.count {
            let unsent = ByteRange(max(cursor, sending[i].start), sending[i].end).intersection(range)
            guard !unsent.isEmpty else { continue }
            hull = hull.isEmpty ? unsent : ByteRange(min(hull.start, unsent.start), max(hull.end, unsent.end))
        }
        guard hull != frozenRange, let bounds = sending.bounds else { return }
        // Much at once, or bit by bit, is not copied again and again: then all that is unsent is.
        if hull.count > Self.largestPartFrozen { hull = ByteRange(min(cursor, hull.start), bounds.end) }
        // What lies in the hull beside the old one was not written since the snapshot began.
        let front = frozenRange.isEmpty ? 0 : frozenRange.start - hull.start
        let count = frozen.count
        frozen.append(contentsOf: repeatElement(0, count: hull.count - count))
        let source = UnsafeRawBufferPointer(rebasing: attachment.block.bytes[hull.start..<hull.end])
        frozen.withUnsafeMutableBytes { out in
            func copy(_ bytes: UnsafeRawBufferPointer, to place: Int) {
                UnsafeMutableRawBufferPointer(rebasing: out[place..<(place + bytes.count)]).copyMemory(from: bytes)
            }
            copy(UnsafeRawBufferPointer(rebasing: out[..<count]), to: front)
            copy(UnsafeRawBufferPointer(rebasing: source[..<front]), to: 0)
            copy(UnsafeRawBufferPointer(rebasing: source[(front + count)...]), to: front + count)
        }
        frozenRange = hull
    }

    /// Signals that change while a snapshot waits (positions of streams above all) are smaller than this.
    private static let largestPartFrozen = 4096

    private func thaw() {
        frozen.removeAll(keepingCapacity: keepsMemory)
        frozenRange = ByteRange(0, 0)
    }

    /// The next bytes of the snapshot that are all frozen or all in the block.
    private var nextData: ByteRange {
        let end = sending[rangeIndex].end
        if frozenRange.isEmpty || cursor >= frozenRange.end { return ByteRange(cursor, end) }
        return ByteRange(cursor, min(end, cursor < frozenRange.start ? frozenRange.start : frozenRange.end))
    }

    /// Writes the next frame to the start of `out`.
    ///
    /// Returns its length, or nil when there is nothing (more) to send, or 0 when `room` or `out` is too small now.
    func nextFrame(
        into out: UnsafeMutableRawBufferPointer, number: UInt8, layout: FrameLayout, frameLimit: Int, room: Int,
        sent: UInt64, acknowledged: UInt64
    ) -> Int? {
        if phase == .idle {
            guard startSnapshot() else { return nil }
            if isBidirectional && layout == .serial && !sendsKeyFrame {
                let unconfirmed = unconfirmed ?? Unconfirmed()
                self.unconfirmed = unconfirmed
                unconfirmed.add(sending, acknowledged: acknowledged)
            }
        }
        let isMarks = phase == .marks
        let range = isMarks ? marks : nextData
        let address = UInt32(isMarks ? remoteSize + range.start : range.start)
        let headerLength = FrameHeader.length(blockID: attachment.remoteID, address: address, layout: layout)
        var payloadLimit = frameLimit - headerLength
        if layout == .serial {
            // A somewhat smaller frame now keeps the line busy where a full one would have to wait for the window.
            payloadLimit = min(payloadLimit, 255, max(room, Self.worthwhileSerialFrame) - headerLength)
        }
        guard min(room, out.count) >= headerLength + min(payloadLimit, range.count) else { return 0 }
        let payload = UnsafeMutableRawBufferPointer(rebasing: out[headerLength..<out.count])
        let target = UnsafeMutableRawBufferPointer(rebasing: payload.prefix(payloadLimit))

        let coded = isMarks ? encodeMarks(range, into: target) : encode(range, into: target)
        var flags: FrameFlags = coded.compressed ? .compressed : []
        let covered = coded.covered
        let isLastOfPart = range.start + covered == (isMarks ? marks.end : sending.bounds?.end)
        if isLastOfPart && isMarks == isBidirectional { flags.insert(.syncComplete) }
        let header = FrameHeader(
            number: number, flags: flags, blockID: attachment.remoteID, address: address, dataSize: coded.written)
        _ = header.encode(into: out, layout: layout)
        let length = headerLength + coded.written
        if layout == .serial { FrameHeader.sealSerial(UnsafeMutableRawBufferPointer(rebasing: out[..<length])) }
        if !sendsKeyFrame { unconfirmed?.recent.until = sent &+ UInt64(length) }
        advance(covered, isLastOfPart: isLastOfPart)
        return length
    }

    /// Bytes of a serial frame with which the header costs little enough.
    private static let worthwhileSerialFrame = 72

    private func startSnapshot() -> Bool {
        sendsKeyFrame = keyFrameDue
        if keyFrameDue {
            keyFrameDue = false
            sending.removeAll()
            sending.add(ByteRange(0, limit))
            // A key frame without marks changes nothing at the peer: what was published since the block was bound has to
            // follow with marks (5.6).
            if !isBidirectional { pending.removeAll() }
        } else {
            sending = pending
            sending.clip(to: limit)
            pending.removeAll()
        }
        guard let bounds = sending.bounds else { return false }
        phase = .data
        rangeIndex = 0
        cursor = bounds.start
        return true
    }

    private func advance(_ covered: Int, isLastOfPart: Bool) {
        switch phase {
        case .idle: break
        case .data:
            cursor += covered
            if isLastOfPart {
                thaw()
                guard isBidirectional, let bounds = sending.bounds else {
                    phase = .idle
                    return
                }
                marks = ByteRange(bounds.start >> 3, (bounds.end - 1) >> 3 + 1)
                phase = .marks
            } else if cursor == sending[rangeIndex].end {
                rangeIndex += 1
                cursor = sending[rangeIndex].start
            }
        case .marks:
            marks.start += covered
            if isLastOfPart { phase = .idle }
        }
    }

    private typealias Coded = (written: Int, covered: Int, compressed: Bool)

    /// An attempt to compress is given up when this many bytes bring nothing.
    private static let compressionProbe = 1024

    private func encode(_ range: ByteRange, into out: UnsafeMutableRawBufferPointer) -> Coded {
        guard frozenRange.overlaps(range) else {
            return Self.encode(
                UnsafeRawBufferPointer(rebasing: attachment.block.bytes[range.start..<range.end]), into: out,
                raw: attachment.block.flags.contains(.static))
        }
        return frozen.withUnsafeBytes { bytes in
            Self.encode(
                UnsafeRawBufferPointer(
                    rebasing: bytes[(range.start - frozenRange.start)..<(range.end - frozenRange.start)]), into: out,
                raw: attachment.block.flags.contains(.static))
        }
    }

    private static func encode(
        _ source: UnsafeRawBufferPointer, into out: UnsafeMutableRawBufferPointer, raw: Bool
    ) -> Coded {
        if !raw {
            let (written, covered) = ZeroRun.encode(source, into: out, giveUpAfter: compressionProbe)
            if covered > 0 { return (written, covered, true) }
        }
        let count = min(source.count, out.count)
        UnsafeMutableRawBufferPointer(rebasing: out[..<count])
            .copyMemory(from: UnsafeRawBufferPointer(rebasing: source[..<count]))
        return (count, count, false)
    }

    /// Mark bytes: bit (a & 7) of byte (a >> 3) tells that byte a was written; none in the first snapshot.
    ///
    /// Long stretches without marks lie between the few ranges of a snapshot, so the zero runs are made from the ranges
    /// and not found by looking at bytes.
    private func encodeMarks(_ range: ByteRange, into out: UnsafeMutableRawBufferPointer) -> Coded {
        var written = 0
        var at = range.start
        // Like the reference encoder: fewer than four bytes are never compressed.
        while range.count >= ZeroRun.shortestInput && at < range.end && written + 2 <= out.count {
            // A literal run up to the next group without marks, then a run of zeros.
            let literals = markedGroups(from: at, atMost: min(255, range.end - at))
            guard written + 1 + literals <= out.count else { break }
            out[written] = UInt8(literals)
            writeMarks(from: at, count: literals, into: out, at: written + 1)
            written += 1 + literals
            at += literals
            guard at < range.end, written < out.count else { break }
            let zeros = min(255, zeroMarks(from: at, to: range.end))
            out[written] = UInt8(zeros)
            written += 1
            at += zeros
        }
        if at > range.start && written < at - range.start { return (written, at - range.start, true) }
        let count = min(range.count, out.count)
        writeMarks(from: range.start, count: count, into: out, at: 0)
        return (count, count, false)
    }

    /// Writes the mark bytes of `count` groups to `offset` of `out`, which has room for them.
    private func writeMarks(from group: Int, count: Int, into out: UnsafeMutableRawBufferPointer, at offset: Int) {
        guard count > 0 else { return }
        let marks = UnsafeMutableRawBufferPointer(rebasing: out[offset..<(offset + count)])
        marks.initializeMemory(as: UInt8.self, repeating: 0)
        guard !sendsKeyFrame else { return }
        let covered = ByteRange(group << 3, (group + count) << 3)
        for i in 0..<sending.count where sending[i].overlaps(covered) {
            let part = sending[i].intersection(covered)
            // Whole groups in one go, the bits of the groups at both ends one by one.
            let whole = ByteRange((part.start + 7) >> 3, part.end >> 3)
            if whole.isEmpty {
                mark(part, in: marks, from: group)
            } else {
                mark(ByteRange(part.start, whole.start << 3), in: marks, from: group)
                UnsafeMutableRawBufferPointer(rebasing: marks[(whole.start - group)..<(whole.end - group)])
                    .initializeMemory(as: UInt8.self, repeating: 0xFF)
                mark(ByteRange(whole.end << 3, part.end), in: marks, from: group)
            }
        }
    }

    private func mark(_ addresses: ByteRange, in marks: UnsafeMutableRawBufferPointer, from group: Int) {
        for address in addresses.start..<addresses.end { marks[address >> 3 - group] |= 1 << UInt8(address & 7) }
    }

    /// Number of groups from `group` on that have marks without one in between that has none.
    private func markedGroups(from group: Int, atMost limit: Int) -> Int {
        guard !sendsKeyFrame else { return 0 }
        var at = group
        for i in 0..<sending.count where sending[i].end > at << 3 {
            guard sending[i].start >> 3 <= at, at < group + limit else { break }
            at = min(group + limit, (sending[i].end - 1) >> 3 + 1)
        }
        return at - group
    }

    /// Number of groups from `group` on that have no mark.
    private func zeroMarks(from group: Int, to end: Int) -> Int {
        guard !sendsKeyFrame else { return end - group }
        for i in 0..<sending.count where sending[i].end > group << 3 {
            return max(0, min(end, sending[i].start >> 3) - group)
        }
        return end - group
    }
}
