public import IOCOM
public import IOCOMTransport
public import NIOCore

/// One connection of a node. Confined to the node's event loop.
public final class NodeLink {
    /// Number of this link in its node.
    public let id: UInt64
    /// Who opened it.
    public let side: ConnectionSettings.Side
    /// Peer's address as text; "unknown" before it is connected.
    public private(set) var peerAddress = "unknown"
    /// What limits for one address are counted for: the address, of IPv6 its first 64 bits.
    public private(set) var limitedAddress = "unknown"
    /// TLS is below.
    public private(set) var isSecure = false
    /// It is a connection on a serial line: nobody logs in there, and who is at the other end depends on the cable.
    public private(set) var isSerial = false
    /// The certificate that the peer showed, DER.
    public private(set) var peerCertificate: [UInt8]?
    /// What the peer said of itself.
    public private(set) var peer: Authentication?
    /// What may pass.
    public private(set) var permissions = LinkPermissions(networks: [], brings: .nothing)
    /// Number that this node gave to the automatically numbered device on this link.
    public internal(set) var assignedNumber: UInt32?
    /// Blocks this link brought.
    var broughtBlocks: [BlockPath: MemoryBlock] = [:]
    /// How many blocks this link brought.
    public var blockCount: Int { broughtBlocks.count }
    /// Bytes it made this node set aside.
    var reservedBytes = 0
    /// The role's own data for this link.
    public var context: AnyObject?

    /// Kept until the link has ended, when the node forgets it.
    let node: Node
    private let settings: (_ link: ByteLink) -> ConnectionSettings
    private var connection: Connection?
    private var link: ByteLink?
    private var held = ByteBuffer()
    private var meter: MessageMeter?
    /// Messages of the connection that were counted.
    private(set) var receivedMessages: UInt64 = 0
    /// Nothing is read before the second is over.
    private var isPaused = false
    private var closeReason: String?
    private var hasEnded = false
    /// The rule of the protocol that the peer broke, when that is why the connection ends.
    public private(set) var violation: ProtocolViolation?
    /// On a serial line: times and what is held.
    var serial: SerialLinkState?
    /// How often a serial line failed and was started over.
    public internal(set) var interruptions = 0
    var lastFailure: ProtocolViolation?
    /// The peer told of a block that passes on this link.
    var heardOfBlocks = false

    init(id: UInt64, side: ConnectionSettings.Side, node: Node, settings: @escaping (ByteLink) -> ConnectionSettings) {
        self.id = id
        self.side = side
        self.node = node
        self.settings = settings
        meter = node.limits.messagesPerSecond.map { MessageMeter(limit: $0) }
    }

    /// True once both ends are authenticated and accepted.
    public var isReady: Bool { connection?.isRunning ?? false }
    /// Where the peer stands: `.up` means that the peer is the upper end.
    public var direction: ConnectionSettings.Direction { connection?.direction ?? .down }
    /// True when the transport is connected.
    public var isConnected: Bool { link != nil }

    // MARK: Decisions of the role

    /// Lets the peer in.
    public func accept(_ permissions: LinkPermissions) {
        guard connection?.awaitsDecision == true else { return }
        self.permissions = permissions
        connection?.accept()
        link?.admitted()
        node.linkBecameReady(self)
        link?.setReading(!isPaused)
        consumeHeld()
        node.flushWaiting()
    }

    /// Closes without a word, as the protocol has it; the reason is for our own log.
    public func refuse(_ reason: String) { close("refused: \(reason)") }

    /// Closes the connection.
    public func close(_ reason: String) {
        if isSerial, closeReason == nil { sayDisconnect() }
        closeReason = closeReason ?? reason
        link?.close()
    }

    /// Ends the connection at once: its blocks are gone when this returns, however long the transport takes to close.
    public func end(_ reason: String) {
        close(reason)
        ended(closeReason ?? reason)
    }

    private func ended(_ reason: String) {
        guard !hasEnded else { return }
        hasEnded = true
        serial?.timer?.cancel()
        serial = nil
        connection?.close()
        connection = nil
        link = nil
        held = ByteBuffer()
        node.linkEnded(self, reason: reason)
        node.flushWaiting()
    }

    // MARK: For the node

