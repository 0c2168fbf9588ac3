/// Who sent something in a recording.
public enum Sender: String, Sendable, CaseIterable {
    /// Who opened the connection.
    case client = "c2s"
    /// Who accepted it.
    case server = "s2c"

    /// The other end.
    var other: Sender { self == .client ? .server : .client }
}

/// A value for each end of a conversation.
struct OfBoth<Value> {
    private var client: Value
    private var server: Value

    /// The same value for both.
    init(_ value: Value) {
        client = value
        server = value
    }

    subscript(sender: Sender) -> Value {
        get { sender == .client ? client : server }
        set { if sender == .client { client = newValue } else { server = newValue } }
    }
}

/// Bytes that one read returned while a conversation was recorded.
public struct Piece: Sendable {
    /// Milliseconds since the connection was accepted.
    public var time: Int
    /// Who sent them.
    public var sender: Sender
    /// The bytes.
    public var bytes: [UInt8]

    /// Composes a piece.
    public init(time: Int, sender: Sender, bytes: [UInt8]) {
        self.time = time
        self.sender = sender
        self.bytes = bytes
    }
}

/// A recorded conversation.
public struct Recording: Sendable {
    /// Pieces of each connection in the order they were recorded.
    public var connections: [[Piece]]

    /// A recording of these connections.
    public init(connections: [[Piece]]) { self.connections = connections }
}
