public import FirmwareStorage

/// Driver of the flash controller of STM32L47x and L48x with 1 MiB in two banks (RM0351 section 3).
///
/// Pages of 2 KiB; programmed are double words of 64 bits with 8 bits of ECC, each once after an erase (3.3.7). Each operation
/// unlocks the controller, does its work with the data cache off, empties the caches and locks it again, whatever happens.
///
/// A double word that was being written when the power went reads with two wrong bits: the machine raises an NMI, whose
/// handler answers ``RegisterBus/takeDamage()``.
public struct STM32L4Flash<Bus: RegisterBus>: DualBankController {
    /// The machine. A driver does not lock it: whoever has several threads lets one at a time in.
    public let bus: Bus

    /// A driver; the clock of SYSCFG, which says how the banks lie, is switched on.
    public init(_ bus: Bus) {
        self.bus = bus
        // RM0351 6.4.21: SYSCFGEN. Reading back waits until the clock runs.
        bus.change(STM32L4Registers.apb2Enable, clear: 0, set: 1 << 0)
        _ = bus.read32(STM32L4Registers.apb2Enable)
    }

    /// Two.
    public var bankCount: Int { 2 }
    /// 512 KiB.
    public var bankSize: Int { 512 << 10 }
    /// A double word.
    public var writeSize: Int { 8 }

    /// Pages of 2 KiB (RM0351 table 9).
    public func sector(at offset: Int) -> FlashUnit {
        FlashUnit(
            start: offset / STM32L4Registers.pageSize * STM32L4Registers.pageSize, size: STM32L4Registers.pageSize)
    }

    // MARK: Banks

    /// FB_MODE of SYSCFG_MEMRMP: bank 2 appears at 0x08000000 (RM0351 9.2.1).
    private var isSwapped: Bool { bus.read32(STM32L4Registers.memoryRemap) & 1 << 8 != 0 }

    private func address(_ bank: Int, _ offset: Int) -> UInt32 {
        let place = (bank == 1) != isSwapped ? bankSize + offset : offset
        return STM32L4Registers.flash + UInt32(truncatingIfNeeded: place)
    }

    /// The bank at 0x08000000.
    public var runningBank: Int { isSwapped ? 1 : 0 }

    /// BFB2 of FLASH_OPTR.
    public var selectedBank: Int { bus.read32(STM32L4Registers.options) & STM32L4Registers.OPTR.bootBank2 != 0 ? 1 : 0 }

    // MARK: Reading

    /// Reads; a double word that was damaged is a fault.
    public func read(bank: Int, at offset: Int, into out: UnsafeMutableRawBufferPointer) throws(FlashFault) {
        try check(bank, offset, out.count)
        // What was found before is not about these bytes.
        _ = bus.takeDamage()
        bus.copy(address(bank, offset), into: out)
        if bus.takeDamage() { throw ControllerFault.damagedWord.fault }
    }

    // MARK: Changing

