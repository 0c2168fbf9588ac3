/// A password that no log and no debugger dump shows.
public struct Password: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The password itself.
    public let secret: String

    /// The most bytes that a password may have.
    public static let longest = 1024

    /// Wraps a password.
    public init(_ secret: String) { self.secret = secret }

    /// Never the password.
    public var description: String { "(password)" }
    /// Never the password.
    public var debugDescription: String { description }
    /// Never the password.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// A password could not be had.
public enum PasswordError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The file cannot be read.
    case unreadable(FileError)
    /// Others on the machine can read or change the file.
    case exposed(path: String)
    /// The source (a file, a variable) holds nothing that can be a password.
    case unusable(source: String, reason: String)
    /// There is nobody to ask.
    case noTerminal
    /// The user broke off at the prompt.
    case cancelled

    /// One line for people: what is wrong and what to do.
    public var description: String {
        switch self {
        case .unreadable(let error): "the password file: \(error)"
        case .exposed(let path): "other users can read or change the password file \(path): run chmod 600 on it"
        case .unusable(let source, let reason): "no password in \(source): \(reason)"
        case .noTerminal: "no terminal to ask for the password: use --password-file or the environment variable"
        case .cancelled: "cancelled at the password prompt"
        }
    }
}
