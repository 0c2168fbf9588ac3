public import FirmwareStorage

/// What a flash controller or its driver found wrong, in one form for all parts. It travels as the number of
/// ``FirmwareStorage/FlashFault/hardware(_:)``.
public struct ControllerFault: OptionSet, Equatable, Sendable {
    /// The bits.
    public let rawValue: UInt32

    /// Faults of their bits.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// OPERR: an operation did not succeed.
    public static let operation = ControllerFault(rawValue: 1 << 0)
    /// PROGERR: the place was not erased (L4).
    public static let programming = ControllerFault(rawValue: 1 << 1)
    /// WRPERR: the place is protected by the option bytes.
    public static let writeProtection = ControllerFault(rawValue: 1 << 2)
    /// PGAERR: the address does not fit the kind of access.
    public static let alignment = ControllerFault(rawValue: 1 << 3)
    /// PGPERR (F4), SIZERR (L4): the width of the access is another than the one set.
    public static let width = ControllerFault(rawValue: 1 << 4)
    /// PGSERR: a step of the sequence was left out.
    public static let sequence = ControllerFault(rawValue: 1 << 5)
    /// RDERR: code that must not be read was read.
    public static let readProtection = ControllerFault(rawValue: 1 << 6)
    /// MISERR, FASTERR: fast programming (L4), which is not used.
    public static let fastProgramming = ControllerFault(rawValue: 1 << 7)
    /// ECCD: two bits of a double word are wrong, as after a loss of power while it was written (L4).
    public static let damagedWord = ControllerFault(rawValue: 1 << 16)
    /// The controller did not become ready in the longest time its data sheet says, and as much again.
    public static let timeout = ControllerFault(rawValue: 1 << 17)
    /// The unlock keys were not taken: it stays locked until a reset.
    public static let locked = ControllerFault(rawValue: 1 << 18)
    /// The option bytes were not changed; OPTVERR: those that were loaded are not those that were set (L4).
    public static let options = ControllerFault(rawValue: 1 << 19)

    /// As an error of a flash area.
    public var fault: FlashFault { .hardware(rawValue) }
}

extension FlashFault {
    /// What the controller found wrong; nil for other faults.
    public var controller: ControllerFault? {
        guard case .hardware(let bits) = self else { return nil }
        return ControllerFault(rawValue: bits)
    }
}
