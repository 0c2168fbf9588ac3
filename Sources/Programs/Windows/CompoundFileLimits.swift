/// What a compound file may have; anything beyond is refused before memory is taken for it.
public enum CompoundFileLimits {
    /// Bytes of the file.
    public static let largestFile = 1 << 30
    /// Entries of the directory.
    public static let mostEntries = 1 << 15
    /// Bytes of the stream that holds all small streams.
    public static let largestMiniStream = 32 << 20
}
