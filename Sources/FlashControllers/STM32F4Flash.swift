public import FirmwareStorage

/// A member of the STM32F4 family by what its flash looks like (RM0090 3.4, tables 5 to 7).
public enum STM32F4Part: Sendable {
    /// STM32F405 and its kin with 1 MiB in one bank.
    case f405
    /// STM32F42x and F43x with 2 MiB in two banks.
    case f42x

    /// Banks.
    public var bankCount: Int { self == .f405 ? 1 : 2 }
    /// Bytes of a bank.
    public var bankSize: Int { 1 << 20 }
}

/// What a controller of the STM32F4 family may program at once; it depends on the supply (RM0090 3.6.2, table 16).
public enum STM32F4Parallelism: UInt32, Sendable {
    /// 1.8 V and above.
    case bytes = 0
    /// 2.1 V and above.
    case halfWords = 1
    /// 2.7 V and above.
    case words = 2
}

/// Driver of the flash controller of STM32F405 and STM32F42x/F43x (RM0090 section 3).
///
/// Each operation unlocks the controller, does its work with the data cache off, empties the caches and locks it again,
/// whatever happens. While a bank is erased or programmed the other one can be read and run from; code of the same bank
/// stands still (3.5).
public struct STM32F4Flash<Bus: RegisterBus>: FlashController {
    /// The machine. A driver does not lock it: whoever has several threads lets one at a time in.
    public let bus: Bus
    private let part: STM32F4Part
    private let parallelism: STM32F4Parallelism

    /// A driver for a part; the clock of SYSCFG, which says how the banks lie, is switched on.
    public init(_ bus: Bus, part: STM32F4Part, parallelism: STM32F4Parallelism = .words) {
        self.bus = bus
        self.part = part
        self.parallelism = parallelism
        // RM0090 6.3.14: SYSCFGEN. Reading back waits until the clock runs (ES0182, delay after a clock was enabled).
        bus.change(STM32F4Registers.apb2Enable, clear: 0, set: 1 << 14)
        _ = bus.read32(STM32F4Registers.apb2Enable)
    }

    /// Banks.
    public var bankCount: Int { part.bankCount }
    /// Bytes of a bank.
    public var bankSize: Int { part.bankSize }
    /// What is programmed at once: words, whatever the width of the accesses.
    public var writeSize: Int { 4 }

    /// Four sectors of 16 KiB, one of 64, the rest of 128 (RM0090 tables 5 to 7).
    public func sector(at offset: Int) -> FlashUnit {
        let (_, unit) = Self.locate(offset)
        return unit
    }

    /// Number and place of a sector in its bank.
    private static func locate(_ offset: Int) -> (UInt32, FlashUnit) {
        let small = 16 << 10, large = 128 << 10
        if offset < 4 * small {
            let index = offset / small
            return (UInt32(truncatingIfNeeded: index), FlashUnit(start: index * small, size: small))
        }
        if offset < large { return (4, FlashUnit(start: 4 * small, size: 4 * small)) }
        let index = offset / large
        return (UInt32(truncatingIfNeeded: index + 4), FlashUnit(start: index * large, size: large))
    }

    // MARK: Banks

    /// FB_MODE of SYSCFG_MEMRMP: bank 2 appears at 0x08000000 (RM0090 9.2.1).
    private var isSwapped: Bool { bankCount == 2 && bus.read32(STM32F4Registers.memoryRemap) & 1 << 8 != 0 }

    private func address(_ bank: Int, _ offset: Int) -> UInt32 {
        let place = (bank == 1) != isSwapped ? bankSize + offset : offset
        return STM32F4Registers.flash + UInt32(truncatingIfNeeded: place)
    }

    // MARK: Reading

    /// Reads.
    public func read(bank: Int, at offset: Int, into out: UnsafeMutableRawBufferPointer) throws(FlashFault) {
        try check(bank, offset, out.count)
        bus.copy(address(bank, offset), into: out)
    }

    // MARK: Changing

