public import IOCOM
public import IOCOMTransport
public import NIOCore
public import NIOSSL

/// A node of the IO network: its memory blocks, its connections, and the forwarding between them.
///
/// Confined to one event loop: make it there and use it only there.
public final class Node {
    /// The loop everything happens on.
    public let loop: any EventLoop
    /// Name and number.
    public let identity: NodeIdentity
    /// What peers may cost.
    public let limits: NodeLimits
    /// Device, server or operator.
    public weak var role: (any NodeRole)?
    /// Blocks are taken over from peers that bring them (servers, operators).
    public let isDynamic: Bool

    /// Counts the connections of all listeners.
    public let gate: ConnectionGate
    /// Bytes set aside for peers.
    var reservedBytes = 0
    /// Messages of connections that have ended, how often one was made to wait, and blocks that were refused.
    var past = NodeUse()

    let wakeList = WakeList()
    private var blocks: [BlockPath: MemoryBlock] = [:]
    private var order: [ObjectIdentifier: UInt64] = [:]
    private var nextOrder: UInt64 = 0
    private var links: [UInt64: NodeLink] = [:]
    /// Links with a reader of all blocks: a server has thousands of devices for each of them.
    private var upperLinks: [UInt64: NodeLink] = [:]
    private var nextLink: UInt64 = 1
    private var ticker: RepeatedTask?
    private var isFlushing = false
    private var broughtBlockCount = 0

    /// A node without blocks and connections. Must be made on `loop`.
    public init(identity: NodeIdentity, isDynamic: Bool, limits: NodeLimits = NodeLimits(), on loop: any EventLoop) {
        loop.preconditionInEventLoop()
        self.loop = loop
        self.identity = identity
        self.isDynamic = isDynamic
        self.limits = limits
        gate = ConnectionGate(limits.listeners)
        let bound = NIOLoopBound(WeakNode(self), eventLoop: loop)
        ticker = loop.scheduleRepeatedTask(initialDelay: .milliseconds(500), delay: .milliseconds(500)) { _ in
            bound.value.node?.tick()
        }
    }

    /// Ends all connections and timers; the node is of no further use.
    public func shutDown() {
        ticker?.cancel()
        ticker = nil
        for link in links.values { link.close("this program is stopping") }
    }

    /// Monotonic time of the loop.
    public var now: Milliseconds { Milliseconds(NIODeadline.now().uptimeNanoseconds / 1_000_000) }

    /// Connections, in no particular order.
    public var connections: [NodeLink] { Array(links.values) }

    // MARK: Blocks

    /// The block of that name.
    public func block(_ path: BlockPath) -> MemoryBlock? { blocks[path] }

    /// All blocks in creation order.
    public var allBlocks: [MemoryBlock] {
        blocks.values.sorted { order[ObjectIdentifier($0), default: 0] < order[ObjectIdentifier($1), default: 0] }
    }

    /// Makes a block of this node's own. Nil when the name exists or there is no memory.
    @discardableResult
    public func addBlock(_ path: BlockPath, flags: BlockFlags, size: Int) -> MemoryBlock? {
        guard blocks[path] == nil, let memory = LentMemory.zeroed(max(size, 1)) else { return nil }
        let flags = flags.contains(.static) ? flags : flags.union(.bidirectional)
        let block = MemoryBlock(path: path, flags: flags, memory: memory)
        insert(block)
        return block
    }

    /// Takes a block of this node's own away from every peer.
    public func removeBlock(_ block: MemoryBlock) {
        guard blocks[block.path] === block else { return }
        blocks[block.path] = nil
        order[ObjectIdentifier(block)] = nil
        for tag in block.connectionTags {
            if let link = links[tag], link.isReady { link.withdraw(block) }
        }
        flushWaiting()
    }

    private func insert(_ block: MemoryBlock) {
        blocks[block.path] = block
        order[ObjectIdentifier(block)] = nextOrder
        nextOrder += 1
        for link in upperLinks.values { link.announce(block) }
    }

    /// Sends what was published: call after publishing outside of a role's callback.
    public func flushWaiting() {
        guard !isFlushing else { return }
        isFlushing = true
        defer { isFlushing = false }
        repeat {
            for tag in wakeList.take() { links[tag]?.flush() }
            role?.drained()
        } while !wakeList.isEmpty
    }

