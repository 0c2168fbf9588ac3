public import FirmwareStorage
public import FlashControllerModels
public import FlashControllers

/// The firmware's driver over the model of a part, whichever it is.
///
/// A driver goes through several registers for each thing it does, so one thing is done at a time, whatever threads want it:
/// an upload writes a bank while settings are stored (``FlashControllerModels/STM32Model/exclusively(_:)``).
public enum STM32Driver: DualBankController, Sendable {
    /// STM32F4 family.
    case f4(STM32F4Flash<STM32Model>)
    /// STM32L47x and L48x.
    case l4(STM32L4Flash<STM32Model>)

    /// The driver that belongs to the part of `model`.
    public init(_ model: STM32Model) {
        self = model.exclusively {
            switch model.part {
            case .f405: .f4(STM32F4Flash(model, part: .f405))
            case .f42x: .f4(STM32F4Flash(model, part: .f42x))
            case .l47x: .l4(STM32L4Flash(model))
            }
        }
    }

    private var model: STM32Model {
        switch self {
        case .f4(let driver): driver.bus
        case .l4(let driver): driver.bus
        }
    }

    /// Banks.
    public var bankCount: Int {
        switch self {
        case .f4(let driver): driver.bankCount
        case .l4(let driver): driver.bankCount
        }
    }

    /// Bytes of a bank.
    public var bankSize: Int {
        switch self {
        case .f4(let driver): driver.bankSize
        case .l4(let driver): driver.bankSize
        }
    }

    /// Bytes that are programmed at once.
    public var writeSize: Int {
        switch self {
        case .f4(let driver): driver.writeSize
        case .l4(let driver): driver.writeSize
        }
    }

    /// The erase unit that contains a place.
    public func sector(at offset: Int) -> FlashUnit {
        switch self {
        case .f4(let driver): driver.sector(at: offset)
        case .l4(let driver): driver.sector(at: offset)
        }
    }

    /// Fills `out`.
    public func read(bank: Int, at offset: Int, into out: UnsafeMutableRawBufferPointer) throws(FlashFault) {
        try model.exclusively { () throws(FlashFault) in
            switch self {
            case .f4(let driver): try driver.read(bank: bank, at: offset, into: out)
            case .l4(let driver): try driver.read(bank: bank, at: offset, into: out)
            }
        }
    }

    /// Programs bytes.
    public func program(bank: Int, at offset: Int, _ bytes: UnsafeRawBufferPointer) throws(FlashFault) {
        try model.exclusively { () throws(FlashFault) in
            switch self {
            case .f4(let driver): try driver.program(bank: bank, at: offset, bytes)
            case .l4(let driver): try driver.program(bank: bank, at: offset, bytes)
            }
        }
    }

    /// Erases a sector.
    public func erase(bank: Int, sectorAt offset: Int) throws(FlashFault) {
        try model.exclusively { () throws(FlashFault) in
            switch self {
            case .f4(let driver): try driver.erase(bank: bank, sectorAt: offset)
            case .l4(let driver): try driver.erase(bank: bank, sectorAt: offset)
            }
        }
    }

    /// The bank that was started.
    public var runningBank: Int {
        model.exclusively {
            switch self {
            case .f4(let driver): driver.runningBank
            case .l4(let driver): driver.runningBank
            }
        }
    }

    /// The bank that the option bytes select.
    public var selectedBank: Int {
        model.exclusively {
            switch self {
            case .f4(let driver): driver.selectedBank
            case .l4(let driver): driver.selectedBank
            }
        }
    }

    /// Writes the option bytes.
    public func select(bank: Int) throws(FlashFault) {
        try model.exclusively { () throws(FlashFault) in
            switch self {
            case .f4(let driver): try driver.select(bank: bank)
            case .l4(let driver): try driver.select(bank: bank)
            }
        }
    }

    /// Resets the machine.
    public func restart() {
        model.exclusively {
            switch self {
            case .f4(let driver): driver.restart()
            case .l4(let driver): driver.restart()
            }
        }
    }
}
