public import IOCOM

/// What a node does with its connections and blocks: the device, server or operator built on it.
///
/// All calls come on the node's event loop.
public protocol NodeRole: AnyObject {
    /// A client wants in. Call ``NodeLink/accept(_:)`` or ``NodeLink/refuse(_:)``, now or later.
    func authorize(_ peer: Authentication, on link: NodeLink)
    /// Both ends are authenticated and accepted.
    func linkReady(_ link: NodeLink)
    /// A connection ended. For a client also when it could not be made.
    func linkClosed(_ link: NodeLink, reason: String)
    /// The number for a device that asked for an automatic one; nil refuses its blocks.
    func assignNumber(to device: DevicePath, on link: NodeLink) -> UInt32?
    /// True when a block that a peer tells of and that is not known should be taken over now. A role that wants it later
    /// keeps `info` and calls ``Node/take(_:as:on:)``.
    func wantsBlock(_ path: BlockPath, _ info: BlockInfo, on link: NodeLink) -> Bool
    /// A peer tells of a block that another connection brought, or that is this node's own: it was ignored.
    func blockIsTaken(_ path: BlockPath, on link: NodeLink)
    /// A block came from a peer.
    func blockAppeared(_ block: MemoryBlock, on link: NodeLink)
    /// The upper end answered what this node announced: it let this node in and knows the block from now on.
    func blockAnswered(_ block: MemoryBlock, on link: NodeLink)
    /// What looks at the peer's changes of a block before they are written; nil lets everything in.
    func review(_ block: MemoryBlock, on link: NodeLink) -> SnapshotReview?
    /// A block that came from a peer has new content.
    func blockChanged(_ block: MemoryBlock, on link: NodeLink)
    /// A block that came from a peer is gone.
    func blockRemoved(_ block: MemoryBlock)
    /// Everything published on this node was handed to the transports, as far as they take it.
    func drained()
}

extension NodeRole {
    /// Nothing to do.
    public func blockAnswered(_ block: MemoryBlock, on link: NodeLink) {}
    /// Without listeners there is nobody to authorize.
    public func authorize(_ peer: Authentication, on link: NodeLink) {
        link.refuse("this node takes no connections")
    }
    /// Nothing to do.
    public func linkReady(_ link: NodeLink) {}
    /// Nothing to do.
    public func linkClosed(_ link: NodeLink, reason: String) {}
    /// No numbers to give.
    public func assignNumber(to device: DevicePath, on link: NodeLink) -> UInt32? { nil }
    /// Only what is known already.
    public func wantsBlock(_ path: BlockPath, _ info: BlockInfo, on link: NodeLink) -> Bool { false }
    /// Nothing to do.
    public func blockIsTaken(_ path: BlockPath, on link: NodeLink) {}
    /// Nothing to do.
    public func blockAppeared(_ block: MemoryBlock, on link: NodeLink) {}
    /// Everything may be written.
    public func review(_ block: MemoryBlock, on link: NodeLink) -> SnapshotReview? { nil }
    /// Nothing to do.
    public func blockChanged(_ block: MemoryBlock, on link: NodeLink) {}
    /// Nothing to do.
    public func blockRemoved(_ block: MemoryBlock) {}
    /// Nothing to do.
    public func drained() {}
}

/// Name of a node and its place among others.
public struct NodeIdentity: Sendable {
    /// Device or user name without number.
    public var name: UserName
    /// Device number; 9000 asks the server for one.
    public var number: UInt32
    /// Network.
    public var network: NetworkName
    /// Twelve bytes that make automatic numbers stick.
    public var uniqueID: Authentication.UniqueID?

    /// Composes an identity.
    public init(name: UserName, number: UInt32, network: NetworkName, uniqueID: Authentication.UniqueID? = nil) {
        self.name = name
        self.number = number
        self.network = network
        self.uniqueID = uniqueID
    }

    /// Path of the device this node is; nil when the name is longer than a device's may be.
    public var device: DevicePath? {
        DeviceName(utf8: (0..<name.count).map { name[$0] })
            .map { DevicePath(name: $0, number: number, network: network) }
    }
}
