import ByteTools

/// Why a file is no Windows Installer package that can be used.
public enum MSIFailure: Error, Equatable, Sendable, CustomStringConvertible {
    /// Its container is wrong.
    case file(CompoundFileFailure)
    /// A compound file of another program; the text says of which.
    case notAPackage(String)
    /// A table or the strings contradict themselves.
    case damaged(String)
    /// More of something than is looked at.
    case limit(String, Int)
    /// Something that a package must say is missing or odd.
    case field(String)

    /// The reason for people.
    public var description: String {
        switch self {
        case .file(let failure): failure.description
        case .notAPackage(let what): "not a Windows Installer package: it is \(what)"
        case .damaged(let what): "the Windows Installer package is damaged: \(what)"
        case .limit(let what, let limit): "the Windows Installer package has more than \(limit) \(what)"
        case .field(let what): "the Windows Installer package has no usable \(what)"
        }
    }

    static func unreadable(_ failure: StorageFailure) -> Self { .file(.unreadable(failure)) }
}
