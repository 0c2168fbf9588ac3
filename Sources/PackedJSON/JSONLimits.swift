/// What a reader of JSON, text or packed, accepts from outside before it gives up.
///
/// The largest documents of the system, the info block of a big device or the accounts of a network, stay well below a
/// tenth of the defaults.
public struct JSONLimits: Sendable, Equatable {
    /// Bytes of the document.
    public var bytes: Int
    /// Objects and arrays inside each other, the outermost included.
    public var depth: Int
    /// Values in the whole document.
    public var items: Int
    /// Sum of the bytes of all names and texts, each counted every time it is used: a packed document names a text
    /// once and refers to it in two bytes, so that without this limit a few kilobytes could unpack to gigabytes.
    public var textBytes: Int

    /// Limits; each has a default that is meant for documents of peers.
    public init(bytes: Int = 4 << 20, depth: Int = 64, items: Int = 200_000, textBytes: Int = 16 << 20) {
        self.bytes = bytes
        self.depth = depth
        self.items = items
        self.textBytes = textBytes
    }

    /// The default limits.
    public static let standard = JSONLimits()
}
