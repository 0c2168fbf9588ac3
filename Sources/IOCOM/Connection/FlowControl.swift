/// Byte counting of one connection: when to acknowledge and how much may be in the air (wire-protocol.md 2.7).
struct FlowControl {
    private let layout: FrameLayout
    private var sent: UInt32 = 0
    /// Bytes sent in all.
    private(set) var totalSent: UInt64 = 0
    private var received: UInt32 = 0
    private var acknowledged: UInt32 = 0
    /// Starts far away from any count, so that the first acknowledge leaves at once (1.5).
    private var lastAcknowledgeSent: UInt32 = 0xA0A000
    /// Largest frame this end sends; the window follows it.
    private(set) var frameLimit: Int

    /// `own` is the largest frame this end is willing to send.
    init(layout: FrameLayout, own: Int) {
        self.layout = layout
        frameLimit = layout == .socket ? min(own, Limit.originalFrame) : Limit.serialFrame
    }

    private var mask: UInt32 { layout == .socket ? 0xFF_FFFF : 0xFFFF }
    private var acknowledgeThreshold: UInt32 { layout == .socket ? 500 : 40 }

    /// Bytes sent that the peer has not acknowledged yet.
    var inAir: Int { Int((sent &- acknowledged) & mask) }

    /// Bytes that data and system frames may still put into the air.
    var room: Int {
        let window = layout == .socket ? Limit.windowFrames * frameLimit : 200
        return max(0, window - inAir)
    }

    /// True when an acknowledge may leave although the window for frames is full.
    var hasAcknowledgeRoom: Bool {
        layout == .socket ? inAir + 4 <= Limit.windowFrames * frameLimit + 500 + 20 : inAir + 3 <= 255
    }

    /// True when an acknowledge is due.
    var mustAcknowledge: Bool { (received &- lastAcknowledgeSent) & mask >= acknowledgeThreshold }

    /// True when an acknowledge is worth its bytes on a serial line that has nothing else to carry this way: there the window
    /// is 17 ms of the line, and a peer that learns early what arrived need not stop.
    var mayAcknowledge: Bool {
        layout == .serial && (received &- lastAcknowledgeSent) & mask >= Self.earlyAcknowledge
    }

    /// Bytes; an acknowledge has three.
    private static let earlyAcknowledge: UInt32 = 16

    mutating func didSend(_ count: Int) {
        sent = (sent &+ UInt32(truncatingIfNeeded: count)) & mask
        totalSent &+= UInt64(count)
    }

    /// Bytes that the peer acknowledged in all.
    var totalAcknowledged: UInt64 { totalSent - UInt64(inAir) }

    mutating func didReceive(_ count: Int) { received = (received &+ UInt32(truncatingIfNeeded: count)) & mask }

    /// Takes the peer's receive counter.
    mutating func peerAcknowledged(_ counter: UInt32) throws(ProtocolViolation) {
        guard (counter &- acknowledged) & mask <= (sent &- acknowledged) & mask else { throw .acknowledgedTooMuch }
        acknowledged = counter & mask
    }

    /// The peer announced how large its frames may be; values outside the allowed range are ignored (2.6).
    ///
    /// `own` is what this end is willing to send.
    mutating func peerReceives(frameSize: UInt32, own: Int) {
        guard layout == .socket else { return }
        guard frameSize >= Limit.smallestFrame, frameSize <= Limit.largestFrame else { return }
        frameLimit = min(own, Int(frameSize))
    }

    /// Writes an acknowledge (also the keep-alive) and counts it.
    mutating func writeAcknowledge(into out: UnsafeMutableRawBufferPointer) -> Int {
        var writer = WireWriter(out)
        writer.put(0xFF)
        writer.put(received, width: layout == .socket ? 3 : 2)
        guard !writer.overflowed else { return 0 }
        lastAcknowledgeSent = received
        didSend(writer.count)
        return writer.count
    }
}
