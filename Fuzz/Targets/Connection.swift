// modules: IOCOM IOCOMTestSupport
// options: -max_len=512
import IOCOM
import IOCOMTestSupport

private func blocks(_ flags: BlockFlags) -> [MemoryBlock] {
    [
        MemoryBlock(.gina("exp"), flags.union(.up), size: 32),
        MemoryBlock(.gina("imp"), flags.union(.down), size: 24),
        MemoryBlock(.gina("conf_imp"), flags.union(.down), size: 300),
    ]
}

/// The input is what a peer sends to one of our machines. Its first byte chooses the machine; then a length byte and so
/// many bytes follow over and over.
/// A set high bit lets time pass and writes into the blocks.
func fuzz(_ input: [UInt8]) {
    guard let mode = input.first else { return }
    let secure = mode & 1 != 0
    let layout: FrameLayout = mode & 16 != 0 ? .serial : .socket
    let flags: BlockFlags = [.bidirectional, .dynamic, .allowResize]
    let end: End
    switch mode >> 1 & 3 {
    case 0: end = End(.server(secure: secure, layout: layout))
    case 1: end = End(.server(secure: secure, layout: layout), blocks: blocks(flags))
    case 2: end = End(.device(secure: secure, layout: layout), blocks: blocks(.bidirectional))
    default: end = End(.operating(secure: secure))
    }
    end.createsBlocks = mode & 8 != 0
    var at = 1
    var now: Milliseconds = 0
    do throws(ProtocolViolation) {
        if mode & 32 != 0 { try prologue(end, mode, layout) }
        while at < input.count {
            let length = Int(input[at] & 0x7F)
            let part = input[(at + 1)..<min(input.count, at + 1 + length)]
            if input[at] & 0x80 != 0 {
                now += Milliseconds(length)
                _ = try end.machine.tick(now: now)
                for block in end.blocks { block.setByte(UInt8(truncatingIfNeeded: now), at: length) }
                for block in end.blocks { block.publish() }
            }
            try end.receive(part, now: now)
            _ = end.produce(now: now)
            at += 1 + length
        }
    } catch {
        // The peer broke the protocol, which it may.
    }
    end.machine.close()
    for block in end.blocks { precondition(block.isDrained && block.size <= 1 << 20) }
}

/// Handshake, authentication and infos, so that the input starts where data may flow.
private func prologue(_ end: End, _ mode: UInt8, _ layout: FrameLayout) throws(ProtocolViolation) {
    let isListener = mode >> 1 & 3 < 2
    if layout == .socket && isListener { try end.receive(hex("13")) }
    if layout == .socket && !isListener && mode & 1 != 0 { try end.receive([0x5B]) }
    let flags: Authentication.Flags =
        !isListener ? .bidirectional : mode & 64 != 0 ? [.connectUp, .bidirectional] : .bidirectional
    let messages: [(UInt32, (UnsafeMutableRawBufferPointer) -> Int)] = [
        (1392, Authentication(flags: flags, user: "x", number: 1, network: "cafenet", frameSize: 1392).encode),
        (8, BlockInfo(id: 8, path: .gina("exp"), size: 32, flags: [.up, .bidirectional]).encode),
        (9, BlockInfo(id: 9, path: .gina("imp"), size: 24, flags: [.down, .bidirectional]).encode),
        (10, BlockInfo(id: 10, path: .gina("conf_imp"), size: 200, flags: [.down, .bidirectional]).encode),
    ]
    for (number, (id, encode)) in messages.enumerated() {
        let payload = encoded { encode($0) }
        let header = FrameHeader(
            number: UInt8(number), flags: .system, blockID: id, address: 0, dataSize: payload.count)
        var frame = encoded { header.encode(into: $0, layout: layout) } + payload
        if layout == .serial { frame.withUnsafeMutableBytes { FrameHeader.sealSerial($0) } }
        try end.receive(frame)
        _ = end.produce()
    }
}