    /// Programs double word by double word (RM0351 3.3.7, standard programming).
    public func program(bank: Int, at offset: Int, _ bytes: UnsafeRawBufferPointer) throws(FlashFault) {
        try check(bank, offset, bytes.count)
        guard offset % writeSize == 0, bytes.count % writeSize == 0 else { throw .alignment }
        try unlocked { () throws(FlashFault) in
            bus.write32(STM32L4Registers.CR.program, to: STM32L4Registers.control)
            let start = address(bank, offset)
            var at = 0
            while at < bytes.count {
                let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self))
                // All ones would be written with their ECC, and could never be written again.
                if word != .max {
                    let address = start &+ UInt32(truncatingIfNeeded: at)
                    bus.write32(UInt32(truncatingIfNeeded: word), to: address)
                    bus.write32(UInt32(truncatingIfNeeded: word >> 32), to: address &+ 4)
                    try finish(within: STM32L4Registers.programTime)
                }
                at += 8
            }
        }
        try verify(bank, offset, bytes)
    }

    /// Erases a page (RM0351 3.3.6).
    public func erase(bank: Int, sectorAt offset: Int) throws(FlashFault) {
        try check(bank, offset, 1)
        let page = UInt32(truncatingIfNeeded: offset / STM32L4Registers.pageSize)
        try unlocked { () throws(FlashFault) in
            let command =
                STM32L4Registers.CR.pageErase | page << 3 | (bank == 1 ? STM32L4Registers.CR.secondBank : 0)
            bus.write32(command, to: STM32L4Registers.control)
            bus.write32(command | STM32L4Registers.CR.start, to: STM32L4Registers.control)
            try finish(within: STM32L4Registers.eraseTime)
        }
    }

    private func unlock() throws(FlashFault) {
        try waitUntilReady(within: STM32L4Registers.eraseTime)
        try bus.unlock(STM32L4Registers.control, lock: STM32L4Registers.CR.lock, keys: STM32L4Registers.key)
        // PGSERR would be set by any flag left over (RM0351 3.7.5).
        bus.write32(STM32L4Registers.SR.all, to: STM32L4Registers.status)
    }

    /// LOCK sets OPTLOCK as well (RM0351 3.7.6).
    private func lock() {
        bus.write32(STM32L4Registers.CR.optionLock, to: STM32L4Registers.control)
        bus.write32(STM32L4Registers.CR.optionLock | STM32L4Registers.CR.lock, to: STM32L4Registers.control)
    }

    /// Unlocks CR, runs `work`, and locks it again in every case.
    private func unlocked(_ work: () throws(FlashFault) -> Void) throws(FlashFault) {
        try unlock()
        let access = bus.stopDataCache(STM32L4Registers.access, on: STM32L4Registers.ACR.dataCache)
        defer {
            bus.write32(STM32L4Registers.CR.optionLock, to: STM32L4Registers.control)
            bus.resetCaches(
                STM32L4Registers.access, to: access, on: STM32L4Registers.ACR.caches,
                resets: STM32L4Registers.ACR.resets)
            lock()
        }
        try work()
    }

    private func waitUntilReady(within limit: UInt32) throws(FlashFault) {
        try bus.wait(while: STM32L4Registers.SR.busy, in: STM32L4Registers.status, within: limit)
    }

    private func finish(within limit: UInt32) throws(FlashFault) {
        try waitUntilReady(within: limit)
        let errors = STM32L4Registers.SR.faults(bus.read32(STM32L4Registers.status))
        guard errors.isEmpty else {
            bus.write32(STM32L4Registers.SR.all, to: STM32L4Registers.status)
            throw errors.contains(.programming) ? .notErased : errors.fault
        }
    }

    // MARK: Option bytes

    /// Programs the option bytes with BFB2 set or cleared (RM0351 3.4.2). The new values are loaded by ``restart()``. The
    /// register shows what was written into it, whatever the option bytes became: that the other bank starts says that
    /// they took it.
    public func select(bank: Int) throws(FlashFault) {
        guard bank >= 0, bank < bankCount else { throw .range }
        guard bank != selectedBank else { return }
        try unlock()
        defer { lock() }
        bus.write32(0x0819_2A3B, to: STM32L4Registers.optionKey)
        bus.write32(0x4C5D_6E7F, to: STM32L4Registers.optionKey)
        guard bus.read32(STM32L4Registers.control) & STM32L4Registers.CR.optionLock == 0 else {
            throw ControllerFault.locked.fault
        }
        let before = bus.read32(STM32L4Registers.options)
        let cleared = before & ~STM32L4Registers.OPTR.bootBank2
        bus.write32(bank == 1 ? cleared | STM32L4Registers.OPTR.bootBank2 : cleared, to: STM32L4Registers.options)
        guard selectedBank == bank else { throw ControllerFault.options.fault }
        bus.write32(STM32L4Registers.CR.optionStart, to: STM32L4Registers.control)
        do throws(FlashFault) { try finish(within: STM32L4Registers.eraseTime) } catch {
            // Or the next attempt would take it for done.
            bus.write32(before, to: STM32L4Registers.options)
            throw error
        }
    }

    /// OBL_LAUNCH loads the option bytes and resets (RM0351 3.4.2); it needs OPTLOCK cleared. A reset that comes before they
    /// are loaded would start the bank that ran with the old ones, so that SYSRESETREQ is left to the case that the machine
    /// is still running when they should have been loaded long ago.
    public func restart() {
        do throws(FlashFault) {
            try unlock()
            bus.write32(0x0819_2A3B, to: STM32L4Registers.optionKey)
            bus.write32(0x4C5D_6E7F, to: STM32L4Registers.optionKey)
            bus.write32(STM32L4Registers.CR.launch, to: STM32L4Registers.control)
            try bus.wait(
                while: STM32L4Registers.CR.launch, in: STM32L4Registers.control, within: STM32L4Registers.loadTime)
        } catch {}
        bus.resetSystem()
    }
}

