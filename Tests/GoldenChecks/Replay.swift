import IOCOM
import IOCOMTestSupport

/// One of our machines takes the place of one end of a recorded conversation.
///
/// It is fed what the recorded peer sent, item by item, and writes into its blocks what the recorded end wrote into them.
/// Two things in the fed bytes are exchanged, because they speak of what our machine sent and not the recorded end: the
/// acknowledge counters, and the block ids of data frames. What our machine sends has to be what was recorded wherever the
/// protocol determines it.
final class Replay {
    private let ours: Sender
    private let items: [WireItem]
    private let end: End
    private let recorded: Authentication
    private(set) var failures: [String] = []
    /// Comparisons made.
    private(set) var comparisons = 0
    /// Frames that were not fed, because their block is not known.
    private(set) var skipped = 0
    private var tables = BlockTables()
    private var output: ItemReader
    private var sent: [WireItem] = []
    private var fedBytes = 0
    /// Nothing is asked of our listener until it read the client's authentication.
    private var isListening = false
    private var ourReaders: [BlockPath: SnapshotReader] = [:]
    private var peerReaders: [BlockPath: SnapshotReader] = [:]
    /// What the blocks have to hold in the end.
    private var expected: [BlockPath: [UInt8]] = [:]
    private var sentReaders: [UInt32: SnapshotReader] = [:]

    /// Nil when the recorded end never authenticated.
    init?(as ours: Sender, _ check: ConversationCheck) {
        self.ours = ours
        items = check.items
        guard let recorded = items.first(where: { $0.sender == ours && $0.authentication != nil })?.authentication
        else { return nil }
        self.recorded = recorded
        let name = items.compactMap { item -> NetworkName? in
            if case .handshake(let handshake) = item.kind { handshake.network } else { nil }
        }.first
        let settings = ConnectionSettings(
            side: ours == .client ? .client : .listener,
            direction: recorded.flags.contains(.connectUp) ? .up : .down, isSecure: check.isSecure,
            user: recorded.user, number: recorded.number,
            network: ours == .client ? name ?? recorded.network : recorded.network,
            password: recorded.password, uniqueID: recorded.flags.contains(.uniqueID) ? recorded.uniqueID : nil,
            flags: recorded.flags.intersection([.wantsCertificate, .cloud]),
            isBidirectional: ours == .server || recorded.flags.contains(.bidirectional),
            frameSize: Int(recorded.frameSize), lend: heapMemory)
        end = End(settings)
        output = ItemReader(sender: ours, isSecure: check.isSecure)
        let answered = Set(items.compactMap { $0.sender == ours ? $0.blockInfo?.path : nil })
        end.answers = { answered.contains($0.path) }
    }

    /// Runs the whole conversation.
    func run() {
        // The lower end makes a block when its info was recorded; the upper end has to have it before.
        for item in items where item.sender == ours {
            if let info = item.blockInfo, !isUp { add(info) }
        }
        do throws(ProtocolViolation) {
            take(end.produce())
            for item in items {
                if item.sender == ours { write(item) } else { try feed(item) }
                tables.learn(item)
            }
            // Whatever still waits for the window leaves.
            for _ in 0..<50 {
                try end.receive(acknowledgeAll())
                let bytes = end.produce()
                if bytes.isEmpty { break }
                take(bytes)
            }
        } catch {
            failures.append("our \(ours == .client ? "client" : "listener") dropped the recorded peer: \(words(error))")
        }
        compareMessages()
        compareContents()
    }

    private var isUp: Bool {
        if ours == .client { return recorded.flags.contains(.connectUp) }
        let client = items.first { $0.sender == .client && $0.authentication != nil }?.authentication
        return client?.flags.contains(.connectUp) == false
    }

    private func add(_ info: BlockInfo) {
        guard !end.blocks.contains(where: { $0.path == info.path }) else { return }
        let block = MemoryBlock(info.path, info.flags, size: Int(info.size))
        // The recorded key frame tells what was in the block.
        block.write(initialContents(info), at: 0)
        block.publish()
        expected[info.path] = block.contents
        end.add(block)
    }

