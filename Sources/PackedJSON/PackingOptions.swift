/// How a document is packed (application-layer.md 5.5).
public struct PackingOptions: Sendable {
    /// Keep `true`, `false` and `null`. Off, as in the original's tools, they become 1, 0 and the empty text.
    public var keepsQuirks: Bool
    /// Tags that are left out with everything below them.
    public var skipped: Set<String>
    /// Replaces the values of tags named `password`; see ``isPlainPassword(_:)`` for those that stay. Nil keeps all.
    public var hashPassword: (@Sendable (String) -> String)?
    /// Depth and size the result may have.
    public var limits: JSONLimits

    /// The way the original's operator tool packs: simplified, without `title`, passwords as they are.
    public init(
        keepsQuirks: Bool = false, skipped: Set<String> = ["title"],
        hashPassword: (@Sendable (String) -> String)? = nil, limits: JSONLimits = .standard
    ) {
        self.keepsQuirks = keepsQuirks
        self.skipped = skipped
        self.hashPassword = hashPassword
        self.limits = limits
    }

    /// Everything is kept, including `title` and the difference between `true` and 1.
    public static let lossless = PackingOptions(keepsQuirks: true, skipped: [])

    /// True for a password that somebody typed and that must be hashed before it is stored.
    ///
    /// `auto`, `*` and the empty text have meanings of their own; texts that begin with `!` are hashes of the original
    /// and those that begin with `$` are hashes of other schemes (application-layer.md 5.5 and 7.5).
    public static func isPlainPassword(_ text: String) -> Bool {
        guard let first = text.utf8.first else { return false }
        return text != "auto" && text != "*" && first != UInt8(ascii: "!") && first != UInt8(ascii: "$")
    }
}
