import DeviceDescription
public import IOCOM

/// What changed among the devices of an operator.
public struct DeviceChange: Sendable {
    /// Everything is in `set`: what was known before counts no more.
    public var isComplete: Bool
    /// Devices that are new or changed, sorted by path.
    public var set: [DeviceSummary]
    /// Devices that left.
    public var removed: [String]
    /// Why there is no connection now; nil while there is one.
    public var lostBecause: String?
}

/// Whether an operator has its connection.
public struct ConnectionChange: Sendable, Equatable {
    /// Why there is none now; nil while there is one.
    public var lostBecause: String?
}

/// What changed among the signals of one device.
public enum SignalChange: Sendable {
    /// All signals: the first, and after the device restarted. Empty while it is away.
    case all([SignalReading])
    /// Signals of that list, by their place in it.
    case some([(index: Int, reading: SignalReading)])
}

/// A part of a memory block.
public struct MemoryPart: Sendable, Equatable {
    /// Name of the block.
    public var block: BlockName
    /// Offset of the first byte.
    public var offset: Int
    /// Bytes; fewer than asked for at the end of the block.
    public var bytes: [UInt8]
}
