/// One connection between two nodes: bytes and time in, events and bytes out (wire-protocol.md sections 1 to 5).
///
/// The machine knows nothing of sockets and never asks for the time. Its owner
/// 1. gives it what arrived with ``receive(_:at:now:)`` and acts on each event until there is none,
/// 2. takes what is to be sent with ``produce(into:now:)`` whenever bytes came, time passed, or the ``WakeList`` names it,
/// 3. calls ``tick(now:)`` about once a second; on a serial line at the ``deadline``,
/// 4. calls ``close()`` when the connection is gone.
/// After a thrown ``ProtocolViolation`` the connection is of no further use and has to be closed, or, on a serial line,
/// ``restart(holdingBlocks:now:)``.
public struct Connection: ~Copyable {
    /// What the owner has to act on.
    public enum Event {
        /// A client told the network it wants (switchbox routing; of no meaning otherwise).
        case handshake(SocketHandshake)
        /// The peer says who it is. A listener decides now: ``Connection/accept()`` or close. Nothing more is read from the
        /// peer before. A client has nothing to decide: its connection is accepted.
        case authenticated(Authentication)
        /// The peer told of one of its blocks; answer with ``Connection/bind(_:to:)`` or ignore it.
        case blockInfo(BlockInfo)
        /// A complete snapshot arrived in this block.
        case blockChanged(BlockAttachment)
        /// The peer (a lower end) withdraws this block.
        case blockRemoved(BlockAttachment)
    }

    enum Phase {
        /// Client on TLS: waits for the server's mark byte.
        case awaitingMark
        /// Listener: waits for the client's handshake.
        case awaitingHandshake
        /// Serial line: control characters go to and fro.
        case serialHandshake
        /// Frames flow, the peer has not authenticated.
        case awaitingAuthentication
        /// Listener: the owner has not decided yet; input waits.
        case awaitingDecision
        case running
    }

    let settings: ConnectionSettings
    var phase: Phase
    var flow: FlowControl
    private var expectedNumber: UInt8 = 0
    var nextNumber: UInt8 = 0
    private var carry: [UInt8] = []
    var startedAt: Milliseconds
    var serial: SerialHandshake
    /// The blocks of the connection before this one on the same line are held.
    var holdsBlocks = false
    var lastReceived: Milliseconds
    var lastSent: Milliseconds
    var hasSentMark = false
    var hasSentHandshake = false
    var hasSentAuthentication = false
    var attachments: [BlockAttachment?] = []
    var freeIDs = Fifo<UInt32>()
    var removals = Fifo<UInt32>()
    private var pendingRemoval = RemoveRequest()
    private var removalIndex = 0
    let queue: SendQueue
    /// Bidirectional transfer was offered by the client and is possible here.
    var isBidirectional: Bool
    /// Which end this is; a listener is the upper one until the client says that it is the upper one itself.
    public private(set) var direction: ConnectionSettings.Direction
    /// What the peer said of itself.
    public private(set) var peer: Authentication?
    /// Frames and acknowledges received so far; starts over at zero after the largest number.
    public private(set) var receivedMessages: UInt64 = 0
    /// Messages that ``receive(_:at:now:)`` may still read; at zero it stops, whatever is left of the bytes.
    public var allowance: UInt64 = .max

    /// A connection that was just opened or accepted (below TLS: whose TLS handshake is through).
    ///
    /// `tag` names it in `wakeList`.
    public init(_ settings: ConnectionSettings, tag: UInt64, wakeList: WakeList, now: Milliseconds) {
        self.settings = settings
        queue = SendQueue(tag: tag, wakeList: wakeList)
        serial = SerialHandshake(settings.side, now: now)
        flow = FlowControl(layout: settings.layout, own: settings.frameSize)
        direction = settings.side == .listener ? .down : settings.direction
        isBidirectional = settings.side == .client && settings.isBidirectional
        startedAt = now
        lastReceived = now
        lastSent = now
        switch (settings.layout, settings.side, settings.isSecure) {
        case (.serial, _, _): phase = .serialHandshake
        case (.socket, .listener, _): phase = .awaitingHandshake
        case (.socket, .client, true): phase = .awaitingMark
        case (.socket, .client, false): phase = .awaitingAuthentication
        }
        if keepsMemory {
            carry.reserveCapacity(settings.frameSize)
            queue.reserveCapacity(Self.usualBlocks)
            attachments.reserveCapacity(Self.usualBlocks)
        }
    }

    /// At the other end of a serial line there may be a microcontroller, which takes memory at its start only; here it takes
    /// no more than a few KiB to do the same.
    var keepsMemory: Bool { settings.layout == .serial }
    /// Blocks of a usual device, with some to spare.
    private static var usualBlocks: Int { 8 }

    /// True once both ends authenticated and the owner accepted the peer.
    public var isRunning: Bool {
        if case .running = phase { return true }
        return false
    }

    /// True while the owner's decision on the peer's authentication is due.
    public var awaitsDecision: Bool {
        if case .awaitingDecision = phase { return true }
        return false
    }

