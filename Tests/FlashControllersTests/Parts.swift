import FlashControllerModels
import FlashControllers
import FirmwareStorage

/// A driver over a model, for tests of what holds for every part.
struct Machine {
    let model: STM32Model
    let driver: AnyDriver

    init(_ part: STM32Part, _ contents: FlashContents? = nil, speed: STM32Model.Speed = .longest) {
        self.init(STM32Model(contents ?? FlashContents(part), speed: speed))
    }

    init(_ model: STM32Model) {
        self.model = model
        driver = AnyDriver(model)
    }

    func read(_ bank: Int, _ offset: Int, _ count: Int) throws(FlashFault) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: count)
        var fault: FlashFault?
        result.withUnsafeMutableBytes { out in
            do throws(FlashFault) { try driver.read(bank: bank, at: offset, into: out) } catch { fault = error }
        }
        if let fault { throw fault }
        return result
    }

    func program(_ bank: Int, _ offset: Int, _ bytes: [UInt8]) throws(FlashFault) {
        var fault: FlashFault?
        bytes.withUnsafeBytes { bytes in
            do throws(FlashFault) { try driver.program(bank: bank, at: offset, bytes) } catch { fault = error }
        }
        if let fault { throw fault }
    }
}

/// The driver that belongs to a part.
enum AnyDriver: DualBankController {
    case f4(STM32F4Flash<STM32Model>)
    case l4(STM32L4Flash<STM32Model>)

    init(_ model: STM32Model) {
        switch model.part {
        case .f405: self = .f4(STM32F4Flash(model, part: .f405))
        case .f42x: self = .f4(STM32F4Flash(model, part: .f42x))
        case .l47x: self = .l4(STM32L4Flash(model))
        }
    }

    var bankCount: Int {
        switch self {
        case .f4(let driver): driver.bankCount
        case .l4(let driver): driver.bankCount
        }
    }
    var bankSize: Int {
        switch self {
        case .f4(let driver): driver.bankSize
        case .l4(let driver): driver.bankSize
        }
    }
    var writeSize: Int {
        switch self {
        case .f4(let driver): driver.writeSize
        case .l4(let driver): driver.writeSize
        }
    }
    func sector(at offset: Int) -> FlashUnit {
        switch self {
        case .f4(let driver): driver.sector(at: offset)
        case .l4(let driver): driver.sector(at: offset)
        }
    }
    func read(bank: Int, at offset: Int, into out: UnsafeMutableRawBufferPointer) throws(FlashFault) {
        switch self {
        case .f4(let driver): try driver.read(bank: bank, at: offset, into: out)
        case .l4(let driver): try driver.read(bank: bank, at: offset, into: out)
        }
    }
    func program(bank: Int, at offset: Int, _ bytes: UnsafeRawBufferPointer) throws(FlashFault) {
        switch self {
        case .f4(let driver): try driver.program(bank: bank, at: offset, bytes)
        case .l4(let driver): try driver.program(bank: bank, at: offset, bytes)
        }
    }
    func erase(bank: Int, sectorAt offset: Int) throws(FlashFault) {
        switch self {
        case .f4(let driver): try driver.erase(bank: bank, sectorAt: offset)
        case .l4(let driver): try driver.erase(bank: bank, sectorAt: offset)
        }
    }
    var runningBank: Int {
        switch self {
        case .f4(let driver): driver.runningBank
        case .l4(let driver): driver.runningBank
        }
    }
    var selectedBank: Int {
        switch self {
        case .f4(let driver): driver.selectedBank
        case .l4(let driver): driver.selectedBank
        }
    }
    func select(bank: Int) throws(FlashFault) {
        switch self {
        case .f4(let driver): try driver.select(bank: bank)
        case .l4(let driver): try driver.select(bank: bank)
        }
    }
    func restart() {
        switch self {
        case .f4(let driver): driver.restart()
        case .l4(let driver): driver.restart()
        }
    }
}
