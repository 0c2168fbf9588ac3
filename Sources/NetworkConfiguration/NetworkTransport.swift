/// How a connection's bytes travel: `transport` of a connection (application-layer.md 7.1).
public enum NetworkTransport: String, CaseIterable, Sendable {
    /// TLS on TCP.
    case tls
    /// Plain TCP.
    case socket
    /// A serial line.
    case serial
    /// Bluetooth.
    case bluetooth
    /// The connection is not used; its other fields are kept.
    case none

    /// Reads as the original does: what is unknown or missing means TLS.
    public init(reading text: String?) { self = text.flatMap(NetworkTransport.init(rawValue:)) ?? .tls }
}

/// What the `flags` of a connection come down to, read as the original does: the first of `cloud`, `up` and `listen` counts,
/// all else is a connection made by this node, downward.
public enum ConnectionRole: Equatable, Sendable {
    /// `cloud`
    case cloud
    /// `up`
    case up
    /// `listen`
    case listen
    /// None of them.
    case down

    /// Reads flags.
    public init(reading flags: String) {
        let words = flags.split(separator: ",").map { $0.filter { $0 != " " } }
        if words.contains("cloud") {
            self = .cloud
        } else if words.contains("up") {
            self = .up
        } else if words.contains("listen") {
            self = .listen
        } else {
            self = .down
        }
    }
}
