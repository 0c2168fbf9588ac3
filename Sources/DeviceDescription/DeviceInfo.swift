public import IOCOM

/// What a device tells about itself in its `info` block (application-layer.md, section 6): its memory blocks and where
/// in them which signal lies.
///
///     let info = try DeviceInfo(packed: bytes)
///     let buffer = info.signal("tod_buf", in: "conf_imp")   // address, type and ring size
public struct DeviceInfo: Sendable, Equatable {
    /// Device name without number, such as `candy`; empty when the document has none.
    public let name: String
    /// Memory blocks in document order.
    public let blocks: [BlockDescription]
    /// Signals that belong together, such as a camera's.
    public let assemblies: [Assembly]

    /// A device of these blocks, which must have different names.
    public init(
        name: String, blocks: [BlockDescription], assemblies: [Assembly] = [], limits: DeviceInfoLimits = .standard
    ) throws(DeviceInfoError) {
        if !name.isEmpty { try limits.checkName(name, .device) }
        guard blocks.count <= limits.blocks else { throw .tooManyBlocks(limit: limits.blocks) }
        guard assemblies.count <= limits.assemblies else { throw .tooManyAssemblies(limit: limits.assemblies) }
        var names: Set<String> = []
        for block in blocks {
            guard names.insert(block.name).inserted else { throw .repeatedBlock(block.name) }
        }
        self.name = name
        self.blocks = blocks
        self.assemblies = assemblies
    }

    /// The block of that name.
    public func block(_ name: String) -> BlockDescription? { blocks.first { $0.name == name } }

    /// The signal called `name` in the block called `block`: the first one, should the name be used twice.
    public func signal(_ name: String, in block: String) -> SignalInfo? { self.block(block)?.signal(name) }

    /// Every signal with the block it lies in, in document order.
    public var signals: [(block: String, signal: SignalInfo)] {
        blocks.flatMap { block in block.signals.map { (block.name, $0) } }
    }

    /// The signal in `imp` blocks that sets `name` of `exp`: for a parameter `x` that is `set_x` (6.2, `pflag`).
    public func setter(of name: String) -> (block: String, signal: SignalInfo)? {
        for block in blocks where block.flags.contains(.down) {
            if let signal = block.signal("set_" + name) { return (block.name, signal) }
        }
        return nil
    }
}

/// A memory block of a device.
public struct BlockDescription: Sendable, Equatable {
    /// Name such as `conf_exp`.
    public let name: String
    /// Direction: ``BlockFlags/up`` or ``BlockFlags/down``, or neither when the document does not tell.
    public let flags: BlockFlags
    /// True for blocks that carry streams, which are not shown to people among the process values.
    public let isConfiguration: Bool
    /// Groups in document order.
    public let groups: [SignalGroup]
    /// Bytes of the block: the highest end of a signal, at least ``Limit/smallestBlock``.
    public let size: Int

    /// All signals in document order.
    public var signals: [SignalInfo] { groups.flatMap(\.signals) }

    /// The first signal of that name.
    public func signal(_ name: String) -> SignalInfo? {
        for group in groups {
            if let signal = group.signals.first(where: { $0.name == name }) { return signal }
        }
        return nil
    }

    /// The signals that a change of `range` touches.
    public func signals(touchedBy range: ByteRange) -> [SignalInfo] {
        signals.filter { $0.signal.isTouched(by: range) }
    }
}

/// Signals that are shown together.
public struct SignalGroup: Sendable, Equatable {
    /// Name; may be empty.
    public let name: String
    /// Signals in document order.
    public let signals: [SignalInfo]
}

/// A signal with its name and what people want to know about it.
public struct SignalInfo: Sendable, Equatable {
    /// Name such as `tod_cmd`.
    public let name: String
    /// Type, address and array size.
    public let signal: Signal
    /// Unit of the value, such as `V`; empty when there is none.
    public let unit: String
    /// Smallest sensible value.
    public let minimum: Double?
    /// Largest sensible value.
    public let maximum: Double?
    /// Decimals to show.
    public let digits: Int?
    /// Parameter bits; see ``isParameter`` and ``isPersistent``.
    public let parameterFlags: Int

    /// True for a parameter: `set_x` in `imp` belongs to `x` in `exp`.
    public var isParameter: Bool { parameterFlags & 64 != 0 }
    /// True for a parameter that the device stores.
    public var isPersistent: Bool { parameterFlags & 128 != 0 }
}

/// Signals that form one thing, so far always a camera (application-layer.md 6.2).
public struct Assembly: Sendable, Equatable {
    /// Name.
    public let name: String
    /// Kind such as `cam_flat` or `cam_ring`.
    public let kind: String
    /// Block and beginning of the names of the signals that the device writes, such as `dexp.rec_`.
    public let exported: String
    /// Block and beginning of the names of the signals that the controller writes.
    public let imported: String

    /// Describes an assembly.
    public init(name: String, kind: String, exported: String, imported: String) {
        self.name = name
        self.kind = kind
        self.exported = exported
        self.imported = imported
    }
}
