/// What a node accepts from all its peers together and from one of them.
public struct NodeLimits: Sendable {
    /// Memory blocks that peers may bring.
    public var blocks: Int
    /// Memory blocks that one connection may bring.
    public var blocksPerLink: Int
    /// Bytes of one block that a peer brings.
    public var blockSize: Int
    /// Bytes of all blocks that one connection may bring, and of the snapshots it is sending.
    public var bytesPerLink: Int

    /// Limits for a server of 10,000 devices.
    public init(
        blocks: Int = 120_000, blocksPerLink: Int = 4096, blockSize: Int = 16 << 20, bytesPerLink: Int = 64 << 20
    ) {
        self.blocks = blocks
        self.blocksPerLink = blocksPerLink
        self.blockSize = blockSize
        self.bytesPerLink = bytesPerLink
    }
}
