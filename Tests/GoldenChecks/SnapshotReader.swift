import IOCOM
import IOCOMTestSupport

/// The simplest receiver of one block's data frames: an array, and the rules of wire-protocol.md 5.2 and 5.6.
struct SnapshotReader {
    let size: Int
    let isBidirectional: Bool
    /// Data and, when bidirectional, mark bytes as the frames made them.
    private(set) var working: [UInt8]
    private(set) var snapshots = 0
    private var touched: [Range<Int>] = []

    init(size: Int, isBidirectional: Bool) {
        self.size = size
        self.isBidirectional = isBidirectional
        working = [UInt8](repeating: 0, count: size + (isBidirectional ? (size + 7) / 8 : 0))
    }

    /// The data without marks.
    var contents: [UInt8] { Array(working.prefix(size)) }

    /// Takes a frame; when it completed a snapshot, the ranges that a receiver takes over.
    mutating func apply(_ header: FrameHeader, _ payload: [UInt8]) throws(ProtocolViolation) -> [Range<Int>]? {
        let start = Int(header.address)
        guard start <= working.count else { throw .addressPastEnd(address: header.address, size: working.count) }
        let data = header.flags.contains(.compressed) ? try ZeroRun.decoded(payload) : payload
        let part = data.prefix(working.count - start)
        for (i, byte) in part.enumerated() {
            working[start + i] = header.flags.contains(.delta) ? working[start + i] &+ byte : byte
        }
        guard !part.isEmpty else { return nil }
        if start < size { touched.append(start..<min(size, start + part.count)) }
        guard header.flags.contains(.syncComplete) else { return nil }
        snapshots += 1
        defer { touched = [] }
        guard isBidirectional else { return touched }
        var marked: [Range<Int>] = []
        for address in 0..<size where working[size + address / 8] & (1 << UInt8(address % 8)) != 0 {
            marked.append(address..<(address + 1))
        }
        for i in size..<working.count { working[i] = 0 }
        return touched.isEmpty ? [] : marked
    }
}

/// What both ends told of their blocks so far.
struct BlockTables {
    private var infos = OfBoth<[UInt32: BlockInfo]>([:])
    private var byPath = OfBoth<[BlockPath: BlockInfo]>([:])
    private var isBidirectionalConnection = false

    mutating func learn(_ item: WireItem) {
        if let info = item.blockInfo {
            infos[item.sender][info.id] = info
            byPath[item.sender][info.path] = info
        }
        if item.sender == .client, let authentication = item.authentication {
            isBidirectionalConnection = authentication.flags.contains(.bidirectional)
        }
    }

    /// Path of the block that `end` announced with this id.
    func path(ofBlock id: UInt32, at end: Sender) -> BlockPath? { infos[end][id]?.path }

    /// The receiver's and the sender's info of the block a data frame goes to.
    func block(of header: FrameHeader, from sender: Sender) -> (receiver: BlockInfo, sender: BlockInfo)? {
        guard let receiver = infos[sender.other][header.blockID], let own = byPath[sender][receiver.path]
        else { return nil }
        return (receiver, own)
    }

    func isBidirectional(_ a: BlockInfo, _ b: BlockInfo) -> Bool {
        let both = a.flags.intersection(b.flags)
        return isBidirectionalConnection && both.contains([.down, .bidirectional]) && !both.contains(.up)
    }
}
