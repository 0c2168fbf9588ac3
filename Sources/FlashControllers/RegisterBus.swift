/// How a driver reaches the registers of its machine and the memory that the flash is seen at.
///
/// In firmware these are volatile accesses to addresses; on the host it is a model of the part. Used through generics. A bus
/// is a handle: copies of it reach the same machine.
public protocol RegisterBus {
    /// Reads a register.
    func read32(_ address: UInt32) -> UInt32
    /// Writes a register, or a word of the flash while programming is on.
    func write32(_ value: UInt32, to address: UInt32)
    /// Writes a half-word of the flash, for boards whose supply allows no more (PSIZE x16).
    func write16(_ value: UInt16, to address: UInt32)
    /// Writes a byte of the flash (PSIZE x8).
    func write8(_ value: UInt8, to address: UInt32)
    /// Copies memory from `address` on.
    func copy(_ address: UInt32, into out: UnsafeMutableRawBufferPointer)
    /// True when a double word with two wrong bits was read since the last call; false on parts without a code for errors.
    ///
    /// On an L4 such a read sets ECCD in FLASH_ECCR, which raises an NMI as long as it is set. The NMI handler of a firmware
    /// clears it by writing one (RM0351 3.7.7), or it would be called again for ever, and notes it in RAM; this gives the
    /// note and drops it, behind a barrier that lets an NMI of a read before it come first.
    func takeDamage() -> Bool
    /// Called again and again while the driver waits: the place to feed a watchdog. An erase may take 4 s.
    func idle()
    /// A clock that wraps around, ms.
    var milliseconds: UInt32 { get }
}

extension RegisterBus {
    /// Sets and clears bits of a register.
    func change(_ address: UInt32, clear: UInt32, set: UInt32) {
        write32(read32(address) & ~clear | set, to: address)
    }
}
