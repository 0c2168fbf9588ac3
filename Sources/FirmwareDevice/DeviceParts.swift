public import FirmwareStorage
public import IOCOM

/// Who the device is.
public struct FirmwareIdentity: Sendable {
    /// Device name and application.
    public var name: DeviceName
    /// Device number.
    public var number: UInt32
    /// IO network.
    public var network: NetworkName
    /// Processor, for `si_arch`.
    public var architecture: ShortText<7>
    /// How far the signal `counter` goes in a second: what tells one program from the next.
    public var pace: UInt64 = 1

    /// An identity.
    public init(name: DeviceName, number: UInt32, network: NetworkName, architecture: ShortText<7>) {
        self.name = name
        self.number = number
        self.network = network
        self.architecture = architecture
    }
}

/// What the heap of the firmware says of itself; shown by the signals `rm_malloc` and `rm_muse`.
public struct HeapUse: Equatable, Sendable {
    /// Calls that took memory since the start.
    public var allocations: UInt32
    /// Bytes in use.
    public var bytes: UInt32

    /// Composes both.
    public init(allocations: UInt32 = 0, bytes: UInt32 = 0) {
        self.allocations = allocations
        self.bytes = bytes
    }
}

/// The flash of a device with two program slots, as windows into it.
public struct FirmwareFlash<Area: FlashArea> {
    /// Slot 0 and slot 1.
    public var slots: (Area, Area)
    /// Two erase units that say which slot starts.
    public var records: Area
    /// Erase units of the persistent blocks, two or more.
    public var blocks: Area

    /// Composes the windows.
    public init(first: Area, second: Area, records: Area, blocks: Area) {
        slots = (first, second)
        self.records = records
        self.blocks = blocks
    }
}

/// What the boot loader started: it may have found no way to write it down.
public struct StartedSlot: Equatable, Sendable {
    /// The slot, 0 or 1.
    public var slot: Int
    /// Its program has to prove itself.
    public var isOnTrial: Bool

    /// Composes both.
    public init(_ slot: Int, isOnTrial: Bool) {
        self.slot = slot & 1
        self.isOnTrial = isOnTrial
    }
}

/// Why firmware can't start its device.
public enum FirmwareProblem: Error, Equatable, Sendable {
    /// The records or the slots can't be read.
    case flash(FlashFault)
    /// The persistent blocks can't be read.
    case blocks(BlockLogProblem)
    /// The running program has no descriptor in its slot.
    case descriptor
    /// There is no memory for the blocks.
    case memory
}

/// What `upd_state` says; the numbers are those of `UpdatePhase`.
enum FirmwarePhase: UInt8 {
    case idle = 0
    case receiving = 1
    case verifying = 2
    case installing = 3
    case restarting = 4
    case proving = 5
    case confirmed = 6
    case rolledBack = 7
    case failed = 8
}
