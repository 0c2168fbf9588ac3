/// How far the change of a server's authority has come. Devices and operators that trust both authorities notice nothing
/// of it; that is why each step waits for a person.
public enum AuthorityChange: Sendable, Equatable {
    /// There is one authority.
    case none
    /// The next one is there and is handed out as trusted; the present one still signs.
    case prepared(next: CertificateFile)
    /// The next one has become the present one; the one before is still handed out as trusted.
    case switched(previous: CertificateFile)

    /// The authority beside the present one.
    public var other: CertificateFile? {
        switch self {
        case .none: nil
        case .prepared(let next): next
        case .switched(let previous): previous
        }
    }
}
