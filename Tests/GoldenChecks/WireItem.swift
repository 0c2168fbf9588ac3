import IOCOM
import IOCOMTestSupport

/// One unit of a conversation.
struct WireItem {
    enum Kind {
        case mark
        case handshake(SocketHandshake)
        case acknowledge(UInt32)
        case frame(FrameHeader, [UInt8])
    }

    var sender: Sender
    var time: Int
    var bytes: [UInt8]
    var kind: Kind
    /// Bytes the sender had sent before this item, without handshake.
    var position: Int

    /// Message type of a system frame.
    var systemType: UInt8? {
        guard case .frame(let header, let payload) = kind, header.flags.contains(.system) else { return nil }
        return payload.first
    }

    var authentication: Authentication? {
        guard systemType == 2, case .frame(let header, let payload) = kind else { return nil }
        return try? Authentication(payload, frameSize: header.blockID)
    }

    var blockInfo: BlockInfo? {
        guard systemType == 1, case .frame(let header, let payload) = kind else { return nil }
        return try? BlockInfo(payload, id: header.blockID)
    }
}

/// Cuts what one end sent into items, by our codec, and checks frame numbers and lengths.
struct ItemReader {
    let sender: Sender
    /// The server's first byte is the mark.
    let isSecure: Bool
    let frameLimit: Int
    private(set) var position = 0
    private var isThrough = false
    private var expectedNumber: UInt8 = 0
    private var rest: [UInt8] = []

    init(sender: Sender, isSecure: Bool, frameLimit: Int = Limit.originalFrame) {
        self.sender = sender
        self.isSecure = isSecure
        self.frameLimit = frameLimit
    }

    /// Bytes of an item that is not complete.
    var leftOver: Int { rest.count }

    mutating func read(_ bytes: [UInt8], time: Int) throws(ProtocolViolation) -> [WireItem] {
        rest += bytes
        var items: [WireItem] = []
        var at = 0
        defer { rest.removeFirst(at) }
        while at < rest.count {
            guard let (kind, length) = try next(at) else { break }
            let bytes = Array(rest[at..<(at + length)])
            items.append(WireItem(sender: sender, time: time, bytes: bytes, kind: kind, position: position))
            switch kind {
            case .mark, .handshake: isThrough = true
            default: position += length
            }
            at += length
        }
        return items
    }

    private mutating func next(_ at: Int) throws(ProtocolViolation) -> (WireItem.Kind, Int)? {
        if !isThrough {
            if sender == .client {
                var end = at
                guard let handshake = try SocketHandshake(rest.span.bytes, offset: &end) else { return nil }
                return (.handshake(handshake), end - at)
            }
            if isSecure {
                guard rest[at] == SocketHandshake.tlsMark else { throw .tlsMark(rest[at]) }
                return (.mark, 1)
            }
            isThrough = true
        }
        if rest[at] == 0xFF {
            guard rest.count - at >= 4 else { return nil }
            return (.acknowledge(UInt32(rest[at + 1]) | UInt32(rest[at + 2]) << 8 | UInt32(rest[at + 3]) << 16), 4)
        }
        guard rest[at] == expectedNumber else { throw .frameNumber(expected: expectedNumber, found: rest[at]) }
        guard let length = try FrameHeader.frameLength(rest.span.bytes, at: at, layout: .socket) else { return nil }
        guard length <= frameLimit else { throw .frameTooLong(length: length, limit: frameLimit) }
        guard rest.count - at >= length else { return nil }
        let (header, start) = try FrameHeader.decode(rest.span.bytes, at: at, layout: .socket)
        expectedNumber = expectedNumber == 200 ? 1 : expectedNumber + 1
        return (.frame(header, Array(rest[(at + start)..<(at + length)])), length)
    }
}
