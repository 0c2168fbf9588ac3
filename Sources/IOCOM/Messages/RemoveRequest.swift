/// Remove request: a lower end withdraws blocks whose device went away (wire-protocol.md 7.1).
public struct RemoveRequest: Sendable {
    /// Number of ids in use, 1…16.
    public private(set) var count = 0
    private var ids = InlineArray<16, UInt32>(repeating: 0)

    /// No ids yet.
    public init() {}

    /// The id at `index`, which must be below ``count``.
    public subscript(index: Int) -> UInt32 {
        precondition(index >= 0 && index < count, "index past the end of a RemoveRequest")
        return ids[index]
    }

    /// Adds an id; false when there are 16 already.
    public mutating func add(_ id: UInt32) -> Bool {
        guard count < Limit.removeIDs else { return false }
        ids[count] = id
        count += 1
        return true
    }

    /// Parses the payload of a system frame of type 3; `count` is the frame's id field. Ids that cannot exist are 0.
    public init(_ payload: RawSpan, count: UInt32) throws(ProtocolViolation) {
        guard count >= 1, count <= UInt32(Limit.removeIDs) else { throw .removeCount(count) }
        var at = 1
        for _ in 0..<count {
            let value: Int64
            do {
                value = try PackedInteger.decode(payload, offset: &at)
            } catch {
                throw .truncatedMessage
            }
            _ = add(UInt32(exactly: value) ?? 0)
        }
    }

    /// Writes the payload; the number of bytes, or 0 when it does not fit.
    public func encode(into out: UnsafeMutableRawBufferPointer) -> Int {
        var writer = WireWriter(out)
        writer.put(SystemMessage.removeBlocks)
        for i in 0..<count {
            let packed = PackedInteger(Int64(ids[i]))
            for j in 0..<packed.count { writer.put(packed[j]) }
        }
        return writer.overflowed ? 0 : writer.count
    }
}
