import Access
import DeviceDescription
import IOCOM

/// The signals of a device that need more than the right to set signals, or less, with what they need; from its `info`
/// block.
struct GuardedSignals {
    /// Where uploads into the device are controlled; nil when it has none.
    let upload: StreamAddresses?
    /// Where downloads from it are.
    let download: StreamAddresses?
    /// Parts of blocks that the controller writes, by name of the block.
    private let parts: [String: [(range: ByteRange, signal: String, operation: Operation)]]

    /// Bytes of a command or setting that are compared; the longest has 64.
    static let longestCommand = 256

    /// A command or setting that a controller gave.
    struct Command: Equatable {
        let signal: String
        let operation: Operation
    }

    init(_ info: DeviceInfo) {
        upload = StreamAddresses(.upload, in: info)
        download = StreamAddresses(.download, in: info)
        var parts: [String: [(range: ByteRange, signal: String, operation: Operation)]] = [:]
        for block in info.blocks where !block.isConfiguration && !block.flags.contains(.up) {
            // The first of a name counts, as everywhere.
            var names: Set<String> = []
            for signal in block.signals {
                guard let operation = Rights.setting(signal.name), names.insert(signal.name).inserted else {
                    continue
                }
                parts[block.name, default: []].append((signal.signal.range, signal.name, operation))
            }
        }
        self.parts = parts
    }

    /// What the controller of a stream writes; empty when there is no such stream.
    func controllersRanges(_ direction: StreamDirection) -> [ByteRange] {
        (direction == .upload ? upload : download)?.controllersRanges ?? []
    }

    /// The bytes of the streams' block, of `size` bytes, that belong to no stream.
    func outsideStreams(size: Int) -> RangeSet {
        Self.gaps(between: controllersRanges(.upload) + controllersRanges(.download), size: size)
    }

    /// Which bytes of a block of `size` bytes somebody may not write who has these rights.
    func refused(in block: BlockName, size: Int, _ access: Access) -> RangeSet {
        var refused = RangeSet()
        let parts = parts["\(block)"] ?? []
        if access.allows(.setSignals) {
            for part in parts where !access.allows(part.operation) { refused.add(part.range) }
            return refused
        }
        return Self.gaps(between: parts.filter { access.allows($0.operation) }.map(\.range), size: size)
    }

    private static func gaps(between ranges: [ByteRange], size: Int) -> RangeSet {
        var gaps = RangeSet()
        var at = 0
        for range in ranges.sorted(by: { $0.start < $1.start }) {
            gaps.add(ByteRange(at, min(range.start, size)))
            at = max(at, range.end)
        }
        gaps.add(ByteRange(at, size))
        return gaps
    }

    /// Commands that a proposal gives: those whose value it changes to something.
    func commands(in proposal: SnapshotProposal) -> [Command] {
        (parts["\(proposal.block.path.block)"] ?? []).filter { part in
            guard part.operation != .see, proposal.touches(part.range) else { return false }
            // A device may tell of signals without end.
            let bytes = part.range.start..<min(part.range.end, part.range.start + Self.longestCommand)
            return bytes.contains { proposal.byte(at: $0) != proposal.block.byte(at: $0) }
                && (part.range.count > 1 || proposal.byte(at: part.range.start) & StateBits.value.rawValue != 0)
        }.map { Command(signal: $0.signal, operation: $0.operation) }
    }
}
