/// What is wrong with a data folder: which file, why, and what to do now.
public struct FolderError: Error, Equatable, CustomStringConvertible {
    /// What callers branch on.
    public enum Kind: Sendable {
        /// The options for a new folder make no sense.
        case badOptions
        /// There is a data folder already; it is never overwritten.
        case alreadyExists
        /// The folder holds files that are not a data folder's.
        case occupied
        /// Making the folder was interrupted.
        case halfMade
        /// The folder or a file of it is not there.
        case missing
        /// The system did not let us read.
        case unreadable
        /// The system did not let us write.
        case notWritten
        /// A file is there and its content is wrong.
        case damaged
        /// Others on the machine can read a secret or change the folder.
        case exposed
        /// Another process is changing the same files.
        case busy
        /// The step asked for does not fit the state the folder is in.
        case notNow
    }

    /// The kind.
    public var kind: Kind
    /// File or folder concerned; empty for wrong options.
    public var path: String
    /// Why.
    public var cause: String
    /// What to do.
    public var nextStep: String

    init(_ kind: Kind, _ path: String, _ cause: String, _ nextStep: String) {
        self.kind = kind
        self.path = path
        self.cause = cause
        self.nextStep = nextStep
    }

    /// For people, one line.
    public var description: String { "\(path.isEmpty ? "" : path + ": ")\(cause); \(nextStep)" }
}
