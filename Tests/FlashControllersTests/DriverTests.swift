import FirmwareStorage
import FlashControllerModels
import FlashControllers
import Testing

/// The drivers against the models of their controllers.
@Suite struct DriverTests {
    private let bytes = (0..<64).map { UInt8(truncatingIfNeeded: $0 &* 37) }

    @Test(arguments: STM32Part.allCases)
    func `Every sector of a part is erased alone and programmed`(part: STM32Part) throws {
        let machine = Machine(part)
        let erased = FlashContents(part)
        var contents = erased
        contents.write([UInt8](repeating: 0, count: part.flashSize), at: 0)
        for bank in 0..<part.bankCount {
            var at = 0
            for (index, size) in part.unitSizes.enumerated() where part != .l47x || index % 17 == 0 || index == 255 {
                if part == .l47x { at = index * 2048 }
                #expect(machine.driver.sector(at: at) == FlashUnit(start: at, size: size))
                #expect(machine.driver.sector(at: at + size - 1) == FlashUnit(start: at, size: size))
                let machine = Machine(part, contents)
                try machine.driver.erase(bank: bank, sectorAt: at + size - 1)
                let unit = bank * part.unitSizes.count + index
                for other in machine.model.contents.units.indices {
                    let wanted = (other == unit ? erased : contents).units[other]
                    #expect(machine.model.contents.units[other] == wanted)
                }
                try machine.program(bank, at, bytes)
                try machine.program(bank, at + size - 64, bytes)
                #expect(try machine.read(bank, at, 64) == bytes)
                #expect(machine.model.contents.bytes(at: bank * part.bankSize + at, count: 64) == bytes)
                #expect(machine.model.isLocked)
                #expect(machine.model.counts.busErrors == 0)
                #expect(machine.model.counts.cachedChanges == 0)
                #expect(machine.model.counts.erases == 1)
                at += size
            }
            if part != .l47x { #expect(at == part.bankSize) }
        }
    }

    @Test func `Every width of programming writes the same`() throws {
        for parallelism in [STM32F4Parallelism.bytes, .halfWords, .words] {
            let model = STM32Model(FlashContents(.f42x), speed: .longest)
            let driver = STM32F4Flash(model, part: .f42x, parallelism: parallelism)
            try driver.erase(bank: 1, sectorAt: 0x20000)
            var fault: FlashFault?
            bytes.withUnsafeBytes { bytes in
                do throws(FlashFault) { try driver.program(bank: 1, at: 0x20000, bytes) } catch { fault = error }
            }
            #expect(fault == nil)
            #expect(model.contents.bytes(at: 0x12_0000, count: 64) == bytes)
            // 4, 2.6 and 2 s for a large sector.
            let seconds: [STM32F4Parallelism: UInt64] = [.bytes: 4_000_000, .halfWords: 2_600_000, .words: 2_000_000]
            #expect(model.microseconds > seconds[parallelism] ?? 0)
        }
    }

    @Test(arguments: STM32Part.allCases)
    func `What was not erased can't be programmed, and is reported`(part: STM32Part) throws {
        let machine = Machine(part)
        try machine.program(0, 0, [UInt8](repeating: 0x5A, count: 16))
        #expect(throws: FlashFault.notErased) { try machine.program(0, 0, [UInt8](repeating: 0xA5, count: 16)) }
        #expect(machine.model.isLocked)
        // Erased again it works, also after that error.
        try machine.driver.erase(bank: 0, sectorAt: 0)
        try machine.program(0, 0, [UInt8](repeating: 0xA5, count: 16))
    }

    @Test(arguments: STM32Part.allCases)
    func `Places and lengths that the flash does not have are refused`(part: STM32Part) throws {
        let machine = Machine(part)
        #expect(throws: FlashFault.alignment) { try machine.program(0, 2, [1, 2, 3, 4, 5, 6, 7, 8]) }
        #expect(throws: FlashFault.alignment) { try machine.program(0, 0, [1, 2, 3]) }
        #expect(throws: FlashFault.range) {
            try machine.program(0, part.bankSize - 8, [UInt8](repeating: 0, count: 16))
        }
        #expect(throws: FlashFault.range) { try machine.driver.erase(bank: part.bankCount, sectorAt: 0) }
        #expect(throws: FlashFault.range) { try machine.driver.erase(bank: 0, sectorAt: part.bankSize) }
        #expect(throws: FlashFault.range) { try machine.read(0, part.bankSize, 1) }
        #expect(machine.model.counts == STM32Model.Counts())
    }