    // MARK: Connections

    /// What peers cost now. Looks at every connection.
    public var use: NodeUse {
        var use = past
        use.blocks = broughtBlockCount
        use.bytes = reservedBytes
        let now = now
        for link in links.values {
            use.mostBlocksOfOneLink = max(use.mostBlocksOfOneLink, link.broughtBlocks.count)
            use.mostBytesOfOneLink = max(use.mostBytesOfOneLink, link.reservedBytes)
            use.mostMessagesOfOneLink = max(use.mostMessagesOfOneLink, link.messagesInSecond(now: now))
            use.messages &+= link.receivedMessages
        }
        return use
    }

    /// Listens; every client is put to the role's ``NodeRole/authorize(_:on:)``.
    public func listen(_ address: ConnectionAddress, tls: NIOSSLContext?) -> EventLoopFuture<Listener> {
        Listener.bind(address, tls: tls, gate: gate, on: loop) { [self] in
            makeLink(.listener, direction: .down, user: identity.name, password: PasswordText(), flags: [])
        }
    }

    /// Opens a connection. The future fails when no TCP connection came to be; everything later is told to the role.
    public func connect(
        to address: ConnectionAddress, tls: TLSClient?, direction: ConnectionSettings.Direction,
        password: PasswordText = PasswordText(), flags: Authentication.Flags = []
    ) -> EventLoopFuture<NodeLink> {
        let link = makeLink(.client, direction: direction, user: identity.name, password: password, flags: flags)
        let bound = NIOLoopBound((self, link), eventLoop: loop)
        return Dialer.connect(to: address, tls: tls, on: loop, reader: link)
            .flatMapErrorThrowing { error in
                bound.value.0.links[bound.value.1.id] = nil
                throw error
            }
            .assumeIsolated()
            .map { bound.value.1 }
            .nonisolated()
    }

    private func makeLink(
        _ side: ConnectionSettings.Side, direction: ConnectionSettings.Direction, user: UserName,
        password: PasswordText, flags: Authentication.Flags
    ) -> NodeLink {
        let id = nextLink
        nextLink += 1
        let identity = identity
        let isBidirectional = side == .listener || direction == .down
        let budget = LinkBudget()
        let limits = limits
        let link = NodeLink(id: id, side: side, node: self) { transport in
            var settings = ConnectionSettings(
                side: side, direction: direction, layout: transport.isSerial ? .serial : .socket,
                isSecure: transport.isSecure, user: user, number: identity.number, network: identity.network,
                password: password, uniqueID: identity.uniqueID, flags: flags,
                isBidirectional: isBidirectional, lend: { budget.link?.lend($0) })
            settings.handshakeTimeout = limits.handshakeTimeout
            if !transport.isSerial { settings.idleTimeout = limits.idleTimeout }
            return settings
        }
        budget.link = link
        links[id] = link
        return link
    }

    func linkBecameReady(_ link: NodeLink) {
        role?.linkReady(link)
        guard link.direction == .up else { return }
        upperLinks[link.id] = link
        for block in allBlocks { link.announce(block) }
    }

    func linkEnded(_ link: NodeLink, reason: String) {
        links[link.id] = nil
        upperLinks[link.id] = nil
        for block in link.broughtBlocks.values { drop(block) }
        link.broughtBlocks = [:]
        reservedBytes -= link.reservedBytes
        link.reservedBytes = 0
        past.messages &+= link.receivedMessages
        role?.linkClosed(link, reason: reason)
    }

    /// On the same serial line there is another peer, or the same after a start: for the role the link has ended, and one
    /// without a login has begun.
    func linkChangedPeer(_ link: NodeLink, reason: String) {
        linkEnded(link, reason: reason)
        past.messages &-= link.receivedMessages
        link.forgetPeer()
        links[link.id] = link
    }

    private func tick() {
        for link in links.values { link.tick() }
        flushWaiting()
    }

    // MARK: Block info

    func received(_ info: BlockInfo, on link: NodeLink) {
        switch link.direction {
        case .up: receivedFromUpper(info, link)
        case .down: receivedFromLower(info, link)
        }
    }