    /// Programs word by word (RM0090 3.6.4).
    public func program(bank: Int, at offset: Int, _ bytes: UnsafeRawBufferPointer) throws(FlashFault) {
        try check(bank, offset, bytes.count)
        guard offset % writeSize == 0, bytes.count % writeSize == 0 else { throw .alignment }
        try unlocked { () throws(FlashFault) in
            bus.write32(STM32F4Registers.CR.program | parallelism.rawValue << 8, to: STM32F4Registers.control)
            let start = address(bank, offset)
            var at = 0
            while at < bytes.count {
                let word = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt32.self))
                // What is erased already need not be programmed.
                if word != .max { try program(word, start &+ UInt32(truncatingIfNeeded: at)) }
                at += 4
            }
        }
        try verify(bank, offset, bytes)
    }

    private func program(_ word: UInt32, _ address: UInt32) throws(FlashFault) {
        switch parallelism {
        case .words:
            bus.write32(word, to: address)
            try finish(within: STM32F4Registers.programTime)
        case .halfWords:
            for half in 0..<UInt32(2) {
                bus.write16(UInt16(truncatingIfNeeded: word >> (16 * half)), to: address &+ 2 * half)
                try finish(within: STM32F4Registers.programTime)
            }
        case .bytes:
            for byte in 0..<UInt32(4) {
                bus.write8(UInt8(truncatingIfNeeded: word >> (8 * byte)), to: address &+ byte)
                try finish(within: STM32F4Registers.programTime)
            }
        }
    }

    /// Erases a sector (RM0090 3.6.3).
    public func erase(bank: Int, sectorAt offset: Int) throws(FlashFault) {
        try check(bank, offset, 1)
        let (index, _) = Self.locate(offset)
        // Sectors of the second bank have bit 4 set: 0b10000 is its first one (RM0090 3.9.7).
        let number = bank == 1 ? 16 | index : index
        try unlocked { () throws(FlashFault) in
            let command = STM32F4Registers.CR.sectorErase | number << 3 | parallelism.rawValue << 8
            bus.write32(command, to: STM32F4Registers.control)
            bus.write32(command | STM32F4Registers.CR.start, to: STM32F4Registers.control)
            try finish(within: STM32F4Registers.eraseTime)
        }
    }

    /// Unlocks CR, runs `work`, and locks it again in every case.
    private func unlocked(_ work: () throws(FlashFault) -> Void) throws(FlashFault) {
        try waitUntilReady(within: STM32F4Registers.eraseTime)
        try bus.unlock(STM32F4Registers.control, lock: STM32F4Registers.CR.lock, keys: STM32F4Registers.key)
        // Flags of what was before; they are cleared by writing ones.
        bus.write32(STM32F4Registers.SR.all, to: STM32F4Registers.status)
        let access = bus.stopDataCache(STM32F4Registers.access, on: STM32F4Registers.ACR.dataCache)
        defer {
            bus.write32(0, to: STM32F4Registers.control)
            bus.resetCaches(
                STM32F4Registers.access, to: access, on: STM32F4Registers.ACR.caches,
                resets: STM32F4Registers.ACR.resets)
            bus.write32(STM32F4Registers.CR.lock, to: STM32F4Registers.control)
        }
        try work()
    }

    private func waitUntilReady(within limit: UInt32) throws(FlashFault) {
        try bus.wait(while: STM32F4Registers.SR.busy, in: STM32F4Registers.status, within: limit)
    }

    private func finish(within limit: UInt32) throws(FlashFault) {
        try waitUntilReady(within: limit)
        let status = bus.read32(STM32F4Registers.status)
        let errors = STM32F4Registers.SR.faults(status)
        guard errors.isEmpty else {
            bus.write32(STM32F4Registers.SR.all, to: STM32F4Registers.status)
            throw errors.fault
        }
    }
}

extension STM32F4Flash: DualBankController {
    /// The bank at 0x08000000.
    public var runningBank: Int { isSwapped ? 1 : 0 }

    /// BFB2 of FLASH_OPTCR.
    public var selectedBank: Int {
        bus.read32(STM32F4Registers.options) & STM32F4Registers.OPTCR.bootBank2 != 0 ? 1 : 0
    }