    // MARK: Input

    /// Reads `bytes` from `offset` on up to the next event. Nil when everything was read, or while a decision is due
    /// (then `offset` may stop short of the end and the rest has to be offered again after ``accept()``), or when the
    /// ``allowance`` is used up.
    public mutating func receive(
        _ bytes: RawSpan, at offset: inout Int, now: Milliseconds
    ) throws(ProtocolViolation) -> Event? {
        if let removed = nextRemoved() { return removed }
        while offset < bytes.byteCount {
            lastReceived = now
            switch phase {
            case .awaitingDecision:
                return nil
            case .awaitingMark:
                let mark = try bytes.takeByte(&offset)
                guard mark == SocketHandshake.tlsMark else { throw .tlsMark(mark) }
                phase = .awaitingAuthentication
                queue.wake()
            case .serialHandshake:
                serial.receive(bytes, at: &offset, now: now)
                if serial.isConnected { frames(now) }
            case .awaitingHandshake:
                guard let handshake = try readHandshake(bytes, &offset) else { return nil }
                phase = .awaitingAuthentication
                queue.wake()
                return .handshake(handshake)
            case .awaitingAuthentication, .running:
                guard allowance > 0 else { return nil }
                if carry.isEmpty {
                    let start = offset
                    let event = try readFrame(bytes, &offset)
                    flow.didReceive(offset - start)
                    if let event { return event }
                    if offset == start {
                        take(bytes, &offset, bytes.byteCount - offset)
                        return nil
                    }
                } else {
                    guard try completeCarry(bytes, &offset) else { return nil }
                    var frame: [UInt8] = []
                    swap(&frame, &carry)
                    var at = 0
                    let event: Event?
                    // Also after a bad frame the memory is kept: a line that starts over goes on with it.
                    do throws(ProtocolViolation) { event = try readFrame(frame.span.bytes, &at) } catch {
                        frame.removeAll(keepingCapacity: true)
                        swap(&frame, &carry)
                        throw error
                    }
                    frame.removeAll(keepingCapacity: true)
                    swap(&frame, &carry)
                    if let event { return event }
                }
            }
        }
        return nil
    }

    /// The handshake of a serial line is through: everything counts from here on.
    private mutating func frames(_ now: Milliseconds) {
        phase = .awaitingAuthentication
        startedAt = now
        lastReceived = now
        lastSent = now
        queue.wake()
    }

    private mutating func readHandshake(
        _ bytes: RawSpan, _ offset: inout Int
    ) throws(ProtocolViolation) -> SocketHandshake? {
        if carry.isEmpty {
            if let handshake = try SocketHandshake(bytes, offset: &offset) { return handshake }
        }
        // At most 26 bytes: byte by byte is simple and quick enough.
        while offset < bytes.byteCount {
            carry.append(try bytes.takeByte(&offset))
            var at = 0
            if let handshake = try SocketHandshake(carry.span.bytes, offset: &at) {
                carry.removeAll(keepingCapacity: true)
                return handshake
            }
        }
        return nil
    }

    /// Appends bytes to the partial frame in `carry` until it is complete; false when more bytes are needed.
    private mutating func completeCarry(_ bytes: RawSpan, _ offset: inout Int) throws(ProtocolViolation) -> Bool {
        while !carry.isEmpty {
            let wanted = try frameLength(carry.span.bytes, 0)
            if let wanted, wanted <= carry.count { return true }
            guard offset < bytes.byteCount else { return false }
            let missing = wanted.map { $0 - carry.count } ?? 1
            take(bytes, &offset, min(missing, bytes.byteCount - offset))
        }
        return true
    }

    /// Moves bytes of a frame that is not complete into `carry`, counting them as received.
    private mutating func take(_ bytes: RawSpan, _ offset: inout Int, _ count: Int) {
        flow.didReceive(count)
        bytes.extracting(offset..<(offset + count)).withUnsafeBytes { carry.append(contentsOf: $0) }
        offset += count
    }

    /// Length of the acknowledge or frame at `offset`; nil when more bytes are needed to know.
    private borrowing func frameLength(_ bytes: RawSpan, _ offset: Int) throws(ProtocolViolation) -> Int? {
        var at = offset
        let first = try bytes.takeByte(&at)
        if first == 0xFF { return settings.layout.acknowledgeLength }
        guard first == expectedNumber else { throw .frameNumber(expected: expectedNumber, found: first) }
        guard let length = try FrameHeader.frameLength(bytes, at: offset, layout: settings.layout) else { return nil }
        guard length <= settings.frameSize else { throw .frameTooLong(length: length, limit: settings.frameSize) }
        return length
    }

