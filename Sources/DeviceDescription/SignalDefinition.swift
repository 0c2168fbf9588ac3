public import IOCOM

/// A signal as it is written down; address and type may follow from its predecessors (application-layer.md 6.2).
public struct SignalDefinition: Sendable, Equatable {
    /// Name, 1…31 bytes.
    public var name: String
    /// Type; nil takes the one of the signal before, also across groups.
    public var type: SignalType?
    /// Address of the state byte; nil follows the signal before without a gap.
    public var address: Int64?
    /// Elements, or bytes of a text; less than 1 means 1.
    public var count: Int64
    /// Unit of the value.
    public var unit: String
    /// Smallest sensible value.
    public var minimum: Double?
    /// Largest sensible value.
    public var maximum: Double?
    /// Decimals to show.
    public var digits: Int?
    /// Parameter bits: 64 parameter, 128 persistent.
    public var parameterFlags: Int

    /// Writes down a signal.
    public init(
        _ name: String, _ type: SignalType? = nil, count: Int64 = 1, address: Int64? = nil, unit: String = "",
        minimum: Double? = nil, maximum: Double? = nil, digits: Int? = nil, parameterFlags: Int = 0
    ) {
        self.name = name
        self.type = type
        self.address = address
        self.count = count
        self.unit = unit
        self.minimum = minimum
        self.maximum = maximum
        self.digits = digits
        self.parameterFlags = parameterFlags
    }

    /// A text of at most `bytes` bytes.
    public static func text(_ name: String, bytes: Int64) -> SignalDefinition {
        SignalDefinition(name, .str, count: bytes)
    }
}

/// A group of signals as it is written down.
public struct GroupDefinition: Sendable, Equatable {
    /// Name; may be empty.
    public var name: String
    /// Signals in the order of their addresses.
    public var signals: [SignalDefinition]

    /// Writes down a group.
    public init(_ name: String, _ signals: [SignalDefinition]) {
        self.name = name
        self.signals = signals
    }
}

extension BlockDescription {
    /// A block whose signals get addresses and types by the rules of application-layer.md 6.2.
    public init(
        _ name: String, _ flags: BlockFlags, isConfiguration: Bool = false, _ groups: [GroupDefinition],
        limits: DeviceInfoLimits = .standard
    ) throws(DeviceInfoError) {
        try limits.checkName(name, .block)
        guard groups.count <= limits.groups else { throw .tooManyGroups(block: name, limit: limits.groups) }
        var cursor = LayoutCursor(limit: limits.blockSize)
        var placed: [SignalGroup] = []
        var count = 0
        for group in groups {
            if !group.name.isEmpty { try limits.checkName(group.name, .group) }
            count += group.signals.count
            guard count <= limits.signals else { throw .tooManySignals(block: name, limit: limits.signals) }
            var signals: [SignalInfo] = []
            signals.reserveCapacity(group.signals.count)
            for definition in group.signals {
                try limits.checkName(definition.name, .signal)
                signals.append(SignalInfo(definition, try cursor.place(definition)))
            }
            placed.append(SignalGroup(name: group.name, signals: signals))
        }
        self.name = name
        self.flags = flags
        self.isConfiguration = isConfiguration
        self.groups = placed
        size = max(Limit.smallestBlock, cursor.end)
    }
}

extension SignalInfo {
    init(_ definition: SignalDefinition, _ signal: Signal) {
        name = definition.name
        self.signal = signal
        unit = definition.unit
        minimum = definition.minimum
        maximum = definition.maximum
        digits = definition.digits
        parameterFlags = definition.parameterFlags
    }
}

/// Hands out addresses and types within one block.
struct LayoutCursor {
    private let limit: Int
    private(set) var address = 0
    private(set) var type = SignalType.ushort
    /// Highest end so far.
    private(set) var end = 0

    init(limit: Int) { self.limit = limit }

    mutating func place(_ definition: SignalDefinition) throws(DeviceInfoError) -> Signal {
        if let type = definition.type { self.type = type }
        let wanted = definition.address ?? Int64(address)
        let count = max(1, definition.count)
        guard let start = Int(exactly: wanted), let length = Int(exactly: count),
            let signal = Signal(type, at: start, count: length), signal.range.end <= limit
        else { throw .outsideBlock(signal: definition.name, address: wanted, limit: limit) }
        address = signal.range.end
        end = max(end, address)
        return signal
    }
}