    @Test(arguments: STM32Part.allCases)
    func `A wrong key locks until the next reset`(part: STM32Part) throws {
        let machine = Machine(part)
        let key: UInt32 = part == .l47x ? STM32L4Registers.key : STM32F4Registers.key
        machine.model.write32(0x1234_5678, to: key)
        #expect(throws: ControllerFault.locked.fault) { try machine.program(0, 0, bytes) }
        #expect(throws: ControllerFault.locked.fault) { try machine.driver.erase(bank: 0, sectorAt: 0) }
        #expect(machine.model.contents == FlashContents(part))
        machine.model.reset()
        let after = AnyDriver(machine.model)
        try after.erase(bank: 0, sectorAt: 0)
    }

    @Test func `A protected sector is reported`() throws {
        var contents = FlashContents(.f42x)
        let model = STM32Model(contents)
        let driver = STM32F4Flash(model, part: .f42x)
        // nWRP of sector 3, by way of the registers.
        model.write32(0x0819_2A3B, to: STM32F4Registers.optionKey)
        model.write32(0x4C5D_6E7F, to: STM32F4Registers.optionKey)
        let options = contents.options & ~(1 << 19)
        model.write32(options, to: STM32F4Registers.options)
        model.write32(options | 2, to: STM32F4Registers.options)
        contents = model.contents
        #expect(contents.options == options)
        #expect(throws: ControllerFault.writeProtection.fault) { try driver.erase(bank: 0, sectorAt: 0xC000) }
        try driver.erase(bank: 0, sectorAt: 0x8000)
        try driver.erase(bank: 1, sectorAt: 0xC000)
    }

    @Test func `Sequences that the manuals forbid set their flags`() {
        let f4 = STM32Model(FlashContents(.f42x))
        func status(_ model: STM32Model, _ address: UInt32) -> UInt32 { model.read32(address) & 0xFFFF }
        // Programming while locked, then with another width than PSIZE, then at no multiple of it.
        f4.write32(0, to: 0x0800_0000)
        #expect(status(f4, STM32F4Registers.status) == 1 << 7)
        f4.write32(0x4567_0123, to: STM32F4Registers.key)
        f4.write32(0xCDEF_89AB, to: STM32F4Registers.key)
        f4.write32(1 << 7, to: STM32F4Registers.status)
        f4.write32(1 | 2 << 8, to: STM32F4Registers.control)
        f4.write8(0, to: 0x0800_0000)
        #expect(status(f4, STM32F4Registers.status) == 1 << 6)
        f4.write32(0, to: 0x0800_0002)
        #expect(status(f4, STM32F4Registers.status) == 1 << 6 | 1 << 5)
        // Sector numbers 12 to 15 do not exist; sector and mass erase exclude each other.
        for command in [2 | 12 << 3, 2 | 28 << 3, 2 | 4] as [UInt32] {
            f4.write32(0x1F3, to: STM32F4Registers.status)
            f4.write32(command | 1 << 16, to: STM32F4Registers.control)
            #expect(status(f4, STM32F4Registers.status) == 1 << 7)
        }
        #expect(f4.contents == FlashContents(.f42x))

        let l4 = STM32Model(FlashContents(.l47x))
        l4.write32(0x4567_0123, to: STM32L4Registers.key)
        l4.write32(0xCDEF_89AB, to: STM32L4Registers.key)
        l4.write32(1, to: STM32L4Registers.control)
        l4.write32(0, to: 0x0800_0004)
        #expect(status(l4, STM32L4Registers.status) == 1 << 5)
        // A flag that was left makes the next one a wrong sequence.
        l4.write32(0, to: 0x0800_0000)
        #expect(status(l4, STM32L4Registers.status) == 1 << 5 | 1 << 7)
        l4.write32(0xC3FB, to: STM32L4Registers.status)
        l4.write16(0, to: 0x0800_0000)
        #expect(status(l4, STM32L4Registers.status) == 1 << 6)
        l4.write32(0xC3FB, to: STM32L4Registers.status)
        // A double word is written once, except that all bits can be cleared.
        for (word, flags) in [(1, 0), (1, 1 << 3), (0, 0)] as [(UInt32, UInt32)] {
            l4.write32(0xC3FB, to: STM32L4Registers.status)
            l4.write32(word, to: 0x0800_0008)
            l4.write32(word, to: 0x0800_000C)
            #expect(status(l4, STM32L4Registers.status) == flags)
        }
    }

