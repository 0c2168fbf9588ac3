/// What the database in a Windows Installer package may have; anything beyond is refused.
public enum MSILimits {
    /// Bytes of all strings together.
    public static let largestStrings = 16 << 20
    /// Number of strings.
    public static let mostStrings = 1 << 19
    /// Bytes of a table that is read.
    public static let largestTable = 4 << 20
    /// Rows of a table that is read.
    public static let mostRows = 1 << 16
    /// Columns of a table.
    public static let mostColumns = 32
    /// Bytes of the name of a table or a column.
    public static let longestName = 64
    /// Bytes of a property that is used.
    public static let longestProperty = 4 << 10
    /// Disks that the files of a package may be on.
    public static let mostDisks = 256
    /// Bytes of the summary information.
    public static let largestSummary = 64 << 10
    /// Properties of the summary information.
    public static let mostSummaryProperties = 64
    /// Bytes of a text that is used.
    public static let longestText = 255
    /// Services that a package may install.
    public static let mostServices = 16
}
