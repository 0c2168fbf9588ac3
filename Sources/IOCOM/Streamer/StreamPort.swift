extension Limit {
    /// Most elements a stream's ring buffer may have; an info block that says more is refused.
    public static let largestRing = 16 << 20
}

/// Values of the signals `cmd` and `state` (application-layer.md 2.1).
enum StreamStep {
    /// Nothing wanted; ready for a transfer.
    static let idle = 0
    /// Transfer wanted; accepted and moving data.
    static let running = 1
    /// All data is in the ring and the checksum is valid.
    static let completed = 2
    /// Given up.
    static let interrupt = 3
}

/// Which way the data of a stream flows.
public enum StreamDirection: Sendable, Hashable {
    /// Controller to device: the `tod` signals.
    case upload
    /// Device to controller: the `frd` signals.
    case download
}

/// The eight signals of one direction of a stream.
public enum StreamSignal: Int, Sendable, Hashable, CaseIterable {
    /// The controller's command.
    case cmd
    /// Persistent block number.
    case select
    /// The device's state.
    case state
    /// The device's result code.
    case err
    /// Checksum of all data.
    case cs
    /// The ring.
    case buf
    /// The writer's position in the ring.
    case head
    /// The reader's position in the ring.
    case tail

    /// Number of signals.
    static let count = 8

    /// Bytes of data behind the state byte; 0 for the ring, whose size the device chooses.
    public var width: Int {
        switch self {
        case .cmd, .select, .state, .err: 1
        case .cs: 2
        case .head, .tail: 4
        case .buf: 0
        }
    }

    /// True when the controller writes this signal.
    public func isControllers(_ direction: StreamDirection) -> Bool {
        switch self {
        case .cmd, .select: true
        case .state, .err: false
        case .cs, .buf, .head: direction == .upload
        case .tail: direction == .download
        }
    }
}

/// Where the signals of one direction are: addresses of their state bytes in the block of whoever writes them.
public struct StreamAddresses: Sendable, Equatable {
    /// Which way the data flows.
    public let direction: StreamDirection
    /// Elements of the ring.
    public var ringSize: Int
    /// True when `select` is a `char` (blocks −128…127), false when it is a `uchar` (0…255).
    public var selectIsSigned: Bool
    private var addresses = InlineArray<8, Int>(repeating: 0)

    /// Addresses that all are 0; set them one by one through the subscript.
    public init(direction: StreamDirection, ringSize: Int, selectIsSigned: Bool) {
        self.direction = direction
        self.ringSize = ringSize
        self.selectIsSigned = selectIsSigned
    }

    /// Address of a signal's state byte.
    public subscript(signal: StreamSignal) -> Int {
        get { addresses[signal.rawValue] }
        set { addresses[signal.rawValue] = newValue }
    }

    /// Equal when every address, the ring and the type of `select` are.
    public static func == (a: Self, b: Self) -> Bool {
        guard a.direction == b.direction, a.ringSize == b.ringSize, a.selectIsSigned == b.selectIsSigned else {
            return false
        }
        for i in 0..<StreamSignal.count where a.addresses[i] != b.addresses[i] { return false }
        return true
    }

    /// State byte and data of a signal; nil when the end is past every address.
    func range(of signal: StreamSignal) -> ByteRange? {
        let length = 1 + (signal == .buf ? ringSize : signal.width)
        let (end, overflow) = self[signal].addingReportingOverflow(length)
        return overflow ? nil : ByteRange(self[signal], end)
    }
}

/// Why signals cannot make a stream.
public enum StreamPortError: Error, Equatable {
    /// The ring has fewer than 2 or more than ``Limit/largestRing`` elements.
    case ringSize(Int)
    /// The signal does not lie inside its memory block.
    case outside(StreamSignal)
    /// Two signals share bytes.
    case overlapping(StreamSignal, StreamSignal)
}

/// One direction of a device's streamer: its eight signals in two memory blocks, with access rules.
///
/// Every address is checked once, when the port is made, so that nothing an info block says can reach other memory.
/// Writing a value sets CONNECTED (2) and sets bit 1 exactly when the value is not 0 (wire-protocol.md 6.1).
public struct StreamPort {
    /// The block the controller writes (`conf_imp`).
    public let controllerBlock: MemoryBlock
    /// The block the device writes (`conf_exp`).
    public let deviceBlock: MemoryBlock
    /// Where the signals are.
    public let addresses: StreamAddresses

