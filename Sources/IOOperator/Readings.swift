import DeviceDescription
public import IOCOM

/// A signal with its value at one moment.
public struct SignalReading: Sendable, Equatable {
    /// Name.
    public let name: String
    /// Group it belongs to.
    public let group: String
    /// Block it lies in.
    public let block: String
    /// Type such as `float` or `uchar[16]`.
    public let type: String
    /// Unit; empty when there is none.
    public let unit: String
    /// Type without the count.
    public let kind: String
    /// Elements of an array, or bytes of a text; 1 for a single value.
    public let count: Int
    /// Least and greatest value, where the device says.
    public let minimum: Double?
    /// Greatest value.
    public let maximum: Double?
    /// True when an operator can set it.
    public let isSettable: Bool
    /// Value; nil when it was never set or is not connected.
    public let value: SignalValue?
    /// State bits.
    public let state: StateBits

    init(_ info: SignalInfo, group: String, block: BlockDescription, of device: RemoteDevice) {
        name = info.name
        self.group = group
        self.block = block.name
        type = info.signal.count > 1 ? "\(info.signal.type)[\(info.signal.count)]" : "\(info.signal.type)"
        kind = "\(info.signal.type)"
        count = info.signal.count
        minimum = info.minimum
        maximum = info.maximum
        unit = info.unit
        isSettable = block.flags.contains(.down) && !block.isConfiguration
        let memory = BlockName(block.name).flatMap { device.blocks[$0] }
        value = memory.flatMap { info.signal.value(in: $0) }
        state = memory.map { info.signal.state(in: $0) } ?? []
    }
}

/// A memory block at one moment.
public struct BlockReading: Sendable, Equatable {
    /// Name.
    public let name: String
    /// The server's id of it on this connection.
    public let id: UInt32
    /// Bytes, as announced.
    public let size: Int
    /// Flags as announced.
    public let flags: BlockFlags
    /// Content; nil when it was not taken over.
    public let content: [UInt8]?
}

extension BlockReading {
    /// Names of the flags, with commas between.
    public var flagNames: String {
        let names: [(BlockFlags, String)] = [
            (.up, "up"), (.down, "down"), (.static, "static"), (.dynamic, "dynamic"), (.allowResize, "resize"),
            (.bidirectional, "bidirectional"), (.cloudOnly, "cloud-only"), (.noCloud, "no-cloud"), (.floor, "floor"),
        ]
        return names.filter { flags.contains($0.0) }.map(\.1).joined(separator: ",")
    }
}
