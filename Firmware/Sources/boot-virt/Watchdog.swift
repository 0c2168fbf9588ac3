import BootInterface
import Machine

/// The timer of machine mode: a program can neither stop nor miss its interrupt. It comes every 10 ms, which also wakes a
/// program that sleeps, and restarts the machine when the program has not said for too long that it is alive.
enum Watchdog {
    /// Ticks of the clock of 10 MHz.
    private static var period: UInt64 { 100_000 }
    private static var patience: UInt64 { UInt64(BootReport.watchdogSeconds) * 10_000_000 }
    /// MTIMECMP of processor 0 in the core-local interruptor.
    private static var compare: UInt { 0x0200_4000 }

    nonisolated(unsafe) private static var lastSign: UInt64 = 0

    static func start() {
        feed()
        arm()
        machine_enable_tick()
    }

    static func feed() { lastSign = machine_time() }

    private static func arm() {
        let next = machine_time() + period
        // No moment in between at which the time is reached (privileged architecture 3.2.1).
        machine_store32(compare + 4, 0xFFFF_FFFF)
        machine_store32(compare, UInt32(truncatingIfNeeded: next))
        machine_store32(compare + 4, UInt32(truncatingIfNeeded: next >> 32))
    }

    static func tick() {
        arm()
        if machine_time() - lastSign > patience { LastReset.restart(ResetCause.watchdog.rawValue) }
    }

    /// In the boot loader itself, where interrupts only end the sleep.
    static func sleepForOneTick() {
        arm()
        machine_enable_tick()
        machine_sleep_until_tick()
    }
}
