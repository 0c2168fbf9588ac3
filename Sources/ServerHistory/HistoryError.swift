/// Why a history can't be written or read.
public enum HistoryError: Error, Equatable, CustomStringConvertible {
    /// The file is not there, or could not be opened yet.
    case notThere(String)
    /// The file is of a newer program, with tables of this version.
    case newer(Int)
    /// The file is of an older program that did not bring it up to date.
    case older(Int)
    /// The file is damaged; the text says what was found.
    case damaged(String)
    /// Reading or writing failed.
    case failed(String)

    /// For people.
    public var description: String {
        switch self {
        case .notThere(let reason): reason
        case .newer(let version):
            "it was made by a newer frank (version \(version) of its tables): use that one, or move the file away"
        case .older(let version):
            "it was made by an older frank (version \(version) of its tables): start this frank once with its data folder"
        case .damaged(let finding): "it is damaged (\(finding))"
        case .failed(let reason): reason
        }
    }
}