    private func initialContents(_ info: BlockInfo) -> [UInt8] {
        var tables = BlockTables()
        var reader = SnapshotReader(size: Int(info.size), isBidirectional: false)
        for item in items {
            tables.learn(item)
            guard item.sender == ours, case .frame(let header, let payload) = item.kind,
                !header.flags.contains(.system), let (receiver, own) = tables.block(of: header, from: ours),
                own.path == info.path
            else { continue }
            let isMarks = Int(header.address) >= min(Int(receiver.size), reader.size)
            if isMarks { break }
            if (try? reader.apply(header, payload)) ?? nil != nil { break }
        }
        return reader.contents
    }

    // MARK: The recorded peer

    private func acknowledgeAll() -> [UInt8] {
        [0xFF] + (0..<3).map { UInt8(truncatingIfNeeded: UInt32(output.position) >> UInt32(8 * $0)) }
    }

    private func feed(_ item: WireItem) throws(ProtocolViolation) {
        var bytes = item.bytes
        switch item.kind {
        case .mark, .handshake: break
        case .acknowledge: bytes = acknowledgeAll()
        case .frame(let header, let payload):
            if item.systemType == 3, let request = try? RemoveRequest(payload, count: header.blockID) {
                bytes = readdressed(header, request)
            } else if item.authentication != nil {
                // Without flags the recorded listener had not read the client's authentication yet (4.2).
                if ours == .server && recorded.flags.isEmpty { take(end.produce()) }
            } else if !header.flags.contains(.system) {
                guard let (own, peer) = tables.block(of: header, from: item.sender),
                    let block = end.blocks.first(where: { $0.path == own.path }),
                    let attachment = end.machine.attachment(of: block)
                else {
                    skipped += 1
                    // Its number counts all the same: an id that nobody has is ignored.
                    bytes = readdressed(header, payload, to: 7)
                    break
                }
                note(header, payload, own, peer)
                bytes = readdressed(header, payload, to: attachment.localID)
            }
        }
        try end.receive(bytes)
        switch item.kind {
        case .mark, .handshake:
            // With flags it had read the client's authentication before it sent its own.
            if ours == .server && !recorded.flags.isEmpty { isListening = true }
        default: fedBytes += bytes.count
        }
        if end.peer != nil { isListening = false }
        if !isListening { take(end.produce()) }
    }

    private func readdressed(_ header: FrameHeader, _ payload: [UInt8], to id: UInt32) -> [UInt8] {
        var header = header
        header.blockID = id
        return encoded { header.encode(into: $0, layout: .socket) } + payload
    }

    /// A remove request speaks of the ids of our blocks.
    private func readdressed(_ header: FrameHeader, _ request: RemoveRequest) -> [UInt8] {
        var again = RemoveRequest()
        for i in 0..<request.count {
            let path = tables.path(ofBlock: request[i], at: ours)
            let block = end.blocks.first { $0.path == path }
            _ = again.add(block.flatMap { end.machine.attachment(of: $0)?.localID } ?? 7)
        }
        let payload = encoded { again.encode(into: $0) }
        var header = header
        header.dataSize = payload.count
        return encoded { header.encode(into: $0, layout: .socket) } + payload
    }

    /// Follows what the peer's frames amount to with the simple receiver.
    private func note(_ header: FrameHeader, _ payload: [UInt8], _ own: BlockInfo, _ peer: BlockInfo) {
        var reader =
            peerReaders[own.path]
            ?? SnapshotReader(size: Int(own.size), isBidirectional: tables.isBidirectional(own, peer))
        if let ranges = (try? reader.apply(header, payload)) ?? nil {
            for range in ranges { expected[own.path]?.replaceSubrange(range, with: reader.working[range]) }
        }
        peerReaders[own.path] = reader
    }

    // MARK: The recorded end that our machine replaces

    private func write(_ item: WireItem) {
        if let info = item.blockInfo, isUp { add(info) }
        if item.systemType == 3, case .frame(let header, let payload) = item.kind,
            let request = try? RemoveRequest(payload, count: header.blockID)
        {
            for i in 0..<request.count {
                let path = tables.path(ofBlock: request[i], at: ours.other)
                if let block = end.blocks.first(where: { $0.path == path }) { end.remove(block) }
            }
        }
        guard case .frame(let header, let payload) = item.kind, !header.flags.contains(.system),
            let (receiver, own) = tables.block(of: header, from: ours),
            let block = end.blocks.first(where: { $0.path == own.path })
        else { return }
        var reader =
            ourReaders[own.path]
            ?? SnapshotReader(size: Int(receiver.size), isBidirectional: tables.isBidirectional(receiver, own))
        if let ranges = (try? reader.apply(header, payload)) ?? nil, reader.snapshots > 1 {
            for range in ranges {
                for address in range where address < block.size {
                    block.setByte(reader.working[address], at: address)
                    expected[own.path]?[address] = reader.working[address]
                }
            }
            block.publish()
        }
        ourReaders[own.path] = reader
        if !isListening { take(end.produce()) }
    }

