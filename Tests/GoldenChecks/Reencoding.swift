import IOCOM
import IOCOMTestSupport

/// Encodes every frame of a recording again and compares the bytes.
///
/// System frames go through our messages. Data frames are encoded from the snapshot they belong to: the sender's block
/// before and after it give the difference, which is cut and compressed by the original's rules.
struct Reencoding {
    private struct Part {
        var frames: [(header: FrameHeader, payload: [UInt8])] = []
        var data: [UInt8] = []
    }
    private struct Stream: Hashable {
        var sender: Sender
        var id: UInt32
    }

    private(set) var equal = 0
    /// Why frames could not be determined, with their number.
    private(set) var undetermined: [String: Int] = [:]
    private(set) var failures: [String] = []
    private var parts: [Stream: Part] = [:]
    private var readers: [Stream: SnapshotReader] = [:]
    private var tables = BlockTables()

    mutating func take(_ item: WireItem) {
        tables.learn(item)
        switch item.kind {
        case .mark: compare(item, [SocketHandshake.tlsMark])
        case .handshake(let handshake): compare(item, encoded { handshake.encode(into: $0) })
        case .acknowledge(let counter):
            compare(item, [0xFF] + (0..<3).map { UInt8(truncatingIfNeeded: counter >> UInt32(8 * $0)) })
        case .frame(let header, let payload):
            header.flags.contains(.system) ? takeSystem(item, header, payload) : takeData(item, header, payload)
        }
    }

    /// No more frames come.
    mutating func finish() {
        for part in parts.values where !part.frames.isEmpty {
            undetermined["snapshot is not complete at the end", default: 0] += part.frames.count
        }
        parts = [:]
    }

    private mutating func compare(_ item: WireItem, _ bytes: [UInt8]) {
        if bytes == item.bytes {
            equal += 1
        } else {
            failures.append("\(item.time) \(item.sender.rawValue): \(hexText(item.bytes)) encodes to \(hexText(bytes))")
        }
    }

    private mutating func takeSystem(_ item: WireItem, _ header: FrameHeader, _ payload: [UInt8]) {
        do {
            let again: [UInt8]
            switch payload.first {
            case 1:
                let message = try BlockInfo(payload, id: header.blockID)
                again = encoded { message.encode(into: $0) }
            case 2:
                let message = try Authentication(payload, frameSize: header.blockID)
                again = encoded { message.encode(into: $0) }
            case 3:
                let message = try RemoveRequest(payload, count: header.blockID)
                again = encoded { message.encode(into: $0) }
            default:
                undetermined["unknown system message", default: 0] += 1
                return
            }
            compare(item, Self.frame(header, again))
        } catch {
            failures.append("\(item.time) \(item.sender.rawValue): \(words(error))")
        }
    }

    private static func frame(_ header: FrameHeader, _ payload: [UInt8]) -> [UInt8] {
        var header = header
        header.dataSize = payload.count
        return encoded { header.encode(into: $0, layout: .socket) } + payload
    }

    private mutating func takeData(_ item: WireItem, _ header: FrameHeader, _ payload: [UInt8]) {
        guard let (receiver, own) = tables.block(of: header, from: item.sender) else {
            undetermined["block was never announced", default: 0] += 1
            return
        }
        let stream = Stream(sender: item.sender, id: header.blockID)
        let isTwoWay = tables.isBidirectional(receiver, own)
        let size = Int(receiver.size)
        var reader = readers[stream] ?? SnapshotReader(size: size, isBidirectional: isTwoWay)
        let before = reader.working
        let data: [UInt8]
        do {
            data = header.flags.contains(.compressed) ? try ZeroRun.decoded(payload) : payload
            _ = try reader.apply(header, payload)
        } catch {
            failures.append("\(item.time) \(item.sender.rawValue): \(words(error))")
            return
        }
        let isStatic = own.flags.contains(.static)
        // The data part of a two-way snapshot ends where its marks begin; ours also has gaps.
        let start = Int(header.address)
        var part = parts[stream] ?? Part()
        if let first = part.frames.first,
            Int(first.header.address) + part.data.count != start
                || (isTwoWay && start >= size && Int(first.header.address) < size)
        {
            check(part, stream, endsSnapshot: false, isStatic: isStatic)
            part = Part()
        }
        part.frames.append((header, payload))
        // What was added is computed from the contents, not taken from the frame.
        if header.flags.contains(.delta) && start + data.count <= before.count {
            part.data += (0..<data.count).map { reader.working[start + $0] &- before[start + $0] }
        } else {
            part.data += data
        }
        parts[stream] = part
        readers[stream] = reader
        if header.flags.contains(.syncComplete) {
            check(part, stream, endsSnapshot: true, isStatic: isStatic)
            if !isTwoWay && !isStatic && header.flags.contains(.delta), part.data.first == 0 || part.data.last == 0 {
                failures.append("\(item.time) \(item.sender.rawValue): the range is wider than what changed")
            }
            parts[stream] = nil
        }
    }

    /// Cuts the part's bytes into frames as the original does and compares with what was recorded.
    private mutating func check(_ part: Part, _ stream: Stream, endsSnapshot: Bool, isStatic: Bool) {
        guard let first = part.frames.first else { return }
        var at = 0
        for (index, (header, payload)) in part.frames.enumerated() {
            let address = first.header.address + UInt32(at)
            let room = Limit.originalFrame - FrameHeader.length(blockID: stream.id, address: address, layout: .socket)
            let rest = Array(part.data[at...])
            var covered = 0
            var again = encoded { out in
                let out = UnsafeMutableRawBufferPointer(rebasing: out[..<room])
                let result = rest.withUnsafeBytes { ZeroRun.encode($0, into: out) }
                covered = isStatic ? 0 : result.covered
                return covered == 0 ? 0 : result.written
            }
            var flags = first.header.flags.intersection(.delta)
            if covered > 0 {
                flags.insert(.compressed)
            } else {
                again = Array(rest.prefix(room))
                covered = again.count
            }
            at += covered
            if at == part.data.count && endsSnapshot { flags.insert(.syncComplete) }
            let expected = FrameHeader(
                number: header.number, flags: flags, blockID: stream.id, address: address, dataSize: again.count)
            guard Self.frame(expected, again) == Self.frame(header, payload) else {
                let what = "\(stream.sender.rawValue) frame \(header.number), \(index + 1) of \(part.frames.count)"
                failures.append(
                    "\(what): \(hexText(Self.frame(header, payload))) encodes to \(hexText(Self.frame(expected, again)))"
                )
                return
            }
            equal += 1
        }
        if at != part.data.count {
            failures.append("\(stream.sender.rawValue): \(part.data.count - at) bytes left over")
        }
    }
}
