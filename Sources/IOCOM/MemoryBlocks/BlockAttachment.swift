/// A memory block on one connection: what is sent of it and what is received into it.
public final class BlockAttachment {
    var source: BlockSource?
}

final class BlockSource {
    var isIdle: Bool { true }
    func willChange(_ range: ByteRange) {}
    func add(_ changes: RangeSet) {}
}