    @Test(arguments: STM32Part.allCases)
    func `What was cached before does not hide what was written`(part: STM32Part) throws {
        let machine = Machine(part)
        try machine.program(0, 0, bytes)
        try machine.driver.erase(bank: 0, sectorAt: 0)
        #expect(try machine.read(0, 0, 64) == [UInt8](repeating: 0xFF, count: 64))
        // Without the driver, that is without a flush, the model shows the old bytes.
        let access = part == .l47x ? STM32L4Registers.access : STM32F4Registers.access
        #expect(machine.model.read32(access) & 3 << 9 == 3 << 9)
        let (key, control) =
            part == .l47x
            ? (STM32L4Registers.key, STM32L4Registers.control) : (STM32F4Registers.key, STM32F4Registers.control)
        machine.model.write32(0x4567_0123, to: key)
        machine.model.write32(0xCDEF_89AB, to: key)
        machine.model.write32(1 | 2 << 8, to: control)
        machine.model.write32(0, to: 0x0800_0000)
        machine.model.write32(0, to: 0x0800_0004)
        #expect(machine.model.read32(0x0800_0000) == .max)
        #expect(machine.model.contents.bytes(at: 0, count: 4) == [0, 0, 0, 0])
    }

    @Test func `A double word that was torn is a fault, and its page can be erased`() throws {
        var contents = FlashContents(.l47x)
        var random = SystemRandomNumberGenerator()
        repeat {
            contents = FlashContents(.l47x).remains(
                of: .program(offset: 0x8_0000, [1, 2, 3, 4, 5, 6, 7, 8]), cut: .torn, random: &random)
        } while contents.damaged.isEmpty
        let machine = Machine(.l47x, contents)
        #expect(throws: ControllerFault.damagedWord.fault) { try machine.read(1, 0, 8) }
        // The handler of the NMI cleared ECCD, or it would not return from it.
        #expect(machine.model.read32(0x4002_2018) & 1 << 31 == 0)
        // What it noted is about those bytes: others can be read.
        _ = try machine.read(1, 8, 8)
        #expect(machine.model.counts.damagedReads == 1)
        // Read by somebody else before: no fault of what is read now.
        _ = machine.model.read32(0x0808_0000)
        _ = try machine.read(1, 8, 8)
        try machine.driver.erase(bank: 1, sectorAt: 0)
        try machine.program(1, 0, [1, 2, 3, 4, 5, 6, 7, 8])
        #expect(try machine.read(1, 0, 8) == [1, 2, 3, 4, 5, 6, 7, 8])
    }

    @Test func `A double word that a cut left almost erased reads as erased and can't be programmed`() throws {
        var contents = FlashContents(.l47x)
        var random = SystemRandomNumberGenerator()
        repeat {
            contents = FlashContents(.l47x).remains(
                of: .program(offset: 0x8_0000, [1, 2, 3, 4, 5, 6, 7, 8]), cut: .torn, random: &random)
        } while contents.spent.isEmpty
        let machine = Machine(.l47x, contents)
        #expect(try machine.read(1, 0, 8) == [UInt8](repeating: 0xFF, count: 8))
        #expect(machine.model.counts.damagedReads == 0)
        #expect(throws: FlashFault.notErased) { try machine.program(1, 0, [1, 2, 3, 4, 5, 6, 7, 8]) }
        try machine.driver.erase(bank: 1, sectorAt: 0)
        try machine.program(1, 0, [1, 2, 3, 4, 5, 6, 7, 8])
    }

