public import BootInterface
public import CFIFlash
import FirmwareLayouts
import FixedMemory
import Machine

/// The RISC-V board as a program sees it.
public enum VirtBoard {
    /// Gets memory and serial line going; the first thing a program does.
    public static func start() {
        startMemory()
        VirtUART.start()
    }

    /// Milliseconds since the machine was switched on; its clock has 10 MHz.
    public static var milliseconds: Int64 { Int64(truncatingIfNeeded: machine_time() / 10_000) }

    /// Sleeps until something happens, at most until the boot loader's next tick; not at all when input is waiting.
    public static func idle() {
        // An interrupt that comes between the look and the sleep ends the sleep, because it is pending then.
        let before = machine_disable_interrupts()
        if !VirtUART.hasInput { machine_wait_for_interrupt() }
        machine_restore_interrupts(before)
    }

    /// Tells the boot loader that the program is alive.
    public static func feedWatchdog() { _ = machine_boot_call(BootCall.feed.rawValue, 0) }

    /// Restarts the machine.
    public static func reset(_ cause: ResetCause = .asked) -> Never {
        _ = machine_boot_call(BootCall.reset.rawValue, cause.rawValue)
        while true {}
    }

    /// What the boot loader tells of this start.
    public static var report: BootReport { BootReport.current }

    // MARK: Flash

    /// Which program starts.
    public static var records: CFIFlash { area(VirtFlashLayout.records) }
    /// Persistent blocks.
    public static var blocks: CFIFlash { area(VirtFlashLayout.blocks) }
    /// The place of a program, 0 or 1.
    public static func slot(_ index: Int) -> CFIFlash { area(VirtFlashLayout.slot(index)) }

    private static func area(_ place: FlashPlace) -> CFIFlash {
        CFIFlash(
            base: VirtFlashLayout.address + UInt(place.offset), size: place.size, unitSize: VirtFlashLayout.unitSize)
    }
}