    func announce(_ block: MemoryBlock) {
        guard isReady, direction == .up, permissions.maySee(block.path) else { return }
        // Only cloud connections are told of some blocks, and some are never shown there (wire-protocol.md 3.3).
        let isCloud = peer?.flags.contains(.cloud) ?? false
        guard !block.flags.contains(isCloud ? .noCloud : .cloudOnly) else { return }
        _ = connection?.announce(block)
    }

    func withdraw(_ block: MemoryBlock) {
        connection?.withdraw(block)
    }

    func bind(_ info: BlockInfo, to block: MemoryBlock) {
        if isSerial { toldOf(block.path) }
        let isOwn = block.path.device.number == assignedNumber
        let wireNumber = isOwn ? AutomaticNumber.reply : nil
        guard let attachment = connection?.bind(info, to: block, wireNumber: wireNumber), attachment.isTarget,
            attachment.review == nil
        else { return }
        attachment.review = node.role?.review(block, on: self)
    }

    /// A serial line has no end of its own that the peer would see at once.
    private func sayDisconnect() {
        guard let link, connection != nil else { return }
        var bytes = link.makeBuffer(capacity: 1)
        bytes.writeInteger(SerialControl.disconnect)
        link.write(bytes)
        link.flush()
    }

    // MARK: For serial lines

    var connectionDeadline: Milliseconds? { connection?.deadline }
    var isClosing: Bool { closeReason != nil || connection == nil }

    func restartConnection(holdingBlocks: Bool, now: Milliseconds) {
        connection?.restart(holdingBlocks: holdingBlocks, now: now)
        link?.discardOutput()
    }

    func releaseHeldBlocks() { connection?.releaseHeldBlocks() }

    func discardHeldBlocks() { connection?.discardHeldBlocks() }

    /// For a peer that is another one than before.
    func forgetPeer() {
        permissions = LinkPermissions(networks: [], brings: .nothing)
        assignedNumber = nil
        context = nil
    }

    func withdraw(remoteID: UInt32) { connection?.withdraw(remoteID: remoteID) }