    @Test func `A reset that comes before the option bytes of an L4 are loaded starts with the old ones`() throws {
        var contents = FlashContents(.l47x)
        contents.write([0x00, 0x10, 0x00, 0x20], at: 0)
        contents.write([0x00, 0x20, 0x00, 0x20], at: 0x8_0000)
        for isHasty in [true, false] {
            let machine = Machine(.l47x, contents)
            try machine.driver.select(bank: 1)
            if isHasty {
                let keys: [(UInt32, UInt32)] = [
                    (0x4567_0123, STM32L4Registers.key), (0xCDEF_89AB, STM32L4Registers.key),
                    (0x0819_2A3B, STM32L4Registers.optionKey), (0x4C5D_6E7F, STM32L4Registers.optionKey),
                ]
                for (key, register) in keys { machine.model.write32(key, to: register) }
                machine.model.write32(STM32L4Registers.CR.launch, to: STM32L4Registers.control)
                machine.model.write32(0x05FA_0004, to: 0xE000_ED0C)
            } else {
                machine.driver.restart()
            }
            #expect(machine.model.wantsReset)
            #expect(machine.model.reset() == .bank(isHasty ? 0 : 1))
        }
    }

    @Test(arguments: [STM32Part.f42x, .l47x])
    func `Option bytes that the controller could not program are reported, and tried again when asked`(
        part: STM32Part
    ) throws {
        let bus = WornOptions(FlashContents(part))
        func select(_ bank: Int) throws(FlashFault) {
            if part == .l47x {
                try STM32L4Flash(bus).select(bank: bank)
            } else {
                try STM32F4Flash(bus, part: .f42x).select(bank: bank)
            }
        }
        for _ in 0..<2 {
            #expect(throws: ControllerFault.operation.fault) { try select(1) }
            #expect(bus.model.counts.optionWrites == 0)
            #expect(bus.model.isLocked)
        }
        bus.isWorn = false
        try select(1)
        #expect(bus.model.counts.optionWrites == 1)
        #expect(bus.model.contents.options == part.factoryOptions | (part == .l47x ? 1 << 20 : 1 << 4))
    }

    @Test func `Option bytes of a part that has no second bank are left alone`() {
        let model = STM32Model(FlashContents(.f405))
        let driver = STM32F4Flash(model, part: .f42x)
        #expect(throws: ControllerFault.options.fault) { try driver.select(bank: 1) }
        #expect(model.counts.optionWrites == 0)
        #expect(model.isLocked)
    }

    @Test(arguments: [STM32Part.f42x, .l47x])
    func `The banks are exchanged by the option bytes after a reset`(part: STM32Part) throws {
        var contents = FlashContents(part)
        contents.write([0x00, 0x10, 0x00, 0x20], at: 0)
        contents.write([0x00, 0x20, 0x00, 0x20], at: part.bankSize)
        let machine = Machine(part, contents)
        #expect(machine.driver.runningBank == 0)
        #expect(machine.driver.selectedBank == 0)
        try machine.driver.select(bank: 1)
        // Nothing moved yet.
        #expect(machine.driver.runningBank == 0)
        #expect(machine.model.read32(0x0800_0000) == 0x2000_1000)
        machine.driver.restart()
        #expect(machine.model.wantsReset)
        #expect(machine.model.reset() == .bank(1))
        let after = AnyDriver(machine.model)
        #expect(after.runningBank == 1)
        #expect(after.selectedBank == 1)
        #expect(machine.model.read32(0x0800_0000) == 0x2000_2000)
        // Drivers count the physical banks.
        try after.erase(bank: 0, sectorAt: 0)
        #expect(machine.model.contents.bytes(at: 0, count: 4) == [0xFF, 0xFF, 0xFF, 0xFF])
        #expect(try machine.read(1, 0, 4) == [0x00, 0x20, 0x00, 0x20])
        #expect(machine.model.contents.options == part.factoryOptions | (part == .l47x ? 1 << 20 : 1 << 4))
        try after.select(bank: 0)
        after.restart()
        // Bank 1 is empty now, and nothing looks at it without BFB2.
        #expect(machine.model.reset() == .bank(0))
        #expect(machine.model.counts.busErrors == 0)
        #expect(machine.model.counts.optionWrites == 2)
        #expect(machine.model.isLocked)
    }

