public import IOCOM

/// A peer made of bytes: composes frames by hand, right or wrong.
public struct RawPeer {
    /// Number of the next frame.
    public var number: UInt8 = 0
    /// Header layout.
    public var layout: FrameLayout = .socket

    /// A peer that has sent nothing.
    public init(layout: FrameLayout = .socket) { self.layout = layout }

    /// A frame with the next number.
    public mutating func frame(
        _ flags: FrameFlags = [], id: UInt32, at address: UInt32 = 0, _ payload: [UInt8]
    ) -> [UInt8] {
        let header = FrameHeader(number: number, flags: flags, blockID: id, address: address, dataSize: payload.count)
        number = number == 200 ? 1 : number + 1
        let layout = layout
        var bytes = encoded { header.encode(into: $0, layout: layout) } + payload
        if layout == .serial { bytes.withUnsafeMutableBytes { FrameHeader.sealSerial($0) } }
        return bytes
    }

    /// An authentication.
    public mutating func authentication(
        _ flags: Authentication.Flags = [], user: UserName = "gina", frameSize: UInt32 = 1392
    ) -> [UInt8] {
        let message = Authentication(flags: flags, user: user, number: 1, network: "cafenet", frameSize: frameSize)
        return frame(.system, id: frameSize, encoded { message.encode(into: $0) })
    }

    /// A block info.
    public mutating func info(_ id: UInt32, _ block: BlockName, size: UInt32, _ flags: BlockFlags) -> [UInt8] {
        let message = BlockInfo(id: id, path: .gina(block), size: size, flags: flags)
        return frame(.system, id: id, encoded { message.encode(into: $0) })
    }

    /// A remove request.
    public mutating func remove(_ ids: [UInt32]) -> [UInt8] {
        var message = RemoveRequest()
        for id in ids { _ = message.add(id) }
        return frame(.system, id: UInt32(ids.count), encoded { message.encode(into: $0) })
    }

    /// An acknowledge.
    public func acknowledge(_ counter: Int) -> [UInt8] {
        [0xFF] + (0..<(layout.acknowledgeLength - 1)).map { UInt8(truncatingIfNeeded: counter >> (8 * $0)) }
    }
}

/// Frames in what a machine sent, without acknowledges.
public func frames(
    in bytes: [UInt8], layout: FrameLayout = .socket
) throws(ProtocolViolation) -> [(header: FrameHeader, payload: [UInt8])] {
    var frames: [(FrameHeader, [UInt8])] = []
    var at = 0
    while at < bytes.count {
        if bytes[at] == 0xFF {
            at += layout.acknowledgeLength
            continue
        }
        guard let length = try FrameHeader.frameLength(bytes.span.bytes, at: at, layout: layout) else { break }
        let (header, start) = try FrameHeader.decode(bytes.span.bytes, at: at, layout: layout)
        frames.append((header, Array(bytes[(at + start)..<(at + length)])))
        at += length
    }
    return frames
}
