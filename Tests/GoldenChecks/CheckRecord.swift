/// What travels to a machine that checks recordings with the same code: a byte that says which of these it is, the length
/// (32 bits, the lowest byte first), the bytes, and the CRC-32 of the kind and the bytes. Each is answered by lines of text,
/// the last of which is `+`.
public enum CheckRecord: UInt8, Sendable {
    /// Forgets the recording before.
    case begin = 1
    /// The pieces that follow are of another connection.
    case connection = 2
    /// A ``Piece``.
    case piece = 3
    /// Asks for ``GoldenReport/answer``.
    case check = 4

    /// Longest record in bytes.
    public static let longest = 1 << 20
}

extension Piece {
    /// The bytes of a record: time (32 bits, the lowest byte first), 0 for the client or 1 for the server, what was sent.
    public var record: [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: time >> (8 * $0)) } + [sender == .client ? 0 : 1] + bytes
    }

    /// Reads ``record``.
    public init?(record: [UInt8]) {
        guard record.count >= 5, record[4] < 2 else { return nil }
        let time = (0..<4).reduce(0) { $0 | Int(record[$1]) << (8 * $1) }
        self.init(time: time, sender: record[4] == 0 ? .client : .server, bytes: Array(record[5...]))
    }
}

extension GoldenReport {
    /// The report as lines of text: `ok` or `different`, with connections, items, equal, undetermined, comparisons and
    /// failures, and the first of these.
    public var answer: [String] {
        let other = undetermined.values.reduce(0, +)
        let numbers = "\(connections) \(items) \(equal) \(other) \(comparisons) \(failures.count)"
        return [(failures.isEmpty ? "ok " : "different ") + numbers] + failures.prefix(1)
    }
}
