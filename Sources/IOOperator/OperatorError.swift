/// Why something an operator asked for was not done, with what to do about it.
public struct OperatorError: Error, Sendable, CustomStringConvertible {
    /// What kind of failure it is; programs branch on it.
    public enum Kind: Sendable, Equatable {
        /// No connection could be made, or it broke.
        case noConnection
        /// The server closed the connection after the login: wrong user, password or network.
        case loginRefused
        /// No such device, or it left.
        case deviceNotFound
        /// The device does not have what is needed.
        case notSupported
        /// The package is not for the device, or may not be installed; nothing was changed.
        case refused
        /// The account does not allow it; nothing was tried.
        case notAllowed
        /// No such package.
        case packageNotFound
        /// Another transfer is going on at the device.
        case busy
        /// The device or its answer was not as expected.
        case failed
        /// The operator gave up.
        case cancelled
    }

    /// Kind of failure.
    public let kind: Kind
    /// For people: what happened, to which device, why, what to do.
    public let description: String

    /// Composes an error.
    public init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }
}
