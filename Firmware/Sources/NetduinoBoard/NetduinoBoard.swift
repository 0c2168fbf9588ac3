import FixedMemory
import Machine

/// The board: clocks, serial line and restart of an STM32F405.
public enum NetduinoBoard {
    /// Gets memory, clocks and serial line going; the first thing a program does.
    public static func start() {
        startMemory()
        NetduinoClock.start()
        NetduinoUART.start()
    }

    /// Sleeps until something happens, at most 10 ms; not at all when input is waiting.
    public static func idle() {
        // An interrupt that comes between the look and the sleep ends the sleep, because it is pending then.
        let before = machine_disable_interrupts()
        if !NetduinoUART.hasInput { machine_wait_for_interrupt() }
        machine_restore_interrupts(before)
    }

    /// Restarts the processor (ARMv7-M B3.2.6: SYSRESETREQ).
    public static func reset() -> Never {
        machine_synchronize()
        machine_store32(0xE000_ED0C, 0x05FA_0004)
        machine_synchronize()
        while true {}
    }

    /// Nothing yet: the emulator has no watchdog of its own, and a program that is wrong stays the only one.
    public static func feedWatchdog() {}

    // MARK: Flash

    /// The program that runs: the lower half of the flash.
    public static var program: MappedArea {
        MappedArea(base: 0x0800_0000, size: 512 << 10, unitSize: 128 << 10, isWritable: false)
    }
    /// The upper half, which nothing can write here.
    public static var otherProgram: MappedArea {
        MappedArea(base: 0x0808_0000, size: 512 << 10, unitSize: 128 << 10, isWritable: false)
    }
    /// Which program starts: 4 KiB of the upper half of the RAM, which programs leave free.
    public static var records: MappedArea {
        MappedArea(base: 0x2001_0000, size: 4 << 10, unitSize: 2 << 10, isWritable: true)
    }
    /// Persistent blocks: 32 KiB of the upper half of the RAM.
    public static var blocks: MappedArea {
        MappedArea(base: 0x2001_4000, size: 32 << 10, unitSize: 8 << 10, isWritable: true)
    }
}
