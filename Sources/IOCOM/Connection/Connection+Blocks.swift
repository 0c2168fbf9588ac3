extension Connection {
    /// A listener's owner accepts the peer that authenticated.
    public mutating func accept() {
        guard awaitsDecision else { return }
        phase = .running
        queue.wake()
    }

    /// Tells the peer of `block`; the lower end does this for everything the peer may see (wire-protocol.md 3.3).
    ///
    /// `wireNumber` is the device number to show when it differs from the block's own (3.6). Nil when this connection has
    /// no id left.
    @discardableResult
    public mutating func announce(_ block: MemoryBlock, wireNumber: UInt32? = nil) -> BlockAttachment? {
        guard let attachment = attachment(for: block, wireNumber) else { return nil }
        guard !attachment.isAnnounced else { return attachment }
        attachment.isAnnounced = true
        queue.addInfo(attachment)
        return attachment
    }

    /// Connects the peer's block that `info` tells of with `block`: by the flags of both, data flows from now on.
    ///
    /// The upper end answers with its own info. Nil when no data would flow in either direction, or when the peer's block
    /// is larger than ``Limit/largestBlock``.
    @discardableResult
    public mutating func bind(
        _ info: BlockInfo, to block: MemoryBlock, wireNumber: UInt32? = nil
    ) -> BlockAttachment? {
        guard info.size <= UInt32(Limit.largestBlock) else { return nil }
        let both = info.flags.intersection(block.flags)
        let isTwoWay =
            isBidirectional && both.contains([.bidirectional, .down]) && !both.contains(.up)
            && !block.flags.contains(.static)
        let sends = both.contains(direction == .up ? .up : .down) || isTwoWay
        let receives = both.contains(direction == .up ? .down : .up) || isTwoWay
        guard sends || receives, let attachment = attachment(for: block, wireNumber) else { return nil }
        let isNewPeerBlock = attachment.remoteID != info.id
        attachment.remoteID = info.id
        if attachment.canGoOn {
            attachment.goOn(
                sends: sends, receives: receives, remoteSize: Int(info.size), isBidirectional: isTwoWay)
        } else if sends && (attachment.source == nil || isNewPeerBlock) {
            // An older source must not stay queued: it would send to the new id and outlive its attachment.
            queue.removeSource(of: attachment)
            attachment.source = BlockSource(
                attachment: attachment, remoteSize: Int(info.size), isBidirectional: isTwoWay,
                keepsMemory: keepsMemory)
        }
        if sends && attachment.source == nil {
            attachment.source = BlockSource(
                attachment: attachment, remoteSize: Int(info.size), isBidirectional: isTwoWay,
                keepsMemory: keepsMemory)
        }
        if receives && attachment.target == nil {
            attachment.target = BlockTarget(
                attachment: attachment, isBidirectional: isTwoWay, lend: settings.lend)
        }
        if !attachment.isAnnounced {
            attachment.isAnnounced = true
            queue.addInfo(attachment)
        }
        return attachment
    }

    /// The attachment of `block` on this connection.
    public borrowing func attachment(of block: MemoryBlock) -> BlockAttachment? {
        block.attachments.first { $0.queue === queue }
    }

    /// Withdraws a block from the peer, which forgets it (7.1), and detaches it.
    public mutating func withdraw(_ block: MemoryBlock) {
        guard let attachment = attachment(of: block) else { return }
        if direction == .up && attachment.remoteID != 0 { withdraw(remoteID: attachment.remoteID) }
        detach(attachment)
    }

    /// Answers info for a block that this (lower) end no longer has.
    ///
    /// A peer that sends infos without end and acknowledges nothing does not make the list of answers grow without end.
    public mutating func withdraw(remoteID: UInt32) {
        guard removals.count < Int(Limit.lastBlockID) else { return }
        removals.append(remoteID)
        queue.wake()
    }

    /// Ends transfer of a block on this connection without telling the peer. Does nothing when it has ended already.
    public mutating func detach(_ attachment: BlockAttachment) {
        let index = Int(attachment.localID - Limit.firstBlockID)
        guard attachment.queue === queue, index < attachments.count, attachments[index] === attachment else { return }
        attachment.block.detach(attachment)
        queue.remove(attachment)
        attachment.end()
        attachments[index] = nil
        freeIDs.append(attachment.localID)
    }

    /// Detaches everything; the connection is gone.
    public mutating func close() {
        detachAll()
        queue.leave()
    }

    /// Detaches everything; ids start over.
    mutating func detachAll() {
        queue.removeAll()
        for attachment in attachments {
            if let attachment { detach(attachment) }
        }
        attachments.removeAll(keepingCapacity: true)
        freeIDs.removeAll()
    }

    /// Lets go what is held since ``restart(holdingBlocks:now:)`` and that the peer has not told of again. Its memory is
    /// kept for when it does.
    public mutating func releaseHeldBlocks() {
        for attachment in attachments { attachment?.release(keepsMemory: keepsMemory) }
        holdsBlocks = false
    }

    /// Detaches what is held since ``restart(holdingBlocks:now:)``: the peer is another one, or has nothing of it.
    public mutating func discardHeldBlocks() {
        for index in attachments.indices {
            if let attachment = attachments[index], attachment.isHeld || attachment.remoteID == 0 { detach(attachment) }
        }
        holdsBlocks = false
    }

    /// True while blocks are held that the peer has not told of again.
    public borrowing func hasHeldBlocks() -> Bool {
        for attachment in attachments {
            if let attachment, attachment.isHeld { return true }
        }
        return false
    }

    private mutating func attachment(for block: MemoryBlock, _ wireNumber: UInt32?) -> BlockAttachment? {
        if let attachment = attachment(of: block) { return attachment }
        let next = UInt32(attachments.count) + Limit.firstBlockID
        let id: UInt32
        // A peer that takes larger frames than the original is not the original and has room for larger ids.
        let isOriginal = (peer?.frameSize ?? 0) <= UInt32(Limit.originalFrame)
        if next <= (isOriginal ? Limit.lastCompatibleBlockID : Limit.lastBlockID) {
            id = next
            attachments.append(nil)
        } else {
            // Ids of blocks that went away longest ago are used again.
            guard let free = freeIDs.removeFirst() else { return nil }
            id = free
        }
        let attachment = BlockAttachment(
            block: block, localID: id, wireNumber: wireNumber ?? block.path.device.number, queue: queue)
        attachments[Int(id - Limit.firstBlockID)] = attachment
        block.attach(attachment)
        return attachment
    }
}