    /// Programs the option bytes with BFB2 set or cleared (RM0090 3.7.2). The register shows what was written into it,
    /// whatever the option bytes became: that the other bank starts says that they took it.
    public func select(bank: Int) throws(FlashFault) {
        guard bank >= 0, bank < bankCount else { throw .range }
        guard bankCount == 2, bank != selectedBank else { return }
        try waitUntilReady(within: STM32F4Registers.eraseTime)
        if bus.read32(STM32F4Registers.options) & STM32F4Registers.OPTCR.lock != 0 {
            bus.write32(0x0819_2A3B, to: STM32F4Registers.optionKey)
            bus.write32(0x4C5D_6E7F, to: STM32F4Registers.optionKey)
        }
        let before = bus.read32(STM32F4Registers.options)
        guard before & STM32F4Registers.OPTCR.lock == 0 else { throw ControllerFault.locked.fault }
        defer {
            bus.change(STM32F4Registers.options, clear: STM32F4Registers.OPTCR.start, set: STM32F4Registers.OPTCR.lock)
        }
        bus.write32(STM32F4Registers.SR.all, to: STM32F4Registers.status)
        let cleared = before & ~(STM32F4Registers.OPTCR.bootBank2 | STM32F4Registers.OPTCR.start)
        let wanted = bank == 1 ? cleared | STM32F4Registers.OPTCR.bootBank2 : cleared
        bus.write32(wanted, to: STM32F4Registers.options)
        // A part without a second bank keeps BFB2 clear.
        guard selectedBank == bank else { throw ControllerFault.options.fault }
        bus.write32(wanted | STM32F4Registers.OPTCR.start, to: STM32F4Registers.options)
        do throws(FlashFault) { try finish(within: STM32F4Registers.eraseTime) } catch {
            // Or the next attempt would take it for done.
            bus.write32(before & ~STM32F4Registers.OPTCR.start, to: STM32F4Registers.options)
            throw error
        }
    }

    /// A system reset.
    public func restart() { bus.resetSystem() }
}

extension STM32F4Flash: Sendable where Bus: Sendable {}

/// Addresses and bits (RM0090 3.9 and 9.2).
public enum STM32F4Registers {
    /// First address of the flash.
    public static let flash: UInt32 = 0x0800_0000
    /// FLASH_ACR
    public static let access: UInt32 = 0x4002_3C00
    /// FLASH_KEYR
    public static let key: UInt32 = 0x4002_3C04
    /// FLASH_OPTKEYR
    public static let optionKey: UInt32 = 0x4002_3C08
    /// FLASH_SR
    public static let status: UInt32 = 0x4002_3C0C
    /// FLASH_CR
    public static let control: UInt32 = 0x4002_3C10
    /// FLASH_OPTCR
    public static let options: UInt32 = 0x4002_3C14
    /// SYSCFG_MEMRMP
    public static let memoryRemap: UInt32 = 0x4001_3800
    /// RCC_APB2ENR
    public static let apb2Enable: UInt32 = 0x4002_3844

    /// Twice the longest erase there is, a sector of 128 KiB with byte accesses, ms (STM32F427xx data sheet, table
    /// "Flash memory programming").
    static let eraseTime: UInt32 = 8000
    /// Many times the longest programming of 100 µs, ms: the clock may be about to tick.
    static let programTime: UInt32 = 5

    /// Bits of FLASH_ACR.
    public enum ACR {
        /// ICEN and DCEN.
        public static let caches: UInt32 = 1 << 9 | 1 << 10
        /// DCEN
        public static let dataCache: UInt32 = 1 << 10
        /// ICRST and DCRST.
        public static let resets: UInt32 = 1 << 11 | 1 << 12
    }

    /// Bits of FLASH_SR.
    public enum SR {
        /// BSY
        public static let busy: UInt32 = 1 << 16
        /// EOP, OPERR, WRPERR, PGAERR, PGPERR, PGSERR, RDERR; cleared by writing ones.
        public static let all: UInt32 = 0x1F3

        /// What the error flags say.
        static func faults(_ status: UInt32) -> ControllerFault {
            var result = ControllerFault()
            if status & 1 << 1 != 0 { result.formUnion(.operation) }
            if status & 1 << 4 != 0 { result.formUnion(.writeProtection) }
            if status & 1 << 5 != 0 { result.formUnion(.alignment) }
            if status & 1 << 6 != 0 { result.formUnion(.width) }
            if status & 1 << 7 != 0 { result.formUnion(.sequence) }
            if status & 1 << 8 != 0 { result.formUnion(.readProtection) }
            return result
        }
    }

    /// Bits of FLASH_CR.
    public enum CR {
        /// PG
        public static let program: UInt32 = 1 << 0
        /// SER
        public static let sectorErase: UInt32 = 1 << 1
        /// STRT
        public static let start: UInt32 = 1 << 16
        /// LOCK
        public static let lock: UInt32 = 1 << 31
    }

    /// Bits of FLASH_OPTCR.
    public enum OPTCR {
        /// OPTLOCK
        public static let lock: UInt32 = 1 << 0
        /// OPTSTRT
        public static let start: UInt32 = 1 << 1
        /// BFB2
        public static let bootBank2: UInt32 = 1 << 4
    }
}