    /// Reads the frame at `offset` if it is complete; `offset` stays when it is not.
    private mutating func readFrame(_ bytes: RawSpan, _ offset: inout Int) throws(ProtocolViolation) -> Event? {
        guard let length = try frameLength(bytes, offset), length <= bytes.byteCount - offset else { return nil }
        receivedMessages &+= 1
        allowance &-= 1
        let start = offset
        offset += length
        var at = start
        if try bytes.takeByte(&at) == 0xFF {
            try flow.peerAcknowledged(bytes.takeUnsigned(&at, width: settings.layout.acknowledgeLength - 1))
            if !queue.isEmpty || !removals.isEmpty { queue.wake() }
            return nil
        }
        if settings.layout == .serial && !FrameHeader.serialChecksumMatches(bytes, at: start, length: length) {
            throw .checksum
        }
        expectedNumber = expectedNumber == Limit.lastFrameNumber ? 1 : expectedNumber + 1
        let (header, headerLength) = try FrameHeader.decode(bytes, at: start, layout: settings.layout)
        let payload = bytes.extracting((start + headerLength)..<(start + length))
        return header.flags.contains(.system) ? try readSystem(header, payload) : try readData(header, payload)
    }

    private mutating func readSystem(
        _ header: FrameHeader, _ payload: RawSpan
    ) throws(ProtocolViolation) -> Event? {
        var at = 0
        let type = try payload.takeByte(&at)
        if type == SystemMessage.authentication {
            return try readAuthentication(payload, frameSize: header.blockID)
        }
        guard isRunning else { throw .beforeAuthentication }
        switch type {
        case SystemMessage.blockInfo:
            return .blockInfo(try BlockInfo(payload, id: header.blockID))
        case SystemMessage.removeBlocks:
            pendingRemoval = try RemoveRequest(payload, count: header.blockID)
            removalIndex = 0
            return nextRemoved()
        default:
            return nil  // Unknown messages are ignored (7.2).
        }
    }

    private mutating func readAuthentication(
        _ payload: RawSpan, frameSize: UInt32
    ) throws(ProtocolViolation) -> Event {
        guard case .awaitingAuthentication = phase else { throw .repeatedAuthentication }
        let authentication = try Authentication(payload, frameSize: frameSize)
        peer = authentication
        flow.peerReceives(frameSize: frameSize, own: settings.frameSize)
        switch settings.side {
        case .listener:
            direction = authentication.flags.contains(.connectUp) ? .down : .up
            isBidirectional = settings.isBidirectional && authentication.flags.contains(.bidirectional)
            phase = .awaitingDecision
        case .client:
            phase = .running
        }
        queue.wake()
        return .authenticated(authentication)
    }

    private mutating func readData(
        _ header: FrameHeader, _ payload: RawSpan
    ) throws(ProtocolViolation) -> Event? {
        guard isRunning else { throw .beforeAuthentication }
        guard let attachment = attachment(id: header.blockID), !attachment.isHeld, let target = attachment.target
        else { return nil }
        return try target.receive(header, payload) ? .blockChanged(attachment) : nil
    }

    /// A remove request names several blocks; each becomes an event of its own.
    private mutating func nextRemoved() -> Event? {
        while removalIndex < pendingRemoval.count {
            let id = pendingRemoval[removalIndex]
            removalIndex += 1
            // Only a lower end withdraws, and only what it feeds (section 13: an operator must not remove a device).
            if direction == .down, let attachment = attachment(id: id), attachment.block.flags.contains(.dynamic) {
                return .blockRemoved(attachment)
            }
        }
        return nil
    }

    /// Starts over with the handshake after a violation on a serial line, or because the owner wants so.
    ///
    /// Nothing of the connection goes on but what the owner has in its blocks. With `holdingBlocks` they stay attached:
    /// they count as fed and as not drained, and each goes on with a key frame once the peer has told of it again. What
    /// it does not tell of in time has to be let go with ``releaseHeldBlocks()``. A client that holds says so
    /// (docs/protocol-extensions.md). No memory is allocated for blocks that are told of as they were.
    public mutating func restart(holdingBlocks: Bool, now: Milliseconds) {
        if holdingBlocks {
            queue.removeAll()
            for attachment in attachments { attachment?.hold(acknowledged: flow.totalAcknowledged) }
        } else {
            detachAll()
        }
        holdsBlocks = holdingBlocks
        serial = SerialHandshake(settings.side, now: now)
        phase = .serialHandshake
        flow = FlowControl(layout: settings.layout, own: settings.frameSize)
        expectedNumber = 0
        nextNumber = 0
        carry.removeAll(keepingCapacity: true)
        startedAt = now
        lastReceived = now
        lastSent = now
        hasSentAuthentication = false
        removals.removeAll()
        pendingRemoval = RemoveRequest()
        removalIndex = 0
        direction = settings.side == .listener ? .down : settings.direction
        isBidirectional = settings.side == .client && settings.isBidirectional
        peer = nil
        queue.wake()
    }

    private borrowing func attachment(id: UInt32) -> BlockAttachment? {
        guard id >= Limit.firstBlockID, id - Limit.firstBlockID < UInt32(attachments.count) else { return nil }
        return attachments[Int(id - Limit.firstBlockID)]
    }
}
