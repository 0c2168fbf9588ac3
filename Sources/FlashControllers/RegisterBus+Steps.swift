import FirmwareStorage

/// Steps that the controllers of all families here want in the same way, with their own registers and bits.
extension RegisterBus {
    /// Waits until `busy` is clear in a register; throws after `limit` ms.
    func wait(while busy: UInt32, in register: UInt32, within limit: UInt32) throws(FlashFault) {
        let start = milliseconds
        while read32(register) & busy != 0 {
            guard milliseconds &- start <= limit else { throw ControllerFault.timeout.fault }
            idle()
        }
    }

    /// Clears `lock` in a register, when it is set, by writing the two keys of FLASH_KEYR (RM0090 3.5.1, RM0351 3.3.5). Wrong
    /// keys before keep it locked until a reset.
    func unlock(_ register: UInt32, lock: UInt32, keys: UInt32) throws(FlashFault) {
        if read32(register) & lock != 0 {
            write32(0x4567_0123, to: keys)
            write32(0xCDEF_89AB, to: keys)
        }
        guard read32(register) & lock == 0 else { throw ControllerFault.locked.fault }
    }

    /// Switches the data cache off, and gives what the register was for ``resetCaches(_:to:on:resets:)``.
    ///
    /// On parts with two banks a read of one bank while the other is changed may leave wrong bytes in the data cache (errata of
    /// STM32F42x/F43x and STM32L47x/L48x, "Data cache might be corrupted during Flash memory read-while-write operation"). It
    /// has to be off before the first access of the operation, and to be emptied before it is on again.
    func stopDataCache(_ register: UInt32, on: UInt32) -> UInt32 {
        let old = read32(register)
        write32(old & ~on, to: register)
        return old
    }

    /// Empties both caches and makes the register what it was. One is reset while it is off (RM0090 3.9.2, RM0351 3.7.1:
    /// ICRST, DCRST).
    func resetCaches(_ register: UInt32, to old: UInt32, on: UInt32, resets: UInt32) {
        let off = old & ~on
        write32(off, to: register)
        write32(off | resets, to: register)
        write32(off, to: register)
        write32(old, to: register)
    }

    /// SYSRESETREQ (ARMv7-M B3.2.6).
    func resetSystem() { write32(0x05FA_0004, to: 0xE000_ED0C) }
}