    /// Writes what is due while the transport takes it.
    func flush() {
        guard let link, connection != nil else { return }
        let now = node.now
        var wrote = false
        let size = isSerial ? Self.serialWriteSize : Self.writeSize
        while link.isWritable {
            var buffer = link.makeBuffer(capacity: size)
            let count = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: size) { out in
                connection?.produce(into: out, now: now) ?? 0
            }
            guard count > 0 else { break }
            link.write(buffer)
            wrote = true
        }
        if wrote { link.flush() }
    }

    private static let writeSize = 64 * 1024
    private static let serialWriteSize = 1024

    func tick() {
        guard connection != nil, serial == nil else { return }
        tickConnection(node.now)
    }

    func tickConnection(_ now: Milliseconds) {
        do throws(ProtocolViolation) {
            if try connection?.tick(now: now) == true { flush() }
        } catch {
            guard serial == nil else { return lineFailed(error) }
            // At once: a peer that says nothing does not answer the farewell of TLS either, which would take 5 s more.
            end(error)
        }
    }

    func end(_ violation: ProtocolViolation) {
        self.violation = violation
        end(String(describing: violation))
    }

    private func close(_ violation: ProtocolViolation) {
        self.violation = violation
        close(String(describing: violation))
    }

    /// Bytes that may still be set aside for this link.
    var freeBytes: Int { min(node.limits.bytesPerLink - reservedBytes, node.limits.bytes - node.reservedBytes) }

    /// Zeroed memory for a snapshot under way, within the limits of the link and the node.
    func lend(_ count: Int) -> LentMemory? {
        guard count <= freeBytes else {
            let isOwn = count > node.limits.bytesPerLink - reservedBytes
            node.past.refusedBlocks[isOwn ? .bytesPerLink : .bytes, default: 0] &+= 1
            return nil
        }
        guard let memory = LentMemory.zeroed(count) else { return nil }
        reservedBytes += count
        node.reservedBytes += count
        return memory
    }

    // MARK: Messages in a second

    func messagesInSecond(now: Milliseconds) -> Int { meter?.count(now: now) ?? 0 }

    /// Counts what was just received. When it is enough for this second, the link is not read from until the next.
    private func count(now: Milliseconds) {
        guard let all = connection?.receivedMessages, all != receivedMessages else { return }
        let new = all &- receivedMessages
        receivedMessages = all
        guard let wait = meter?.add(Int(clamping: new), now: now), wait > 0, !isPaused else { return }
        isPaused = true
        node.past.pauses &+= 1
        link?.setReading(false)
        let bound = NIOLoopBound(self, eventLoop: node.loop)
        node.loop.scheduleTask(in: .milliseconds(wait)) { bound.value.goOn() }
    }

    private func goOn() {
        isPaused = false
        guard connection?.awaitsDecision == false else { return }
        let bytes = held
        held = ByteBuffer()
        consume(bytes)
        // What was held may have been enough for the new second as well.
        if !isPaused { link?.setReading(true) }
        flush()
        node.flushWaiting()
    }

    private func consumeHeld() {
        guard held.readableBytes > 0 else { return }
        let bytes = held
        held = ByteBuffer()
        consume(bytes)
    }

    private func consume(_ bytes: ByteBuffer) {
        guard connection != nil, closeReason == nil else { return }
        let now = node.now
        if let room = meter?.room(now: now) { connection?.allowance = UInt64(room) }
        var offset = 0
        let failure = bytes.withUnsafeReadableBytes { raw -> ProtocolViolation? in
            let span = RawSpan(_unsafeBytes: raw)
            do throws(ProtocolViolation) {
                while closeReason == nil, !isPaused,
                    let event = try connection?.receive(span, at: &offset, now: now)
                {
                    count(now: now)
                    handle(event)
                }
                count(now: now)
                return nil
            } catch {
                return error
            }
        }
        if let failure { return serial == nil ? close(failure) : lineFailed(failure) }
        if isPaused || connection?.awaitsDecision == true, offset < bytes.readableBytes {
            held = bytes.getSlice(at: bytes.readerIndex + offset, length: bytes.readableBytes - offset) ?? held
        }
    }

    private func handle(_ event: Connection.Event) {
        switch event {
        case .handshake: break
        case .authenticated(let peer):
            let earlier = self.peer
            self.peer = peer
            if serial?.isAway == true {
                if isComingBack(peer, after: earlier) {
                    connection?.accept()
                    return goOnAfterFailure()
                }
                guard side == .listener else { return end("another server answers on \(peerAddress)") }
                beginAnew()
            }
            switch side {
            case .listener:
                // Nothing more is read until the role has decided.
                link?.setReading(false)
                node.role?.authorize(peer, on: self)
            case .client:
                permissions = .everything
                node.linkBecameReady(self)
            }
        case .blockInfo(let info): node.received(info, on: self)
        case .blockChanged(let attachment): node.role?.blockChanged(attachment.block, on: self)
        case .blockRemoved(let attachment): node.removeBlock(attachment.block, broughtBy: self)
        }
    }
}

extension NodeLink: ByteLinkReader {
    /// The transport is ready: the protocol starts.
    public func opened(_ link: ByteLink) {
        self.link = link
        peerAddress = link.peerAddress
        limitedAddress = link.limitedAddress
        isSecure = link.isSecure
        peerCertificate = link.peerCertificate
        isSerial = link.isSerial
        connection = Connection(settings(link), tag: id, wakeList: node.wakeList, now: node.now)
        if isSerial {
            serial = SerialLinkState(now: node.now)
            // It is slower than any limit.
            meter = nil
        }
        flush()
        scheduleSerial()
    }

    /// Bytes from the peer.
    public func received(_ bytes: ByteBuffer, on link: ByteLink) {
        guard connection?.awaitsDecision != true, !isPaused else {
            var bytes = bytes
            held.writeBuffer(&bytes)
            return
        }
        consume(bytes)
        flush()
        node.flushWaiting()
        scheduleSerial()
    }

    /// The transport takes more.
    public func becameWritable(_ link: ByteLink) {
        flush()
        node.flushWaiting()
    }

    /// The transport is gone.
    public func closed(_ link: ByteLink, error: (any Error)?) {
        // It was never opened when TLS failed.
        peerAddress = link.peerAddress
        ended(closeReason ?? error.map { String(describing: $0) } ?? "the peer closed the connection")
    }
}
