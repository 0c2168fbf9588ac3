public import IOCOM
public import IOCOMTransport

/// What a node accepts from all its peers together and from one of them.
public struct NodeLimits: Sendable {
    /// Memory blocks that peers may bring.
    public var blocks: Int
    /// Memory blocks that one connection may bring, unless its ``LinkPermissions`` say otherwise.
    public var blocksPerLink: Int
    /// Bytes of one block that a peer brings.
    public var blockSize: Int
    /// Bytes of all blocks that one connection may bring, and of the snapshots it is sending.
    public var bytesPerLink: Int
    /// The same of all connections together.
    public var bytes: Int
    /// Messages that are read from one connection in a second; the rest waits at the peer. Nil reads whatever comes.
    public var messagesPerSecond: Int?
    /// Handshake and authentication must be complete within this time, ms.
    public var handshakeTimeout: Milliseconds
    /// A connection ends when nothing was received for this time, ms (wire-protocol.md 2.8).
    public var idleTimeout: Milliseconds
    /// So long a device whose serial line failed may be away before its blocks are gone and its transfers end, ms. Less
    /// than the 5 s after which a device gives an upload up.
    public var serialHold: Milliseconds = 4_000
    /// Connections that listeners take.
    public var listeners: ListenerLimits

    /// Limits for a server of 10,000 devices.
    public init(
        blocks: Int = 120_000, blocksPerLink: Int = 4096, blockSize: Int = 16 << 20, bytesPerLink: Int = 64 << 20,
        bytes: Int = .max, messagesPerSecond: Int? = nil, handshakeTimeout: Milliseconds = 10_000,
        idleTimeout: Milliseconds = 20_000, listeners: ListenerLimits = ListenerLimits()
    ) {
        self.blocks = blocks
        self.blocksPerLink = blocksPerLink
        self.blockSize = blockSize
        self.bytesPerLink = bytesPerLink
        self.bytes = bytes
        self.messagesPerSecond = messagesPerSecond
        self.handshakeTimeout = handshakeTimeout
        self.idleTimeout = idleTimeout
        self.listeners = listeners
    }
}

/// What a node's peers cost it now.
public struct NodeUse: Sendable {
    /// Blocks that peers brought.
    public var blocks = 0
    /// Most blocks that one connection brought.
    public var mostBlocksOfOneLink = 0
    /// Bytes set aside for peers.
    public var bytes = 0
    /// Most bytes set aside for one connection.
    public var mostBytesOfOneLink = 0
    /// Messages received since the node was made.
    public var messages: UInt64 = 0
    /// Most messages that one connection has sent in the second that runs.
    public var mostMessagesOfOneLink = 0
    /// How often a connection was not read from for the rest of a second.
    public var pauses: UInt64 = 0
    /// How often a block was more than a limit allows.
    public var refusedBlocks: [BlockLimit: UInt64] = [:]

    /// Limits of blocks.
    public enum BlockLimit: Sendable, CaseIterable {
        /// Blocks in all.
        case blocks
        /// Blocks of one connection.
        case blocksPerLink
        /// Blocks of one connection whose permissions have a limit of their own.
        case blocksOfPermissions
        /// Bytes of a block.
        case blockSize
        /// Bytes of one connection.
        case bytesPerLink
        /// Bytes in all.
        case bytes
    }
}
