public import PackedJSON

/// How accounts documents become the bytes of a persistent block.
public struct AccountsCodec: Sendable {
    /// A document as bytes.
    public var pack: @Sendable (JSON) throws -> [UInt8]
    /// Bytes as a document.
    public var unpack: @Sendable ([UInt8]) throws -> JSON

    /// Pairs the two directions.
    public init(
        pack: @escaping @Sendable (JSON) throws -> [UInt8], unpack: @escaping @Sendable ([UInt8]) throws -> JSON
    ) {
        self.pack = pack
        self.unpack = unpack
    }
}