    static let connectedBit: UInt8 = 2

    /// Checks `addresses` against the two blocks.
    public init(
        controllerBlock: MemoryBlock, deviceBlock: MemoryBlock, addresses: StreamAddresses
    ) throws(StreamPortError) {
        self.controllerBlock = controllerBlock
        self.deviceBlock = deviceBlock
        self.addresses = addresses
        guard addresses.ringSize >= 2, addresses.ringSize <= Limit.largestRing else {
            throw .ringSize(addresses.ringSize)
        }
        for i in 0..<StreamSignal.count {
            guard let signal = StreamSignal(rawValue: i) else { continue }
            guard let range = addresses.range(of: signal), range.start >= 0, range.end <= block(signal).size else {
                throw .outside(signal)
            }
            for j in 0..<i {
                guard let other = StreamSignal(rawValue: j), let otherRange = addresses.range(of: other),
                    block(other) === block(signal), range.overlaps(otherRange)
                else { continue }
                throw .overlapping(other, signal)
            }
        }
    }

    /// Which way the data flows.
    public var direction: StreamDirection { addresses.direction }

    /// The block that holds `signal`.
    public func block(_ signal: StreamSignal) -> MemoryBlock {
        signal.isControllers(direction) ? controllerBlock : deviceBlock
    }

    /// True when the writer of `signal` has written it and said that the value is valid.
    public func isConnected(_ signal: StreamSignal) -> Bool {
        block(signal).byte(at: addresses[signal]) & Self.connectedBit != 0
    }

    /// Value of a signal other than the ring (0 for that); `head` and `tail` may be negative when the peer is hostile.
    public func value(_ signal: StreamSignal) -> Int {
        let bits = block(signal).unsigned(at: addresses[signal] + 1, width: max(1, signal.width))
        switch signal {
        case .buf: return 0
        case .head, .tail: return Int(Int32(truncatingIfNeeded: bits))
        case .select where addresses.selectIsSigned: return Int(Int8(truncatingIfNeeded: bits))
        default: return Int(UInt16(truncatingIfNeeded: bits))
        }
    }

    /// The device's result code.
    public var status: StreamStatus { StreamStatus(rawValue: UInt8(truncatingIfNeeded: value(.err))) }

    /// True while the device gives an earlier transfer up: that lasts until its controller withdrew, 5 s at most when that
    /// one is gone (application-layer.md 2.6).
    public var isGivingUp: Bool { isConnected(.state) && value(.state) == StreamStep.interrupt }

    /// True when block number `select` can be written into the `select` signal.
    public func canSelect(_ select: Int) -> Bool {
        addresses.selectIsSigned ? (-128...127).contains(select) : (0...255).contains(select)
    }

    /// Writes a signal other than the ring.
    func set(_ signal: StreamSignal, _ value: Int) {
        let target = block(signal)
        target.setUnsigned(UInt64(truncatingIfNeeded: value), at: addresses[signal] + 1, width: max(1, signal.width))
        target.setByte(value == 0 ? Self.connectedBit : Self.connectedBit | 1, at: addresses[signal])
    }

    /// Writes the state byte of the ring, which readers want to be CONNECTED.
    func markRing() {
        // Nobody takes it away again, and a byte of its own in each snapshot costs.
        if !isConnected(.buf) { block(.buf).setByte(Self.connectedBit, at: addresses[.buf]) }
    }

    /// Address in the block of the bytes with these ring indexes.
    func address(_ run: ByteRange) -> ByteRange {
        let base = addresses[.buf] + 1
        return ByteRange(base + run.start, base + run.end)
    }

    /// Sets the device's own signals to IDLE with CONNECTED, as at start-up; without it controllers refuse to begin
    /// (application-layer.md 11.14). The caller publishes the device's block.
    public func initializeDevice() {
        set(.state, StreamStep.idle)
        set(.err, 0)
        if direction == .upload {
            set(.tail, 0)
        } else {
            set(.head, 0)
            set(.cs, 0)
            markRing()
        }
    }

    /// Withdraws whatever this controller wanted: `cmd` IDLE and its position 0. The caller publishes the controller's
    /// block. Also the way out when an earlier program left `cmd` set and opening therefore reports busy.
    public func releaseController() {
        set(.cmd, StreamStep.idle)
        set(direction == .upload ? .head : .tail, 0)
    }
}
