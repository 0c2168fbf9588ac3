import IOCOM
import IOCOMTestSupport

/// Checks what both ends of a recorded connection sent: numbers, lengths, counters, window, messages.
struct ConversationCheck {
    private(set) var failures: [String] = []
    private(set) var items: [WireItem] = []
    private(set) var incomplete = 0
    private var sent = OfBoth<[(time: Int, total: Int)]>([])
    private var acknowledged = OfBoth(0)
    /// True when the server's first byte is the TLS mark.
    let isSecure: Bool

    init(_ pieces: [Piece]) {
        isSecure = pieces.first { $0.sender == .server }?.bytes.first == SocketHandshake.tlsMark
        var readers = OfBoth(ItemReader(sender: .client, isSecure: isSecure))
        readers[.server] = ItemReader(sender: .server, isSecure: isSecure)
        var isDead = OfBoth(false)
        for piece in pieces where !isDead[piece.sender] {
            do throws(ProtocolViolation) {
                let new = try readers[piece.sender].read(piece.bytes, time: piece.time)
                items += new
                count(piece, new)
                for item in new { check(item) }
            } catch {
                failures.append("\(piece.time) \(piece.sender.rawValue): \(words(error))")
                isDead[piece.sender] = true
            }
        }
        incomplete = readers[.client].leftOver + readers[.server].leftOver
    }

    private mutating func count(_ piece: Piece, _ new: [WireItem]) {
        var counted = piece.bytes.count
        for item in new {
            switch item.kind {
            case .mark, .handshake: counted -= item.bytes.count
            default: break
            }
        }
        let total = (sent[piece.sender].last?.total ?? 0) + counted
        sent[piece.sender].append((piece.time, total))
        let inAir = total - acknowledged[piece.sender]
        let window = Limit.windowFrames * Limit.originalFrame + 500 + 20
        if inAir > window { failures.append("\(piece.time) \(piece.sender.rawValue): \(inAir) bytes in the air") }
    }

    private mutating func check(_ item: WireItem) {
        switch item.kind {
        case .acknowledge(let counter): checkCounter(item, Int(counter))
        case .frame(let header, let payload):
            if header.flags.contains(.system) {
                let isRead = item.authentication != nil || item.blockInfo != nil || payload.first == 3
                if !isRead { failures.append("\(item.time) \(item.sender.rawValue): message \(hexText(payload))") }
            } else if header.flags.contains(.compressed), (try? ZeroRun.decodedLength(payload)) == nil {
                failures.append("\(item.time) \(item.sender.rawValue): damaged zero-run code")
            }
        default: break
        }
    }

    /// A counter never exceeds what was sent nor goes back, and it is exact when the other end was silent before.
    private mutating func checkCounter(_ item: WireItem, _ counter: Int) {
        let other = item.sender.other
        let history = sent[other]
        let total = history.last?.total ?? 0
        let before = acknowledged[other]
        let quiet = history.last { $0.time < item.time - 500 }?.total ?? 0
        let value = before + ((counter - before) & 0xFF_FFFF)
        if value > total || value < quiet {
            failures.append(
                "\(item.time) \(item.sender.rawValue): acknowledges \(value), \(quiet) to \(total) bytes were sent")
        }
        acknowledged[other] = value
    }
}