    private func take(_ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        do throws(ProtocolViolation) {
            for item in try output.read(bytes, time: 0) {
                sent.append(item)
                if case .acknowledge(let counter) = item.kind {
                    compare("acknowledge counter", Int(counter) == fedBytes & 0xFF_FFFF, "\(counter), fed \(fedBytes)")
                }
                try follow(item)
            }
        } catch {
            failures.append("our output breaks the protocol: \(words(error))")
        }
    }

    /// Follows our own data frames, as the peer would, by the ids the peer gave its blocks.
    private func follow(_ item: WireItem) throws(ProtocolViolation) {
        guard case .frame(let header, let payload) = item.kind, !header.flags.contains(.system),
            let info = end.infos.last(where: { $0.id == header.blockID }),
            let block = end.blocks.first(where: { $0.path == info.path })
        else { return }
        let isTwoWay =
            end.machine.attachment(of: block).map { $0.isSource && $0.isTarget } ?? false
        var reader =
            sentReaders[header.blockID] ?? SnapshotReader(size: Int(info.size), isBidirectional: isTwoWay)
        _ = try reader.apply(header, payload)
        sentReaders[header.blockID] = reader
    }

    // MARK: Comparisons

    private func compare(_ what: String, _ isEqual: Bool, _ detail: @autoclosure () -> String) {
        comparisons += 1
        if !isEqual { failures.append("\(what) differs: \(detail())") }
    }

    private func compareMessages() {
        let recordedItems = items.filter { $0.sender == ours }
        for kind in ["handshake or mark", "authentication"] {
            let select = { (list: [WireItem]) in
                list.filter { item in
                    switch item.kind {
                    case .mark, .handshake: kind != "authentication"
                    default: kind == "authentication" && item.systemType == 2
                    }
                }.map { $0.bytes }
            }
            let was = select(recordedItems)
            let now = select(sent)
            compare(kind, was == now, "\(list(was)) was recorded, \(list(now)) was sent")
        }
        // Of remove requests only the number counts: their ids are ours.
        compare(
            "number of remove requests",
            recordedItems.count { $0.systemType == 3 } == sent.count { $0.systemType == 3 },
            "\(recordedItems.count { $0.systemType == 3 }) were recorded, \(sent.count { $0.systemType == 3 }) sent")
        let infos = { (list: [WireItem]) in
            list.compactMap { item -> [UInt8]? in
                guard item.systemType == 1, case .frame(_, let payload) = item.kind else { return nil }
                return payload
            }
        }
        let was = infos(recordedItems)
        let now = infos(sent)
        if isUp {
            compare("list of block infos", was == now, "\(was.count) were recorded, \(now.count) sent")
        } else {
            // The upper end may answer in any order and twice (3.3).
            compare(
                "set of block infos", Set(was) == Set(now), "\(Set(was).count) were recorded, \(Set(now).count) sent")
        }
    }

    private func compareContents() {
        for block in end.blocks {
            guard let expected = expected[block.path] else { continue }
            compare(
                "contents of \(words(block.path))", block.contents == expected, difference(block.contents, expected))
            guard let attachment = end.machine.attachment(of: block), attachment.isSource,
                let info = end.infos.last(where: { $0.path == block.path }), let reader = sentReaders[info.id]
            else { continue }
            let size = min(block.size, reader.size)
            if !attachment.isTarget {
                let mine = Array(block.contents.prefix(size))
                let peers = Array(reader.contents.prefix(size))
                compare("what the peer has of \(words(block.path))", mine == peers, difference(peers, mine))
            }
        }
    }

    private func list(_ items: [[UInt8]]) -> String { items.map { hexText($0) }.joined(separator: ", ") }

    private func difference(_ a: [UInt8], _ b: [UInt8]) -> String {
        let at = zip(a, b).enumerated().first { $0.element.0 != $0.element.1 }?.offset
        return "\(a.count) and \(b.count) bytes, first difference at \(at.map(String.init) ?? "the end")"
    }
}
