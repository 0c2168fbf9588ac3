public import IOCOM

/// One end of a connection with its blocks: what a node does with the machine's events, in its simplest form.
///
/// A lower end announces its blocks; an upper end answers for the blocks it has and, when `createsBlocks` is set, makes
/// those it does not have.
public final class End {
    /// The machine under test.
    public var machine: Connection
    /// Blocks of this node.
    public private(set) var blocks: [MemoryBlock]
    /// Makes blocks from received info (wire-protocol.md 3.5).
    public var createsBlocks = false
    /// A listener says yes to everybody.
    public var accepts = true
    /// Answers an info only when this says so.
    public var answers: (BlockInfo) -> Bool = { _ in true }
    /// Called after each snapshot.
    public var onChange: (MemoryBlock) -> Void = { _ in }
    /// The peer's authentication.
    public private(set) var peer: Authentication?
    /// The peer's infos in the order they came.
    public private(set) var infos: [BlockInfo] = []
    /// Paths the peer withdrew.
    public private(set) var removed: [BlockPath] = []
    /// The client's handshake.
    public private(set) var handshake: SocketHandshake?
    /// Every byte given out.
    public private(set) var sent: [UInt8] = []
    /// Remembers ``sent``.
    public var recordsSent = false
    private var unread: [UInt8] = []
    /// Where the machine announces that it has something to send.
    public let wakeList = WakeList()

    /// An end that just connected.
    public init(_ settings: ConnectionSettings, blocks: [MemoryBlock] = [], now: Milliseconds = 0) {
        machine = Connection(settings, tag: 1, wakeList: wakeList, now: now)
        self.blocks = blocks
    }

    deinit { machine.close() }

    /// The block with this name.
    public func block(_ name: BlockName) -> MemoryBlock? { blocks.first { $0.path.block == name } }

    /// True once both ends authenticated and the owner accepted.
    public var isRunning: Bool { machine.isRunning }

    /// Which end this is.
    public var direction: ConnectionSettings.Direction { machine.direction }

    /// The block on this connection.
    public func attachment(of block: MemoryBlock) -> BlockAttachment? { machine.attachment(of: block) }

    /// Lets time pass; true when there is something to send because of it.
    public func tick(now: Milliseconds) throws(ProtocolViolation) -> Bool { try machine.tick(now: now) }

    /// Adds a block while the connection runs.
    public func add(_ block: MemoryBlock) {
        blocks.append(block)
        if machine.isRunning && machine.direction == .up { machine.announce(block) }
    }

    /// Withdraws a block and forgets it.
    public func remove(_ block: MemoryBlock) {
        machine.withdraw(block)
        blocks.removeAll { $0 === block }
    }

    /// Gives bytes to the machine and acts on its events.
    public func receive(_ bytes: some Sequence<UInt8>, now: Milliseconds = 0) throws(ProtocolViolation) {
        unread.append(contentsOf: bytes)
        let input = unread
        var offset = 0
        while true {
            if let event = try machine.receive(input.span.bytes, at: &offset, now: now) {
                act(on: event)
            } else if !(machine.awaitsDecision && accepts) || offset == input.count {
                break
            }
        }
        unread = Array(input[offset...])
    }

    /// The connection started over: what came of the one before is of no use.
    public func forgetUnread() { unread = [] }

    private func act(on event: Connection.Event) {
        switch event {
        case .handshake(let handshake): self.handshake = handshake
        case .authenticated(let authentication):
            peer = authentication
            if accepts { start() }
        case .blockInfo(let info): answer(info)
        case .blockChanged(let attachment): onChange(attachment.block)
        case .blockRemoved(let attachment):
            removed.append(attachment.block.path)
            machine.detach(attachment)
            blocks.removeAll { $0 === attachment.block }
        }
    }

    /// Accepts the peer and tells it of all blocks.
    public func start() {
        machine.accept()
        if machine.direction == .up {
            for block in blocks { machine.announce(block) }
        }
    }

    private func answer(_ info: BlockInfo) {
        infos.append(info)
        guard answers(info) else { return }
        if let block = blocks.first(where: { $0.path == info.path }) {
            if block.flags.contains(.allowResize), Int(info.size) > block.size, info.size <= 1 << 20 {
                block.grow(into: heapMemory(Int(info.size)))
            }
            machine.bind(info, to: block)
        } else if createsBlocks, machine.direction == .down, info.size <= 1 << 20, blocks.count < 1000 {
            let flags = info.flags.intersection([.up, .down]).union([.bidirectional, .dynamic, .allowResize])
            let block = MemoryBlock(info.path, flags, size: max(Limit.smallestBlock, Int(info.size)))
            blocks.append(block)
            machine.bind(info, to: block)
        }
    }

    /// Takes what the machine has to send, at most `room` bytes at a time, until it has nothing more or `limit` is reached.
    public func produce(now: Milliseconds = 0, room: Int = 1 << 15, limit: Int = .max) -> [UInt8] {
        var all: [UInt8] = []
        while all.count < limit {
            let part = encoded(room) { machine.produce(into: $0, now: now) }
            if part.isEmpty { break }
            all += part
        }
        if recordsSent { sent += all }
        return all
    }
}

/// Two ends and the bytes that travel between them.
public final class Couple {
    /// The client.
    public let client: End
    /// The listener.
    public let listener: End
    /// Injected time.
    public var now: Milliseconds = 0

    /// Connects two ends.
    public init(client: End, listener: End) {
        self.client = client
        self.listener = listener
    }

    /// Exchanges everything until both ends are silent; each piece is cut by `pieces`, which gives lengths.
    public func settle(pieces: (() -> Int)? = nil) throws(ProtocolViolation) {
        while true {
            let up = client.produce(now: now)
            try deliver(up, to: listener, pieces)
            let down = listener.produce(now: now)
            try deliver(down, to: client, pieces)
            if up.isEmpty && down.isEmpty { return }
        }
    }

    /// Gives `bytes` to `end` in pieces.
    public func deliver(_ bytes: [UInt8], to end: End, _ pieces: (() -> Int)?) throws(ProtocolViolation) {
        guard let pieces else { return try end.receive(bytes, now: now) }
        var at = 0
        while at < bytes.count {
            let count = min(max(1, pieces()), bytes.count - at)
            try end.receive(bytes[at..<(at + count)], now: now)
            at += count
        }
    }
}