    /// The upper end answers what was announced to it.
    private func receivedFromUpper(_ info: BlockInfo, _ link: NodeLink) {
        var path = info.path
        if path.device.number == AutomaticNumber.reply && identity.number == AutomaticNumber.request {
            path.device.number = AutomaticNumber.request
        }
        guard link.permissions.maySee(path) else { return }
        if let block = blocks[path] {
            link.bind(info, to: block)
            role?.blockAnswered(block, on: link)
        } else {
            // Withdrawn while the answer was under way.
            link.withdraw(remoteID: info.id)
        }
    }

    /// A lower end tells of its own blocks.
    private func receivedFromLower(_ info: BlockInfo, _ link: NodeLink) {
        var path = info.path
        guard isWellFormed(path), link.permissions.mayBring(info.path.device) else { return }
        if path.device.number == AutomaticNumber.request && isDynamic {
            guard
                let number = link.assignedNumber ?? role?.assignNumber(to: path.device, on: link)
            else { return }
            link.assignedNumber = number
            path.device.number = number
        }
        if let block = blocks[path] {
            // A block belongs to the connection that brought it; a node's own blocks to nobody else.
            guard link.broughtBlocks[path] === block else {
                role?.blockIsTaken(path, on: link)
                return
            }
            link.bind(info, to: block)
            return
        }
        guard isDynamic, role?.wantsBlock(path, info, on: link) == true else { return }
        _ = take(info, as: path, on: link)
    }

    /// Takes over a block that a lower end told of: makes it here and lets its data come.
    ///
    /// Nil when it exists already, the link is gone, or it is more than the limits allow (then the link is closed).
    @discardableResult
    public func take(_ info: BlockInfo, as path: BlockPath, on link: NodeLink) -> MemoryBlock? {
        guard blocks[path] == nil, links[link.id] === link, link.permissions.mayBring(info.path.device),
            let block = takeOver(info, path, link)
        else { return nil }
        link.bind(info, to: block)
        role?.blockAppeared(block, on: link)
        return block
    }

    private func isWellFormed(_ path: BlockPath) -> Bool {
        !path.block.isEmpty && !path.device.name.isEmpty && !path.device.network.isEmpty && path.device.number > 0
    }

    private func takeOver(_ info: BlockInfo, _ path: BlockPath, _ link: NodeLink) -> MemoryBlock? {
        let size = max(Limit.smallestBlock, Int(info.size))
        let direction = info.flags.intersection([.up, .down])
        let mostBlocks = link.permissions.blocks ?? limits.blocksPerLink
        func refuse(_ limit: NodeUse.BlockLimit, _ reason: String) -> MemoryBlock? {
            past.refusedBlocks[limit, default: 0] &+= 1
            link.close(reason)
            return nil
        }
        guard !direction.isEmpty else {
            link.close("block \(path) has no direction")
            return nil
        }
        guard size <= limits.blockSize else {
            return refuse(.blockSize, "block \(path) has \(info.size) bytes, the limit is \(limits.blockSize)")
        }
        guard broughtBlockCount < limits.blocks else {
            return refuse(.blocks, "there are \(limits.blocks) blocks already, which is the limit")
        }
        guard link.broughtBlocks.count < mostBlocks else {
            return refuse(
                link.permissions.blocks == nil ? .blocksPerLink : .blocksOfPermissions,
                "it brings more than \(mostBlocks) blocks, which is the limit")
        }
        guard let memory = link.lend(size) else {
            link.close("its blocks need more than \(link.freeBytes) bytes that are left to it")
            return nil
        }
        let block = MemoryBlock(
            path: path, flags: direction.union([.dynamic, .allowResize, .bidirectional]), memory: memory)
        link.broughtBlocks[path] = block
        broughtBlockCount += 1
        insert(block)
        return block
    }

    func removeBlock(_ block: MemoryBlock, broughtBy link: NodeLink) {
        guard link.broughtBlocks[block.path] === block else { return }
        link.broughtBlocks[block.path] = nil
        drop(block)
    }

    private func drop(_ block: MemoryBlock) {
        guard blocks[block.path] === block else { return }
        broughtBlockCount -= 1
        removeBlock(block)
        role?.blockRemoved(block)
    }
}

/// Lets the ticker go on without keeping the node.
private final class WeakNode {
    weak var node: Node?
    init(_ node: Node) { self.node = node }
}

/// Ties a connection's memory to its link's limit.
private final class LinkBudget {
    weak var link: NodeLink?
}