extension STM32L4Flash: Sendable where Bus: Sendable {}

/// Addresses and bits (RM0351 3.7 and 9.2).
public enum STM32L4Registers {
    /// First address of the flash.
    public static let flash: UInt32 = 0x0800_0000
    /// Bytes of a page.
    public static let pageSize = 2048
    /// FLASH_ACR
    public static let access: UInt32 = 0x4002_2000
    /// FLASH_KEYR
    public static let key: UInt32 = 0x4002_2008
    /// FLASH_OPTKEYR
    public static let optionKey: UInt32 = 0x4002_200C
    /// FLASH_SR
    public static let status: UInt32 = 0x4002_2010
    /// FLASH_CR
    public static let control: UInt32 = 0x4002_2014
    /// FLASH_OPTR
    public static let options: UInt32 = 0x4002_2020
    /// SYSCFG_MEMRMP
    public static let memoryRemap: UInt32 = 0x4001_0000
    /// RCC_APB2ENR
    public static let apb2Enable: UInt32 = 0x4002_1060

    /// Many times the longest page erase of 25 ms (STM32L476xx data sheet, table "Flash memory characteristics"), ms.
    static let eraseTime: UInt32 = 250
    /// Many times the longest programming of 91 µs, ms: the clock may be about to tick.
    static let programTime: UInt32 = 5
    /// Many times what loading the option bytes can take, ms.
    static let loadTime: UInt32 = 10

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
        /// EOP, OPERR, PROGERR, WRPERR, PGAERR, SIZERR, PGSERR, MISERR, FASTERR, RDERR, OPTVERR; cleared by writing ones.
        public static let all: UInt32 = 0xC3FB

        /// What the error flags say.
        static func faults(_ status: UInt32) -> ControllerFault {
            var result = ControllerFault()
            if status & 1 << 1 != 0 { result.formUnion(.operation) }
            if status & 1 << 3 != 0 { result.formUnion(.programming) }
            if status & 1 << 4 != 0 { result.formUnion(.writeProtection) }
            if status & 1 << 5 != 0 { result.formUnion(.alignment) }
            if status & 1 << 6 != 0 { result.formUnion(.width) }
            if status & 1 << 7 != 0 { result.formUnion(.sequence) }
            if status & (1 << 8 | 1 << 9) != 0 { result.formUnion(.fastProgramming) }
            if status & 1 << 14 != 0 { result.formUnion(.readProtection) }
            if status & 1 << 15 != 0 { result.formUnion(.options) }
            return result
        }
    }

    /// Bits of FLASH_CR.
    public enum CR {
        /// PG
        public static let program: UInt32 = 1 << 0
        /// PER
        public static let pageErase: UInt32 = 1 << 1
        /// BKER: the page is one of bank 2.
        public static let secondBank: UInt32 = 1 << 11
        /// STRT
        public static let start: UInt32 = 1 << 16
        /// OPTSTRT
        public static let optionStart: UInt32 = 1 << 17
        /// OBL_LAUNCH
        public static let launch: UInt32 = 1 << 27
        /// OPTLOCK
        public static let optionLock: UInt32 = 1 << 30
        /// LOCK
        public static let lock: UInt32 = 1 << 31
    }

    /// Bits of FLASH_OPTR.
    public enum OPTR {
        /// BFB2
        public static let bootBank2: UInt32 = 1 << 20
    }
}