    @Test(arguments: [STM32Part.f42x, .l47x])
    func `The system boot loader passes over a bank without a stack`(part: STM32Part) throws {
        var contents = FlashContents(part)
        contents.write([0x00, 0x10, 0x00, 0x20], at: 0)
        let machine = Machine(part, contents)
        try machine.driver.select(bank: 1)
        machine.driver.restart()
        #expect(machine.model.reset() == .bank(0))
        let after = AnyDriver(machine.model)
        #expect(after.runningBank == 0)
        #expect(after.selectedBank == 1)
        try after.erase(bank: 0, sectorAt: 0)
        #expect(machine.model.reset() == .systemBootLoader)
    }

    @Test func `An L4 takes new option bytes only when they are loaded`() throws {
        let machine = Machine(.l47x)
        var contents = machine.model.contents
        try machine.driver.select(bank: 1)
        contents.write([0x00, 0x20, 0x00, 0x20], at: 0x8_0000)
        // A watchdog's reset.
        machine.model.reset()
        #expect(machine.driver.selectedBank == 0)
        machine.model.reset(powerOn: true)
        #expect(AnyDriver(machine.model).selectedBank == 1)
    }

    @Test func `A controller that never becomes ready is given up`() {
        let bus = StuckBus()
        let driver = STM32F4Flash(bus, part: .f42x)
        #expect(throws: ControllerFault.timeout.fault) { try driver.erase(bank: 0, sectorAt: 0) }
        #expect(bus.waited >= 8000)
        let l4 = STM32L4Flash(StuckBus())
        #expect(throws: ControllerFault.timeout.fault) { try l4.erase(bank: 0, sectorAt: 0) }
    }
}

/// A machine whose flash controller is busy for ever.
private final class StuckBus: RegisterBus {
    private var time: UInt32 = 0xFFFF_FF00
    /// Milliseconds since the start; the clock wraps around in between.
    var waited: UInt32 { time &- 0xFFFF_FF00 }
    func read32(_ address: UInt32) -> UInt32 { .max }
    func write32(_ value: UInt32, to address: UInt32) {}
    func write16(_ value: UInt16, to address: UInt32) {}
    func write8(_ value: UInt8, to address: UInt32) {}
    func copy(_ address: UInt32, into out: UnsafeMutableRawBufferPointer) {}
    func idle() { time &+= 7 }
    func takeDamage() -> Bool { false }
    var milliseconds: UInt32 { time }
}

/// A machine that does not program its option bytes while they are worn: the operation ends with OPERR.
private final class WornOptions: RegisterBus {
    let model: STM32Model
    var isWorn = true
    private var hasFailed = false

    init(_ contents: FlashContents) { model = STM32Model(contents) }

    private var isL4: Bool { model.part == .l47x }

    func read32(_ address: UInt32) -> UInt32 {
        let status = isL4 ? STM32L4Registers.status : STM32F4Registers.status
        return model.read32(address) | (address == status && hasFailed ? 1 << 1 : 0)
    }

    func write32(_ value: UInt32, to address: UInt32) {
        let (register, start) =
            isL4
            ? (STM32L4Registers.control, STM32L4Registers.CR.optionStart)
            : (STM32F4Registers.options, STM32F4Registers.OPTCR.start)
        if address == (isL4 ? STM32L4Registers.status : STM32F4Registers.status), value & 1 << 1 != 0 {
            hasFailed = false
        }
        let fails = isWorn && address == register && value & start != 0
        if fails { hasFailed = true }
        model.write32(fails ? value & ~start : value, to: address)
    }

    func write16(_ value: UInt16, to address: UInt32) { model.write16(value, to: address) }
    func write8(_ value: UInt8, to address: UInt32) { model.write8(value, to: address) }
    func copy(_ address: UInt32, into out: UnsafeMutableRawBufferPointer) { model.copy(address, into: out) }
    func takeDamage() -> Bool { model.takeDamage() }
    func idle() { model.idle() }
    var milliseconds: UInt32 { model.milliseconds }
}
