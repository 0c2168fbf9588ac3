/// Control characters of a serial line (wire-protocol.md 1.4); above the last frame number, so that one in the middle of
/// frames ends the connection.
public enum SerialControl {
    /// Client: starts a connection.
    public static let connect: UInt8 = 253
    /// Listener: answers it.
    public static let connectReply: UInt8 = 252
    /// Client: answers that.
    public static let confirm: UInt8 = 251
    /// Listener: both know of each other, frames follow.
    public static let confirmReply: UInt8 = 250
    /// Listener: started over.
    public static let disconnect: UInt8 = 249
}

/// How the two ends of a serial line find each other (wire-protocol.md 1.4): bytes and time in, single bytes out.
///
/// A client repeats until somebody answers, a listener waits; neither ever gives up, because a line may be dead for days.
/// What is given to ``receive(_:at:now:)`` in one call counts as what was there to read at that moment.
public struct SerialHandshake {
    private enum Step {
        /// Listener: for CONNECT.
        case awaitingConnect
        /// Listener: for CONFIRM.
        case awaitingConfirm
        /// Client: for CONNECT_REPLY.
        case awaitingConnectReply
        /// Client: for CONFIRM_REPLY.
        case awaitingConfirmReply
        case connected
    }

    /// A client that hears nothing starts over after this time, ms (2.8).
    public static let period: Milliseconds = 300
    /// Most bytes that are looked at together; that many or more at once are noise.
    static let readSize = 32

    private let side: ConnectionSettings.Side
    private var step: Step
    private var since: Milliseconds
    /// The control character to send next; 0 for none.
    private var outgoing: UInt8

    /// Starts: a client with CONNECT, a listener with DISCONNECT.
    public init(_ side: ConnectionSettings.Side, now: Milliseconds) {
        self.side = side
        since = now
        switch side {
        case .client:
            step = .awaitingConnectReply
            outgoing = SerialControl.connect
        case .listener:
            step = .awaitingConnect
            outgoing = SerialControl.disconnect
        }
    }

    /// True when both ends know of each other; what is not read yet are frames.
    public var isConnected: Bool {
        if case .connected = step { return true }
        return false
    }

    /// True while a byte waits to be sent.
    public var hasOutput: Bool { outgoing != 0 }

    /// When ``tick(now:)`` has something to do; nil for a listener, who only waits.
    public var deadline: Milliseconds? { side == .client && !isConnected ? since + Self.period : nil }

    /// The byte to send now, once.
    public mutating func takeOutput() -> UInt8? {
        guard outgoing != 0 else { return nil }
        defer { outgoing = 0 }
        return outgoing
    }

    /// A client that was not answered starts over; true when it has something to send.
    public mutating func tick(now: Milliseconds) -> Bool {
        if let deadline, now >= deadline { self = SerialHandshake(.client, now: now) }
        return hasOutput
    }

    /// Reads `bytes` from `offset` on; stops behind the byte that makes the connection.
    public mutating func receive(_ bytes: RawSpan, at offset: inout Int, now: Milliseconds) {
        // After the time is over an answer is one to an earlier attempt.
        _ = tick(now: now)
        while offset < bytes.byteCount, !isConnected {
            switch step {
            case .awaitingConfirmReply:
                let byte = bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
                offset += 1
                if byte == SerialControl.confirmReply { step = .connected }
            case .awaitingConnect, .awaitingConfirm, .awaitingConnectReply, .connected:
                let count = min(Self.readSize, bytes.byteCount - offset)
                offset += count
                look(bytes.unsafeLoad(fromByteOffset: offset - 1, as: UInt8.self), lastOf: count, now)
            }
        }
    }

    /// What came at once: how many bytes, and the last of them.
    private mutating func look(_ last: UInt8, lastOf count: Int, _ now: Milliseconds) {
        switch step {
        case .awaitingConnect where count < Self.readSize && last == SerialControl.connect:
            outgoing = SerialControl.connectReply
            step = .awaitingConfirm
        case .awaitingConfirm:
            if count == 1, last == SerialControl.confirm {
                outgoing = SerialControl.confirmReply
                step = .connected
            } else {
                step = .awaitingConnect
            }
        case .awaitingConnectReply where count < Self.readSize && last == SerialControl.connectReply:
            outgoing = SerialControl.confirm
            since = now
            step = .awaitingConfirmReply
        default: break
        }
    }
}
