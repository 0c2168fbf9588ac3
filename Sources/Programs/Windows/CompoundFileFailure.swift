public import ByteTools

/// Why a compound file, the container of a Windows Installer package, can't be read.
public enum CompoundFileFailure: Error, Equatable, Sendable, CustomStringConvertible {
    /// Does not start with the signature of compound files.
    case notACompoundFile
    /// A field of the header has a value that the format does not know.
    case header(String)
    /// A table, a chain or the directory contradicts itself or the size of the file.
    case damaged(String)
    /// More of something than is looked at.
    case limit(String, Int)
    /// Reading failed.
    case unreadable(StorageFailure)

    /// The reason for people.
    public var description: String {
        switch self {
        case .notACompoundFile: "not a compound file: it does not start with d0cf11e0a1b11ae1"
        case .header(let what): "the header of the compound file is wrong: \(what)"
        case .damaged(let what): "the compound file is damaged: \(what)"
        case .limit(let what, let limit): "the compound file has more than the \(limit) \(what) that are looked at"
        case .unreadable(let failure): failure.description
        }
    }
}
